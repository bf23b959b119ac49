//! The tokenizers that spell bytes, GPT-2's and RoBERTa's among them, from the `vocab.json` and `merges.txt` that older folders have
//! instead of `tokenizer.json`.

use serde_json::{Value, json};

use super::class::special;
use super::frame::{ends, framed, id_in};
use super::settings::Settings;

/// The equivalent `tokenizer.json`. If no class is named, a vocabulary with `<s>` and `</s>` is RoBERTa's, any
/// other GPT-2's.
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
    let has = |token: &str| vocabulary.get(token).is_some();
    let class = settings.class().unwrap_or(match has("<s>") && has("</s>") {
        true => "RobertaTokenizer",
        false => "GPT2Tokenizer",
    });
    let mut added: Vec<Value> = Vec::new();
    for (key, default) in special(class) {
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
    let lines = merges.lines().map(str::trim_end);
    let merges: Vec<&str> = lines
        .filter(|l| !l.is_empty() && !l.starts_with("#version"))
        .collect();
    let mut json = json!({
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": byte_level(prefix),
        "decoder": byte_level(true),
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}
    });
    let keys = &settings.keys;
    json["post_processor"] = match framed(class, keys, |token| id_in(&json, token))? {
        Some(step) => step,
        None => ends(class, &json, keys)?,
    };
    Ok(json)
}
