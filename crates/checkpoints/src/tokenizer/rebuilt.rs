//! Classes that take the vocabulary of a `tokenizer.json` and build the rest by themselves, whatever the file
//! says of it, as `transformers` 5 has them.

use serde_json::{Map, Value, json};

use super::class::is_bert;
use super::frame::{content_by, ends, framed, id_in};

/// How Qwen2's tokenizer cuts a text.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How CLIP's tokenizer cuts a text.
const CLIP: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Metaspace, which spells a space as `▁` and puts one before a text.
pub(super) fn metaspace(scheme: &str, split: bool) -> Value {
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split})
}

/// Whether a space goes before a text, if it is not said.
pub(super) fn prefix(keys: &Map<String, Value>, default: bool) -> bool {
    let stated = keys.get("add_prefix_space").and_then(Value::as_bool);
    stated.unwrap_or(default)
}

/// What XLM-RoBERTa's and CamemBERT's tokenizers do before they look for pieces.
pub(super) fn words_of_pieces(keys: &Map<String, Value>) -> Value {
    let scheme = if prefix(keys, true) {
        "always"
    } else {
        "never"
    };
    json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace(scheme, true)]})
}

/// What Llama's tokenizer does before it looks for pieces.
pub(super) fn words_of_llama(keys: &Map<String, Value>) -> Value {
    let legacy = keys.get("legacy").and_then(Value::as_bool) == Some(true);
    metaspace(
        match (prefix(keys, true), legacy) {
            (false, _) => "never",
            (true, true) => "always",
            (true, false) => "first",
        },
        false,
    )
}

/// What Gemma's tokenizer does before it looks for pieces.
pub(super) fn words_of_gemma() -> [Value; 2] {
    [
        json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
        json!({
            "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false
        }),
    ]
}

/// What SigLIP's tokenizer does with the letters of a text: it puts a space first, and takes off capitals, punctuation and what
/// is more than one space.
pub(super) fn letters_of_siglip(charsmap: Value, keys: &Map<String, Value>) -> Value {
    let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
    let mut steps = vec![
        replace(json!({"String": "▁"}), " "),
        json!({"type": "Prepend", "prepend": "▁"}),
    ];
    if keys.get("do_lower_case").and_then(Value::as_bool) != Some(false) {
        steps.push(json!({"type": "Lowercase"}));
    }
    steps.extend([
        replace(json!({"Regex": r"[!-/:-@\[-`{-~]"}), ""),
        replace(json!({"Regex": r"\s+"}), " "),
        json!({"type": "Strip", "strip_left": true, "strip_right": true}),
    ]);
    steps.extend((!charsmap.is_null()).then_some(charsmap));
    json!({"type": "Sequence", "normalizers": steps})
}

/// What ALBERT's tokenizer does with the letters of a text.
pub(super) fn letters_of_albert(charsmap: Value, keys: &Map<String, Value>) -> Value {
    let flag = |key: &str, default: bool| keys.get(key).and_then(Value::as_bool).unwrap_or(default);
    let quotes =
        |quotes: &str| json!({"type": "Replace", "pattern": {"String": quotes}, "content": "\""});
    let mut steps = vec![quotes("``"), quotes("''")];
    if !flag("keep_accents", false) {
        steps.extend([json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
    }
    if flag("do_lower_case", true) {
        steps.push(json!({"type": "Lowercase"}));
    }
    steps.extend((!charsmap.is_null()).then_some(charsmap));
    json!({"type": "Sequence", "normalizers": steps})
}

/// What the tokenizer of DeBERTa 2 and 3 does before it looks for pieces: with the letters of a text, and with
/// its words.
pub(super) fn before_deberta(keys: &Map<String, Value>) -> [Value; 2] {
    let flag = |key: &str| keys.get(key).and_then(Value::as_bool) == Some(true);
    let lower = flag("do_lower_case").then(|| json!({"type": "Lowercase"}));
    let spaces = json!({"Regex": r"\s{2,}|[\n\r\t]"});
    let letters = lower.into_iter().chain([
        json!({"type": "Replace", "pattern": spaces, "content": " "}),
        json!({"type": "NFC"}),
        json!({"type": "Strip", "strip_left": false, "strip_right": true}),
    ]);
    let signs =
        flag("split_by_punct").then(|| json!({"type": "Punctuation", "behavior": "Isolated"}));
    let scheme = if prefix(keys, true) {
        "always"
    } else {
        "first"
    };
    let words = signs.into_iter().chain([metaspace(scheme, true)]);
    [
        json!({"type": "Sequence", "normalizers": letters.collect::<Vec<_>>()}),
        json!({"type": "Sequence", "pretokenizers": words.collect::<Vec<_>>()}),
    ]
}

/// Which piece stands for what has none, in DeBERTa 2 and 3: that of `unk_token`, if its score is zero.
pub(super) fn unknown_of_deberta(vocabulary: &[Value], unknown: &str, otherwise: u64) -> u64 {
    let is_it = |piece: &Value| piece[0] == unknown && piece[1].as_f64() == Some(0.0);
    let place = vocabulary.iter().position(is_it);
    place.map_or(otherwise, |place| place as u64)
}

/// Builds anew what this class builds by itself.
pub(super) fn rebuild(json: &mut Value, class: &str, keys: &Map<String, Value>) {
    let pairs = json["model"]["merges"].is_array();
    let pieces = json["model"]["vocab"].is_array();
    // ALBERT's takes the file's step, if it has one.
    let left = class == "AlbertTokenizer" && !json["post_processor"].is_null();
    if let (false, Ok(Some(step))) = (left, framed(class, keys, |token| id_in(json, token))) {
        json["post_processor"] = step;
    }
    match class {
        class if is_bert(class) && !pairs && !pieces => {
            let unknown = content_by(class, keys, "unk_token");
            let model = &mut json["model"];
            model["unk_token"] = unknown.unwrap_or_else(|| "[UNK]".to_owned()).into();
            model["type"] = "WordPiece".into();
            model["continuing_subword_prefix"] = "##".into();
            model["max_input_chars_per_word"] = 100.into();
            let flag = |key: &str| keys.get(key).and_then(Value::as_bool);
            json["normalizer"] = json!({
                "type": "BertNormalizer",
                "clean_text": true,
                "handle_chinese_chars": flag("tokenize_chinese_chars").unwrap_or(true),
                "strip_accents": flag("strip_accents"),
                "lowercase": flag("do_lower_case").unwrap_or(true),
            });
            json["pre_tokenizer"] = json!({"type": "BertPreTokenizer"});
        }
        "AlbertTokenizer" if pieces => {
            json["normalizer"] = letters_of_albert(charsmap(&json["normalizer"]), keys);
            json["pre_tokenizer"] = words_of_pieces(keys);
            json["model"]["byte_fallback"] = false.into();
            json["model"]["unk_id"] = 1.into();
        }
        "SiglipTokenizer" if pieces => {
            json["normalizer"] = letters_of_siglip(charsmap(&json["normalizer"]), keys);
            json["pre_tokenizer"] = metaspace("never", true);
            json["model"]["byte_fallback"] = false.into();
        }
        "DebertaV2Tokenizer" if pieces => {
            [json["normalizer"], json["pre_tokenizer"]] = before_deberta(keys);
            let unknown = content_by(class, keys, "unk_token").unwrap_or_default();
            let otherwise = keys.get("unk_id").and_then(Value::as_u64).unwrap_or(1);
            let model = &mut json["model"];
            let all = model["vocab"].as_array().map_or(&[][..], Vec::as_slice);
            model["unk_id"] = unknown_of_deberta(all, &unknown, otherwise).into();
            model["byte_fallback"] = false.into();
        }
        "GPTNeoXTokenizer" if pairs => {
            json["normalizer"] = json!({"type": "NFC"});
            json["pre_tokenizer"] = byte_level(prefix(keys, false), true);
            if let Ok(step) = ends(class, json, keys) {
                json["post_processor"] = step;
            }
            merging(&mut json["model"], false);
        }
        "XLMRobertaTokenizer" | "CamembertTokenizer" if pieces => {
            json["normalizer"] = charsmap(&json["normalizer"]);
            json["pre_tokenizer"] = words_of_pieces(keys);
            json["model"]["byte_fallback"] = false.into();
            if class == "XLMRobertaTokenizer" {
                json["model"]["unk_id"] = 3.into();
            }
        }
        "T5Tokenizer" | "MBartTokenizer" if pieces => {
            json["normalizer"] = match class {
                "T5Tokenizer" => charsmap(&json["normalizer"]),
                _ => Value::Null,
            };
            json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
                {"type": "WhitespaceSplit"}, metaspace("always", true),
            ]});
            json["model"]["byte_fallback"] = false.into();
            json["model"]["unk_id"] = if class == "T5Tokenizer" { 2 } else { 3 }.into();
        }
        "MBart50Tokenizer" | "PegasusTokenizer" if pieces => {
            let replace =
                |pattern: Value| json!({"type": "Replace", "pattern": pattern, "content": " "});
            let map = charsmap(&json["normalizer"]);
            let first = match class {
                "PegasusTokenizer" if map.is_null() => replace(json!({"Regex": r"\n"})),
                _ => map,
            };
            let steps = [first, replace(json!({"Regex": " {2,}"}))];
            let steps: Vec<Value> = steps.into_iter().filter(|step| !step.is_null()).collect();
            json["normalizer"] = json!({"type": "Sequence", "normalizers": steps});
            json["pre_tokenizer"] = metaspace("always", true);
            json["model"]["byte_fallback"] = false.into();
            if class == "MBart50Tokenizer" {
                json["model"]["unk_id"] = 3.into();
            }
        }
        "NllbTokenizer" if pairs => {
            let map = charsmap(&json["normalizer"]);
            let spaces = json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "});
            json["normalizer"] = match map.is_null() {
                true => Value::Null,
                false => json!({"type": "Sequence", "normalizers": [map, spaces]}),
            };
            json["pre_tokenizer"] = metaspace("always", true);
            merging(&mut json["model"], false);
            json["model"]["fuse_unk"] = true.into();
        }
        "LlamaTokenizer" if pairs => {
            json["normalizer"] = Value::Null;
            json["pre_tokenizer"] = words_of_llama(keys);
            merging(&mut json["model"], true);
            json["model"]["unk_token"] = Value::Null;
        }
        "GemmaTokenizer" if pairs => {
            [json["normalizer"], json["pre_tokenizer"]] = words_of_gemma();
            merging(&mut json["model"], true);
        }
        "CLIPTokenizer" if pairs => {
            json["normalizer"] = json!({"type": "Sequence", "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ]});
            json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": CLIP}, "behavior": "Removed", "invert": true},
                byte_level(false, true),
            ]});
            let model = &mut json["model"];
            merging(model, false);
            model["end_of_word_suffix"] = "</w>".into();
            model["unk_token"] = content_by(class, keys, "unk_token").into();
        }
        "Qwen2Tokenizer" if pairs => {
            json["normalizer"] = json!({"type": "NFC"});
            json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": false},
                byte_level(prefix(keys, false), false),
            ]});
            merging(&mut json["model"], false);
        }
        "GPT2Tokenizer"
        | "CodeGenTokenizer"
        | "DebertaTokenizer"
        | "RobertaTokenizer"
        | "BartTokenizer"
        | "LongformerTokenizer"
            if pairs =>
        {
            json["normalizer"] = Value::Null;
            json["pre_tokenizer"] = byte_level(prefix(keys, false), true);
            merging(&mut json["model"], false);
        }
        _ => {}
    }
}

fn byte_level(prefix: bool, pattern: bool) -> Value {
    json!({
        "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": pattern
    })
}

/// How pieces are merged, where pieces that are unknown are bytes or nothing.
fn merging(model: &mut Value, bytes: bool) {
    model["fuse_unk"] = bytes.into();
    model["byte_fallback"] = bytes.into();
    model["ignore_merges"] = false.into();
    model["continuing_subword_prefix"] = Value::Null;
    model["end_of_word_suffix"] = Value::Null;
}

/// The table of characters among the steps of a normalizer.
fn charsmap(normalizer: &Value) -> Value {
    let steps = normalizer["normalizers"].as_array();
    let mut steps = steps.into_iter().flatten().chain([normalizer]);
    let found = steps.find(|step| step["type"] == "Precompiled");
    found.cloned().unwrap_or(Value::Null)
}

/// Whether the text is cut into words whose bytes are spelled.
pub(super) fn spells_bytes(before: &Value) -> bool {
    let steps = before["pretokenizers"].as_array();
    let mut steps = steps.into_iter().flatten().chain([before]);
    steps.any(|step| step["type"] == "ByteLevel")
}
