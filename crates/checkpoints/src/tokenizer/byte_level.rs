//! The tokenizers of GPT-2 and RoBERTa, from the `vocab.json` and `merges.txt` that older folders have
//! instead of `tokenizer.json`.

use serde_json::{Value, json};

use super::settings::Settings;

/// The equivalent `tokenizer.json`. If the vocabulary has `<s>` and `</s>`, texts get special
/// tokens as in RoBERTa; otherwise they get none, as in GPT-2.
pub(super) fn described(
    vocabulary: &str,
    merges: &str,
    settings: &Settings,
) -> Result<Value, String> {
    let vocabulary: Value =
        serde_json::from_str(vocabulary).map_err(|error| format!("vocab.json: {error}"))?;
    let token = |key: &str, default: &str| {
        let value = settings.keys.get(key);
        let content = value.and_then(|value| value.get("content").unwrap_or(value).as_str());
        content.unwrap_or(default).to_owned()
    };
    let byte_level = |prefix: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": true
        })
    };
    let prefix = settings
        .keys
        .get("add_prefix_space")
        .and_then(Value::as_bool)
        == Some(true);
    let roberta = match settings.class() {
        Some(class) => !["GPT2Tokenizer", "Qwen2Tokenizer"].contains(&class),
        None => ["<s>", "</s>"]
            .iter()
            .all(|token| vocabulary.get(*token).is_some()),
    };
    let names: &[(&str, &str)] = match roberta {
        true => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("sep_token", "</s>"),
            ("cls_token", "<s>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        false => &[
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
        ],
    };
    let mut added: Vec<Value> = Vec::new();
    for (key, default) in names {
        let content = token(key, default);
        let Some(id) = vocabulary.get(&content) else {
            continue;
        };
        if added.iter().any(|token| token["content"] == content) {
            continue;
        }
        let strip = |side: &str| {
            settings
                .keys
                .get(*key)
                .and_then(|token| token.get(side)?.as_bool())
        };
        added.push(json!({
            "id": id, "content": content, "single_word": false,
            "lstrip": strip("lstrip").unwrap_or(false), "rstrip": strip("rstrip").unwrap_or(false),
            "normalized": false, "special": true
        }));
    }
    let last = match roberta {
        true => {
            let pair = |key: &str, default: &str| {
                let content = token(key, default);
                let id = vocabulary.get(&content).cloned();
                let id = id.ok_or_else(|| format!("the vocabulary has no {content}"))?;
                Ok::<_, String>(json!([content, id]))
            };
            json!({
                "type": "RobertaProcessing", "sep": pair("sep_token", "</s>")?,
                "cls": pair("cls_token", "<s>")?, "trim_offsets": true, "add_prefix_space": prefix
            })
        }
        false => Value::Null,
    };
    let lines = merges.lines().map(str::trim_end);
    let merges: Vec<&str> = lines
        .filter(|l| !l.is_empty() && !l.starts_with("#version"))
        .collect();
    Ok(json!({
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": byte_level(prefix),
        "post_processor": last,
        "decoder": byte_level(true),
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}
    }))
}
