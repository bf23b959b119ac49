//! The tokenizers of sentencepiece, from the `.model` file that older folders have instead of
//! `tokenizer.json`.
//!
//! What becomes of the file depends on the class, as `transformers` 5 has it: ALBERT's, CamemBERT's,
//! DeBERTa's, Gemma's, Llama's and XLM-RoBERTa's build their tokenizer from its vocabulary; any other is built
//! as the file itself says.

mod plain;
mod proto;
mod vocabulary;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::class::GENERIC;
use super::frame::{content_by, ends, framed};
use super::rebuilt::{
    before_deberta, letters_of_albert, letters_of_siglip, metaspace, unknown_of_deberta,
    words_of_gemma, words_of_llama, words_of_pieces,
};
use super::settings::Settings;
use plain::plain;
use proto::{CONTROL, Model, USER_DEFINED};
use vocabulary::{Pieces, bpe, merges, sentinels, unigram_model, vocabulary};

/// Who builds the tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Albert,
    Camembert,
    Deberta,
    Gemma,
    Llama,
    Siglip,
    T5,
    XlmRoberta,
    /// The file alone.
    Plain,
}

impl Class {
    /// Who builds the tokenizer, if the files name this class, or none.
    pub(crate) fn of(class: Option<&str>) -> Option<Self> {
        match class {
            Some("AlbertTokenizer") => Some(Self::Albert),
            Some("DebertaV2Tokenizer") => Some(Self::Deberta),
            Some("XLMRobertaTokenizer") => Some(Self::XlmRoberta),
            Some("CamembertTokenizer") => Some(Self::Camembert),
            Some("LlamaTokenizer") => Some(Self::Llama),
            Some("GemmaTokenizer") => Some(Self::Gemma),
            Some("SiglipTokenizer") => Some(Self::Siglip),
            Some("T5Tokenizer") => Some(Self::T5),
            Some("PreTrainedTokenizer" | "TokenizersBackend") | None => Some(Self::Plain),
            Some(_) => None,
        }
    }

    /// The files that such a tokenizer is read from, the first that is there.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            Self::Siglip => &["spiece.model"],
            Self::Albert | Self::T5 => &["tokenizer.model", "spiece.model"],
            Self::Deberta => &["tokenizer.model", "spm.model"],
            Self::XlmRoberta | Self::Camembert => &["tokenizer.model", "sentencepiece.bpe.model"],
            Self::Llama | Self::Gemma | Self::Plain => &["tokenizer.model"],
        }
    }

    /// What transformers calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Albert => "AlbertTokenizer",
            Self::Deberta => "DebertaV2Tokenizer",
            Self::XlmRoberta => "XLMRobertaTokenizer",
            Self::Camembert => "CamembertTokenizer",
            Self::Llama => "LlamaTokenizer",
            Self::Gemma => "GemmaTokenizer",
            Self::Siglip => "SiglipTokenizer",
            Self::T5 => "T5Tokenizer",
            Self::Plain => GENERIC,
        }
    }
}

/// A `tokenizer.json` that says the same, and the settings that then count beside it.
pub(super) fn described(
    bytes: &[u8],
    class: Class,
    settings: &Settings,
) -> Result<(Value, Settings), String> {
    of_model(&Model::read(bytes)?, class, settings)
}

/// The same for pieces that merge by their scores.
pub(super) fn of_pieces(
    pieces: Vec<(String, f32, u64)>,
    unknown: usize,
    space: bool,
    settings: &Settings,
) -> Result<(Value, Settings), String> {
    let model = Model::of_pieces(pieces, unknown, space)?;
    of_model(&model, Class::Plain, settings)
}

fn of_model(model: &Model, class: Class, settings: &Settings) -> Result<(Value, Settings), String> {
    let mut settings = settings.clone();
    let keys = &mut settings.keys;
    if class == Class::Camembert && keys.get("mask_token").is_none_or(Value::is_null) {
        let mask = json!({"content": "<mask>", "lstrip": true, "special": true});
        keys.insert("mask_token".to_owned(), mask);
    }
    if class == Class::T5 && !keys.contains_key("additional_special_tokens") {
        keys.insert(
            "additional_special_tokens".to_owned(),
            sentinels(keys).into(),
        );
    }
    if class == Class::Plain {
        for (key, (id, piece)) in [
            ("bos_token", &model.start),
            ("eos_token", &model.end),
            ("unk_token", &model.unknown),
        ] {
            if *id >= 0 && !keys.contains_key(key) {
                keys.insert(key.to_owned(), piece.clone().into());
            }
        }
        if model.add_dummy_prefix {
            not_normalized(keys);
        }
    }
    let added: Vec<Value> = model
        .pieces
        .iter()
        .filter(|piece| {
            let user = piece.kind == USER_DEFINED && class != Class::Plain;
            piece.kind == CONTROL || user
        })
        .map(|piece| {
            json!({"content": piece.text, "special": piece.kind == CONTROL, "normalized": false})
        })
        .collect();
    // Where the settings name more special tokens, those of the file are not among them.
    let named = ["additional_special_tokens", "extra_special_tokens"].iter();
    let mut named = named.filter_map(|key| keys.get(*key)?.as_array());
    if class == Class::Plain || named.all(Vec::is_empty) {
        keys.insert("additional_special_tokens".to_owned(), added.into());
    }
    let vocabulary = vocabulary(model, class, keys)?;
    let mut json = match class {
        Class::Albert => albert(model, &vocabulary, keys),
        Class::Deberta => deberta(model, &vocabulary, keys),
        Class::XlmRoberta | Class::Camembert | Class::T5 => {
            unigram(model, &vocabulary, class, keys)
        }
        Class::Siglip => siglip(model, &vocabulary, keys),
        Class::Llama => llama(&vocabulary, keys),
        Class::Gemma => gemma(&vocabulary, keys),
        Class::Plain => plain(model, &vocabulary, keys),
    };
    // The place at which the tokenizer finds a token: the last one.
    let place = |token: &str| vocabulary.iter().rposition(|(text, _)| text == token);
    json["post_processor"] = match framed(class.name(), keys, place)? {
        Some(step) => step,
        None => ends(class.name(), &json, keys)?,
    };
    // What is added has its place in the vocabulary; what is not in it comes behind.
    json["added_tokens"] = json!([]);
    json["decoder"] = json!({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"},
    ]});
    Ok((json, settings))
}

/// Added tokens are looked for in the text as it stands.
fn not_normalized(keys: &mut Map<String, Value>) {
    let decoder = keys.get_mut("added_tokens_decoder");
    for token in decoder
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|tokens| tokens.values_mut())
        .filter(|token| token.is_object())
    {
        token["normalized"] = false.into();
    }
}

fn charsmap(model: &Model) -> Option<Value> {
    let map = (!model.charsmap.is_empty()).then(|| STANDARD.encode(&model.charsmap))?;
    Some(json!({"type": "Precompiled", "precompiled_charsmap": map}))
}

fn albert(model: &Model, all: &Pieces, keys: &Map<String, Value>) -> Value {
    json!({
         "normalizer": letters_of_albert(charsmap(model).unwrap_or_default(), keys),
         "pre_tokenizer": words_of_pieces(keys),
         "model": unigram_model(all, 1, false)
    })
}

fn siglip(model: &Model, all: &Pieces, keys: &Map<String, Value>) -> Value {
    let unknown = usize::try_from(model.unknown.0).unwrap_or_default();
    json!({
         "normalizer": letters_of_siglip(charsmap(model).unwrap_or_default(), keys),
         "pre_tokenizer": metaspace("never", true),
         "model": unigram_model(all, unknown, false)
    })
}

fn deberta(model: &Model, all: &Pieces, keys: &Map<String, Value>) -> Value {
    let [letters, words] = before_deberta(keys);
    let mut engine = unigram_model(all, 0, false);
    let pieces = engine["vocab"].as_array().map_or(&[][..], Vec::as_slice);
    let unknown = content_by(Class::Deberta.name(), keys, "unk_token").unwrap_or_default();
    let otherwise = u64::try_from(model.unknown.0).unwrap_or_default();
    engine["unk_id"] = unknown_of_deberta(pieces, &unknown, otherwise).into();
    json!({
         "normalizer": letters,
         "pre_tokenizer": words,
         "model": engine
    })
}

fn unigram(model: &Model, all: &Pieces, class: Class, keys: &Map<String, Value>) -> Value {
    let named = |key| content_by(class.name(), keys, key).unwrap_or_default();
    let unknown = match class {
        Class::Camembert => {
            let unknown = named("unk_token");
            all.iter()
                .position(|(text, _)| *text == unknown)
                .unwrap_or(0)
        }
        Class::T5 => 2,
        _ => 3,
    };
    json!({
         "normalizer": charsmap(model),
         "pre_tokenizer": words_of_pieces(keys),
         "model": unigram_model(all, unknown, false)
    })
}

fn llama(all: &Pieces, keys: &Map<String, Value>) -> Value {
    json!({
        "normalizer": null,
        "pre_tokenizer": words_of_llama(keys),
        "model": bpe(all, merges(all), None)
    })
}

fn gemma(all: &Pieces, keys: &Map<String, Value>) -> Value {
    let [normalizer, before] = words_of_gemma();
    json!({
        "normalizer": normalizer,
        "pre_tokenizer": before,
        "model": bpe(all, merges(all), content_by(Class::Gemma.name(), keys, "unk_token"))
    })
}
