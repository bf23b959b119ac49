//! Marian's tokenizer: a model of sentencepiece for each of two languages, and one vocabulary for both.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tokenizers::{Encoding, Tokenizer as Inner};

use super::frame::content_by;
use super::{Class, Settings, sentencepiece};

/// The class in `transformers`.
pub(super) const MARIAN: &str = "MarianTokenizer";

/// How texts of either language become pieces, and which token of the vocabulary each piece is.
#[derive(Clone, Debug)]
pub(super) struct Languages {
    source: Inner,
    target: Inner,
    vocabulary: HashMap<String, u32>,
    unknown: u32,
}

/// The two languages, and a `tokenizer.json` of their vocabulary alone.
pub(super) fn described(
    vocabulary: &str,
    [source, target]: [&[u8]; 2],
    settings: &Settings,
) -> Result<(Languages, Value), String> {
    let keys = &settings.keys;
    if keys.get("separate_vocabs").and_then(Value::as_bool) == Some(true) {
        return Err(
            "`separate_vocabs` is true; relprop reads one vocabulary for both languages".to_owned(),
        );
    }
    let vocabulary: HashMap<String, u32> =
        serde_json::from_str(vocabulary).map_err(|error| format!("vocab.json: {error}"))?;
    let named = |key: &str| content_by(MARIAN, keys, key).unwrap_or_default();
    let id = |token: &str| {
        let id = vocabulary.get(token).copied();
        id.ok_or_else(|| format!("the vocabulary has no {token}"))
    };
    let [end, unknown, padding] = ["eos_token", "unk_token", "pad_token"].map(named);
    let special: Map<String, Value> = [
        ("eos_token", &end),
        ("unk_token", &unknown),
        ("pad_token", &padding),
    ]
    .map(|(key, token)| (key.to_owned(), json!(token)))
    .into_iter()
    .collect();
    let pieces = |bytes: &[u8], name: &str| {
        let settings = Settings::new(special.clone());
        let (json, settings) = sentencepiece::described(bytes, Class::Plain, &settings)
            .map_err(|error| format!("{name}: {error}"))?;
        let inner = json.to_string().parse();
        let mut inner: Inner = inner.map_err(|error: tokenizers::Error| error.to_string())?;
        settings.add_tokens(&mut inner);
        Ok::<_, String>(inner)
    };
    let added = [&end, &unknown, &padding].map(|token| {
        Ok::<_, String>(json!({
            "id": id(token)?, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true
        }))
    });
    let added = added.into_iter().collect::<Result<Vec<_>, _>>()?;
    let text = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    let last = json!({"SpecialToken": {"id": end, "type_id": 0}});
    let json = json!({
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [text("A"), last],
            "pair": [text("A"), text("B"), last],
            "special_tokens": {end.clone(): {"id": end, "ids": [id(&end)?], "tokens": [end]}}
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown}
    });
    let languages = Languages {
        source: pieces(source, "source.spm")?,
        target: pieces(target, "target.spm")?,
        unknown: id(&unknown)?,
        vocabulary,
    };
    Ok((languages, json))
}

impl Languages {
    /// The tokens of a text in the language of sources, or of outputs. A code such as `>>fr<<` at its start is one token.
    pub(super) fn encode(&self, text: &str, output: bool) -> tokenizers::Result<Encoding> {
        let inner = if output { &self.target } else { &self.source };
        let code = text.starts_with(">>").then(|| text.find("<<")).flatten();
        let (code, rest) = text.split_at(code.map_or(0, |end| end + 2));
        let found = inner.encode_char_offsets(rest, false)?;
        let shift = code.chars().count();
        let first = (!code.is_empty()).then(|| (code.to_owned(), Some(0), (0, shift)));
        let words = found.get_word_ids().iter();
        let words = words.map(|word| word.map(|word| word + u32::from(shift > 0)));
        let offsets = found.get_offsets().iter();
        let offsets = offsets.map(|(start, end)| (start + shift, end + shift));
        let rest = found.get_tokens().iter().cloned().zip(words).zip(offsets);
        let rest = rest.map(|((token, word), offsets)| (token, word, offsets));
        let all: Vec<_> = first.into_iter().chain(rest).collect();
        let id = |token: &String| self.vocabulary.get(token).copied().unwrap_or(self.unknown);
        let count = all.len();
        Ok(Encoding::new(
            all.iter().map(|(token, ..)| id(token)).collect(),
            vec![0; count],
            all.iter().map(|(token, ..)| token.clone()).collect(),
            all.iter().map(|(_, word, _)| *word).collect(),
            all.iter().map(|(.., offsets)| *offsets).collect(),
            vec![0; count],
            vec![1; count],
            Vec::new(),
            Default::default(),
        ))
    }
}
