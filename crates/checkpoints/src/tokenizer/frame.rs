//! What a tokenizer's class puts around a text, and around two.

use serde_json::{Map, Value, json};

use super::class::{is_bert, special};

/// A special token of the settings, by its key: a text, or an object with a `content`.
pub(super) fn content(keys: &Map<String, Value>, key: &str) -> Option<String> {
    let token = keys.get(key)?;
    let content = token.get("content").unwrap_or(token).as_str()?;
    Some(content.to_owned())
}

/// The same; if the settings do not say it, as the class has it.
pub(super) fn content_by(class: &str, keys: &Map<String, Value>, key: &str) -> Option<String> {
    let usual = || special(class).iter().find(|(named, _)| *named == key);
    content(keys, key).or_else(|| usual().map(|(_, token)| (*token).to_owned()))
}

/// The id of a token in the vocabulary of a model, or among the added tokens.
pub(super) fn id_in(json: &Value, token: &str) -> Option<usize> {
    let known = match &json["model"]["vocab"] {
        Value::Object(ids) => ids.get(token).and_then(Value::as_u64),
        // The place at which the tokenizer finds it: the last one.
        Value::Array(all) => {
            let place = all.iter().rposition(|piece| piece[0] == token);
            place.map(|place| place as u64)
        }
        _ => None,
    };
    let added = || {
        let mut added = json["added_tokens"].as_array().into_iter().flatten();
        added.find(|added| added["content"] == token)?["id"].as_u64()
    };
    usize::try_from(known.or_else(added)?).ok()
}

/// How two texts stand beside each other.
enum Pair {
    /// One end between them; the second text is in segment 1.
    Segments,
    /// Two ends between them, and one segment.
    Doubled,
}

/// The step with which a class puts special tokens around texts, by the ids of a vocabulary; none if the class
/// leaves it to the file.
///
/// # Errors
///
/// The token that the vocabulary does not have.
pub(super) fn framed(
    class: &str,
    keys: &Map<String, Value>,
    id: impl Fn(&str) -> Option<usize>,
) -> Result<Option<Value>, String> {
    let (ends, pair) = match class {
        "MPNetTokenizer" | "RobertaTokenizer" | "BartTokenizer" | "LongformerTokenizer" => {
            (["cls_token", "sep_token"], Pair::Doubled)
        }
        "XLMRobertaTokenizer" | "CamembertTokenizer" | "CLIPTokenizer" => {
            (["bos_token", "eos_token"], Pair::Doubled)
        }
        // One end between two texts, as the models were trained; transformers 5.24 puts two between those of
        // DeBERTa 1, transformers 4 did not.
        "T5Tokenizer" | "SiglipTokenizer" | "PegasusTokenizer" => {
            let end = content_by(class, keys, "eos_token").unwrap_or_default();
            let between: &[&str] = if class == "PegasusTokenizer" {
                &[]
            } else {
                &[&end]
            };
            return written([&[], between, &[&end]], id).map(Some);
        }
        "MBartTokenizer" | "MBart50Tokenizer" | "NllbTokenizer" => {
            let language = keys.get("src_lang").and_then(Value::as_str);
            let usual = if class == "NllbTokenizer" {
                "eng_Latn"
            } else {
                "en_XX"
            };
            let language = language.unwrap_or(usual);
            let end = content_by(class, keys, "eos_token").unwrap_or_default();
            let legacy = keys.get("legacy_behaviour").and_then(Value::as_bool) == Some(true);
            let behind = class == "MBartTokenizer" || (class == "NllbTokenizer" && legacy);
            return match behind {
                true => written([&[], &[], &[&end, language]], id),
                false => written([&[language], &[], &[&end]], id),
            }
            .map(Some);
        }
        "AlbertTokenizer" | "DebertaTokenizer" | "DebertaV2Tokenizer" => {
            (["cls_token", "sep_token"], Pair::Segments)
        }
        class if is_bert(class) => (["cls_token", "sep_token"], Pair::Segments),
        _ => return Ok(None),
    };
    let [start, end] = ends.map(|key| content_by(class, keys, key).unwrap_or_default());
    around([&start, &end], pair, id).map(Some)
}

/// The step that puts these tokens before a text, between two, and behind.
fn written(
    [before, between, behind]: [&[&str]; 3],
    id: impl Fn(&str) -> Option<usize>,
) -> Result<Value, String> {
    let token = |token: &&str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let text = |name: &str| [json!({"Sequence": {"id": name, "type_id": 0}})];
    let tokens = |tokens: &[&str]| tokens.iter().map(token).collect::<Vec<_>>();
    let [start, middle, end] = [before, between, behind].map(tokens);
    let single = [&start[..], &text("A"), &end].concat();
    let pair = [&start[..], &text("A"), &middle, &text("B"), &end].concat();
    let mut special = Map::new();
    for token in [before, between, behind].concat() {
        let id = id(token).ok_or_else(|| format!("the vocabulary has no {token}"))?;
        let defined = json!({"id": token, "ids": [id], "tokens": [token]});
        special.insert(token.to_owned(), defined);
    }
    Ok(json!({
        "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special
    }))
}

fn around(
    [start, end]: [&str; 2],
    pair: Pair,
    id: impl Fn(&str) -> Option<usize>,
) -> Result<Value, String> {
    let token =
        |token: &str, segment: usize| json!({"SpecialToken": {"id": token, "type_id": segment}});
    let text = |name: &str, segment: usize| json!({"Sequence": {"id": name, "type_id": segment}});
    let defined = |token: &str| {
        let id = id(token).ok_or_else(|| format!("the vocabulary has no {token}"))?;
        Ok::<_, String>(json!({"id": token, "ids": [id], "tokens": [token]}))
    };
    let single = vec![token(start, 0), text("A", 0), token(end, 0)];
    let second = match pair {
        Pair::Segments => vec![text("B", 1), token(end, 1)],
        Pair::Doubled => vec![token(end, 0), text("B", 0), token(end, 0)],
    };
    let pair = [single.clone(), second].concat();
    Ok(json!({
        "type": "TemplateProcessing",
        "pair": pair,
        "single": single,
        "special_tokens": {start: defined(start)?, end: defined(end)?}
    }))
}

/// The start and the end of a text, as `add_bos_token` and `add_eos_token` say: neither by default.
pub(super) fn ends(class: &str, json: &Value, keys: &Map<String, Value>) -> Result<Value, String> {
    let asked = |key: &str| keys.get(key).and_then(Value::as_bool) == Some(true);
    let mut special = Map::new();
    let mut named = |flag: &str, key: &str| {
        let Some(token) = content_by(class, keys, key).filter(|_| asked(flag)) else {
            return Ok(None);
        };
        let id = id_in(json, &token)
            .ok_or_else(|| format!("the vocabulary has no {token}, which `{key}` is"))?;
        let defined = json!({"id": token, "ids": [id], "tokens": [token]});
        special.insert(token.clone(), defined);
        Ok::<_, String>(Some(token))
    };
    let bos = named("add_bos_token", "bos_token")?;
    let eos = named("add_eos_token", "eos_token")?;
    let text = |name: &str, kind: usize| {
        let token = |token: &Option<String>| {
            let token = token.as_ref()?;
            Some(json!({"SpecialToken": {"id": token, "type_id": kind}}))
        };
        let text = json!({"Sequence": {"id": name, "type_id": kind}});
        let parts = [token(&bos), Some(text), token(&eos)];
        parts.into_iter().flatten().collect::<Vec<_>>()
    };
    let pair = [text("A", 0), text("B", 1)].concat();
    Ok(json!({
        "type": "TemplateProcessing", "single": text("A", 0), "pair": pair, "special_tokens": special
    }))
}
