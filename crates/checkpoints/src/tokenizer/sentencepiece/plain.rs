//! The tokenizer that a model of sentencepiece describes by itself.

use serde_json::{Map, Value, json};

use super::charsmap;
use super::proto::{Model, USER_DEFINED};
use super::vocabulary::{Pieces, bpe, ranked, unigram_model};
use crate::tokenizer::rebuilt::metaspace;

/// As the file itself says.
pub(super) fn plain(model: &Model, all: &Pieces, keys: &Map<String, Value>) -> Value {
    // A null counts as false, and no key as true.
    let legacy = keys.get("legacy").is_none_or(|legacy| legacy == true);
    let mut user: Vec<&str> = all
        .iter()
        .filter(|(_, piece)| piece.kind == USER_DEFINED)
        .map(|(text, _)| text.as_str())
        .collect();
    // The longest first, and else in their order.
    user.sort_by_key(|text| std::cmp::Reverse(text.chars().count()));
    let fallback = model.byte_fallback;
    let engine = match model.algorithm {
        1 => unigram_model(all, usize::try_from(model.unknown.0).unwrap_or(0), fallback),
        _ => {
            let mut engine = bpe(all, ranked(all), Some(model.unknown.1.clone()));
            engine["byte_fallback"] = fallback.into();
            engine["ignore_merges"] = (!user.is_empty()).into();
            engine
        }
    };
    let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
    let regex = |pattern: &str| json!({"Regex": pattern});
    let mut normalizers: Vec<Value> = charsmap(model).into_iter().collect();
    if model.remove_extra_whitespaces {
        normalizers.push(replace(regex(r"\A +| +\z"), ""));
        normalizers.push(replace(regex(" {2,}"), " "));
    }
    if model.escape_whitespaces {
        normalizers.push(replace(json!({"String": " "}), "▁"));
    }
    if model.add_dummy_prefix && legacy {
        normalizers.push(replace(regex(r"\A▁"), "▁▁"));
    }
    let mut before = Vec::new();
    if model.add_dummy_prefix {
        before.push(metaspace(if legacy { "always" } else { "first" }, false));
    }
    if !user.is_empty() {
        let pattern: Vec<String> = user.into_iter().map(escaped).collect();
        before.push(json!({
            "type": "Split", "pattern": regex(&pattern.join("|")), "behavior": "Isolated", "invert": false
        }));
    }
    let before = match before.is_empty() {
        true => Value::Null,
        false => json!({"type": "Sequence", "pretokenizers": before}),
    };
    json!({
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": before,
        "model": engine
    })
}

/// A pattern that finds the text as it stands.
fn escaped(text: &str) -> String {
    let signs = text.chars().map(|sign| match sign {
        sign if "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c".contains(sign) => format!("\\{sign}"),
        sign => sign.to_string(),
    });
    signs.collect()
}
