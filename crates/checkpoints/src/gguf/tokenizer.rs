//! The tokenizer that the metadata of a GGUF file describes.

use serde_json::{Map, Value, json};

use super::header::Header;
use crate::tokenizer::{Settings, Tokenizer};

/// How Llama 3's tokenizer cuts a text.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How Qwen2's does.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How a text is cut before pairs are merged.
enum Cut {
    /// By this pattern.
    By(&'static str),
    /// As GPT-2 does.
    Gpt2,
    /// As GPT-2 does, each digit by itself.
    Digits,
}

/// What llama.cpp calls the ways to cut a text, and whether a piece of the vocabulary is taken whole.
fn cut(name: &str) -> Option<(Cut, bool)> {
    match name {
        "llama3" | "llama-v3" | "llama-bpe" | "falcon3" => Some((Cut::By(LLAMA3), true)),
        "dbrx" | "smaug-bpe" => Some((Cut::By(LLAMA3), false)),
        "qwen2" | "deepseek-r1-qwen" | "megrez" => Some((Cut::By(QWEN2), false)),
        "gpt-2" | "phi-2" => Some((Cut::Gpt2, false)),
        "smollm" | "starcoder" | "refact" => Some((Cut::Digits, false)),
        _ => None,
    }
}

/// The kinds of tokens.
const CONTROL: f32 = 3.0;
const USER_DEFINED: f32 = 4.0;

/// A longer token is a damaged one, and takes long to put together.
const LONGEST: usize = 1024;

/// Special tokens, and the keys that have their numbers.
const SPECIAL: [(&str, &str); 7] = [
    ("bos_token", "tokenizer.ggml.bos_token_id"),
    ("eos_token", "tokenizer.ggml.eos_token_id"),
    ("unk_token", "tokenizer.ggml.unknown_token_id"),
    ("sep_token", "tokenizer.ggml.seperator_token_id"),
    ("pad_token", "tokenizer.ggml.padding_token_id"),
    ("cls_token", "tokenizer.ggml.cls_token_id"),
    ("mask_token", "tokenizer.ggml.mask_token_id"),
];

/// What the vocabulary is made of.
struct Vocabulary<'a> {
    tokens: &'a [String],
    kinds: &'a [f32],
    /// The settings beside it: its special tokens, none of which has a name by default.
    keys: Map<String, Value>,
}

/// Reads the tokenizer.
pub(super) fn read(header: &Header) -> Result<Tokenizer, String> {
    let key = "tokenizer.ggml.tokens";
    let tokens = header
        .texts(key)?
        .ok_or_else(|| format!("it has no `{key}`"))?;
    let kinds = header
        .numbers("tokenizer.ggml.token_type")?
        .unwrap_or_default();
    if !kinds.is_empty() && kinds.len() != tokens.len() {
        return Err("`tokenizer.ggml.token_type` is not as long as the vocabulary".to_owned());
    }
    if let Some(long) = tokens.iter().find(|token| token.len() > LONGEST) {
        return Err(format!("it has a token of {} bytes", long.len()));
    }
    let mut keys = Map::new();
    for (name, key) in SPECIAL {
        let token = match header.size(key)? {
            None => Value::Null,
            Some(id) => {
                let token = tokens.get(id);
                token
                    .ok_or_else(|| format!("`{key}` is {id}, which is no token"))?
                    .as_str()
                    .into()
            }
        };
        keys.insert(name.to_owned(), token);
    }
    let mut vocabulary = Vocabulary {
        tokens,
        kinds,
        keys,
    };
    match header.text("tokenizer.ggml.model")? {
        Some("gpt2") => {
            let json = vocabulary.pairs(header)?;
            Tokenizer::parse(&json.to_string(), &Settings::new(vocabulary.keys))
        }
        Some("llama") => {
            vocabulary.ends(header, true)?;
            vocabulary.pieces(header)
        }
        Some(other) => Err(format!(
            "`tokenizer.ggml.model` is `{other}`; relprop reads `gpt2` and `llama`"
        )),
        None => Err("it has no `tokenizer.ggml.model`".to_owned()),
    }
}

impl Vocabulary<'_> {
    /// Whether texts get a start and an end.
    fn ends(&mut self, header: &Header, start: bool) -> Result<(), String> {
        for (flag, default) in [("add_bos_token", start), ("add_eos_token", false)] {
            let asked = header
                .flag(&format!("tokenizer.ggml.{flag}"))?
                .unwrap_or(default);
            self.keys.insert(flag.to_owned(), asked.into());
        }
        Ok(())
    }

    fn kind(&self, id: usize) -> f32 {
        self.kinds.get(id).copied().unwrap_or(1.0)
    }

    /// A `tokenizer.json` of pairs of bytes.
    fn pairs(&mut self, header: &Header) -> Result<Value, String> {
        let key = "tokenizer.ggml.pre";
        let name = header.text(key)?.unwrap_or("default");
        let Some((way, whole)) = cut(name) else {
            return Err(format!(
                "`{key}` is `{name}`, and relprop does not know how it cuts a text; give the folder of the \
                 model that the file was made from"
            ));
        };
        self.ends(header, whole)?;
        let byte_level = |pattern: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": pattern});
        // As transformers has it for all who cut a text so.
        let normalizer = match way {
            Cut::By(QWEN2) => json!({"type": "NFC"}),
            _ => Value::Null,
        };
        let before = match way {
            Cut::Gpt2 => byte_level(true),
            Cut::Digits => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true}, byte_level(true)
            ]}),
            Cut::By(pattern) => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
                byte_level(false)
            ]}),
        };
        let key = "tokenizer.ggml.merges";
        let merges = header
            .texts(key)?
            .ok_or_else(|| format!("it has no `{key}`"))?;
        let vocabulary = self.tokens.iter().enumerate();
        let vocabulary: Map<String, Value> = vocabulary
            .map(|(id, token)| (token.clone(), id.into()))
            .collect();
        let mut processors = vec![
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        ];
        processors.extend(self.template(&vocabulary));
        let added = self.tokens.iter().enumerate().filter_map(|(id, token)| {
            let kind = self.kind(id);
            let added = json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": kind == CONTROL
            });
            (kind == CONTROL || kind == USER_DEFINED).then_some(added)
        });
        let added: Vec<Value> = added.collect();
        Ok(json!({
            "added_tokens": added,
            "normalizer": normalizer,
            "pre_tokenizer": before,
            "post_processor": {"type": "Sequence", "processors": processors},
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges, "ignore_merges": whole}
        }))
    }

    /// What puts a start and an end around a text, if either is asked for.
    fn template(&self, vocabulary: &Map<String, Value>) -> Option<Value> {
        let token = |flag: &str, key: &str| {
            let asked = self.keys.get(flag) == Some(&Value::Bool(true));
            self.keys.get(key)?.as_str().filter(|_| asked)
        };
        let start = token("add_bos_token", "bos_token");
        let end = token("add_eos_token", "eos_token");
        let parts = |name: &str, kind: usize| {
            let special = |token: &str| json!({"SpecialToken": {"id": token, "type_id": kind}});
            let text = json!({"Sequence": {"id": name, "type_id": kind}});
            let parts = [start.map(special), Some(text), end.map(special)];
            parts.into_iter().flatten().collect::<Vec<_>>()
        };
        let special = start.into_iter().chain(end).map(|token| {
            let defined = json!({"id": token, "ids": [vocabulary[token]], "tokens": [token]});
            (token.to_owned(), defined)
        });
        let special: Map<String, Value> = special.collect();
        let pair = [parts("A", 0), parts("B", 1)].concat();
        (!special.is_empty()).then(|| {
            json!({
                "type": "TemplateProcessing", "single": parts("A", 0),
                "pair": pair, "special_tokens": special
            })
        })
    }

    /// A tokenizer of sentencepiece's pieces.
    fn pieces(self, header: &Header) -> Result<Tokenizer, String> {
        let key = "tokenizer.ggml.scores";
        let scores = header
            .numbers(key)?
            .ok_or_else(|| format!("it has no `{key}`"))?;
        if scores.len() != self.tokens.len() {
            return Err(format!("`{key}` is not as long as the vocabulary"));
        }
        let space = header
            .flag("tokenizer.ggml.add_space_prefix")?
            .unwrap_or(true);
        let pieces = self.tokens.iter().zip(scores).enumerate();
        let pieces =
            pieces.map(|(id, (token, score))| (token.clone(), *score, self.kind(id) as u64));
        let pieces = pieces.collect();
        let unknown = header.size("tokenizer.ggml.unknown_token_id")?.unwrap_or(0);
        Tokenizer::of_pieces(pieces, unknown, space, &Settings::new(self.keys))
    }
}
