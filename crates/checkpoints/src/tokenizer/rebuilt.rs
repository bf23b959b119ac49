//! Classes that take the vocabulary of a `tokenizer.json` and build the rest by themselves, whatever the file
//! says of it, as `transformers` 5 has them.

use serde_json::{Map, Value, json};

/// How Qwen2's tokenizer cuts a text.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The class that a model of this type has where no file names one, if its kind has one of its own.
pub(super) fn class_of(model: &str) -> Option<&'static str> {
    match model {
        "bert" | "distilbert" | "electra" => Some("BertTokenizer"),
        "roberta" => Some("RobertaTokenizer"),
        "xlm-roberta" => Some("XLMRobertaTokenizer"),
        "camembert" => Some("CamembertTokenizer"),
        "gpt2" => Some("GPT2Tokenizer"),
        "gemma" => Some("GemmaTokenizer"),
        "qwen2" | "qwen3" => Some("Qwen2Tokenizer"),
        _ => None,
    }
}

/// The special tokens that a class has where the settings do not name them.
pub(super) fn special(class: &str) -> &'static [(&'static str, &'static str)] {
    match class {
        "XLMRobertaTokenizer"
        | "CamembertTokenizer"
        | "RobertaTokenizer"
        | "BartTokenizer"
        | "LongformerTokenizer" => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        "LlamaTokenizer" => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
        ],
        "GemmaTokenizer" => &[
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        "GPT2Tokenizer" => &[
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
        ],
        "Qwen2Tokenizer" => &[
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        "BertTokenizer" => &[
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        _ => &[],
    }
}

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

/// Builds anew what this class builds by itself.
pub(super) fn rebuild(json: &mut Value, class: &str, keys: &Map<String, Value>) {
    let pairs = json["model"]["merges"].is_array();
    let pieces = json["model"]["vocab"].is_array();
    match class {
        "XLMRobertaTokenizer" | "CamembertTokenizer" if pieces => {
            json["normalizer"] = charsmap(&json["normalizer"]);
            json["pre_tokenizer"] = words_of_pieces(keys);
            json["model"]["byte_fallback"] = false.into();
            if class == "XLMRobertaTokenizer" {
                json["model"]["unk_id"] = 3.into();
            }
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
        "Qwen2Tokenizer" if pairs => {
            json["normalizer"] = json!({"type": "NFC"});
            json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": false},
                byte_level(prefix(keys, false), false),
            ]});
            merging(&mut json["model"], false);
        }
        "GPT2Tokenizer" | "RobertaTokenizer" | "BartTokenizer" | "LongformerTokenizer" if pairs => {
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
