//! The settings beside the file of a tokenizer: `tokenizer_config.json`, `special_tokens_map.json`
//! and `added_tokens.json`.
//!
//! They are read as `transformers` 5 reads them. A class that builds its tokenizer from settings, such as
//! BERT's, does so here, whatever `tokenizer.json` says; other classes take that file as it is.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use tokenizers::{AddedToken, Tokenizer as Inner};

use super::class::{self, GENERIC, counted, special};
use super::frame::{content, content_by};
use super::rebuilt::{rebuild, spells_bytes};

/// The names that a text's special tokens have.
const SPECIAL: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Where further special tokens are named.
const MORE: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// The settings of a tokenizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `tokenizer_config.json`, and what `special_tokens_map.json` says of the same keys.
    pub(super) keys: Map<String, Value>,
    /// `added_tokens.json`: ids of tokens.
    added: Map<String, Value>,
    /// The class is that of the model's type, and no file names it.
    inferred: bool,
}

/// How texts are read, apart from how they are split.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// The most tokens that a text may have, special ones included.
    pub(super) longest: Option<usize>,
    /// Texts that are too long are cut at the start.
    pub(super) cut_at_start: bool,
    /// Both texts of a pair are in segment 0.
    pub(super) one_segment: bool,
    /// The token that stands for one that is to be found.
    pub(super) mask: Option<String>,
    /// The token that fills texts.
    pub(super) padding: Option<String>,
    /// It stands before a text, and not after it.
    pub(super) pads_at_start: bool,
}

impl Settings {
    /// Settings of `tokenizer_config.json` alone.
    pub(crate) fn new(keys: Map<String, Value>) -> Self {
        Self {
            keys,
            added: Map::new(),
            inferred: false,
        }
    }

    /// The same with `special_tokens_map.json` and `added_tokens.json`, which count where
    /// `tokenizer_config.json` says nothing of added tokens.
    pub(crate) fn with(
        mut self,
        special: Option<Map<String, Value>>,
        added: Option<Map<String, Value>>,
    ) -> Self {
        if !self.keys.contains_key("added_tokens_decoder") {
            self.keys.extend(special.unwrap_or_default());
            self.added = added.unwrap_or_default();
        }
        self
    }

    /// The tokenizer's class, without the `Fast` of older folders.
    pub(crate) fn class(&self) -> Option<&str> {
        let class = self.keys.get("tokenizer_class")?.as_str()?;
        Some(class.strip_suffix("Fast").unwrap_or(class))
    }

    /// The same settings; if they name no class, with the class of `config.json`.
    pub(crate) fn or_class(mut self, class: Option<&str>) -> Self {
        if let (None, Some(class)) = (self.class(), class) {
            self.keys.insert("tokenizer_class".to_owned(), class.into());
        }
        self
    }

    /// The same as they count for a model of this type: it may have a class of its own, where none is named or
    /// whichever is.
    pub(crate) fn for_model(mut self, model: &str) -> Self {
        let class = counted(model, self.class()).map(str::to_owned);
        if let Some(class) = class {
            self.inferred = self.class().is_none();
            self.keys.insert("tokenizer_class".to_owned(), class.into());
        }
        self
    }

    /// The same as they count beside this `tokenizer.json`. Folders of Llama 3 name the class of Llama 2, which
    /// knows no vocabulary that spells bytes.
    pub(super) fn for_file(mut self, json: &Value) -> Self {
        if self.class() == Some("LlamaTokenizer") && spells_bytes(&json["pre_tokenizer"]) {
            let class = GENERIC;
            self.keys.insert("tokenizer_class".to_owned(), class.into());
        }
        // A file that BERT's class did not write stands as it is, where nobody says that it did.
        if self.inferred && self.is_bert() && json["normalizer"]["type"] != "BertNormalizer" {
            self.keys.remove("tokenizer_class");
        }
        // Beside a file, `transformers` does not look at these.
        self.keys.remove("add_bos_token");
        self.keys.remove("add_eos_token");
        self
    }

    /// `tokenizer_config.json`, and what `special_tokens_map.json` says of the same keys.
    pub(crate) fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    /// The special tokens that have names, as texts: `bos_token` and the like. Some classes have them without
    /// being told.
    pub(crate) fn named_tokens(&self) -> Map<String, Value> {
        let usual = special(self.class().unwrap_or_default());
        let usual = usual.iter().map(|(name, token)| (*name, json!(token)));
        let named = SPECIAL.iter().filter_map(|name| {
            let token = self.keys.get(*name)?;
            let content = token.get("content").unwrap_or(token);
            content.is_string().then(|| (*name, content.clone()))
        });
        let tokens = usual.chain(named);
        tokens
            .map(|(name, token)| (name.to_owned(), token))
            .collect()
    }

    pub(crate) fn is_bert(&self) -> bool {
        self.class().is_some_and(class::is_bert)
    }

    pub(crate) fn is_byte_level(&self) -> bool {
        self.class().is_some_and(class::is_byte_level)
    }

    /// Refuses a class that splits texts by rules of its own.
    pub(crate) fn known(&self) -> Result<(), String> {
        match self.class() {
            Some(class) if class::is_python(class) => Err(self.unknown()),
            _ => Ok(()),
        }
    }

    /// The message for a class that is not understood.
    pub(crate) fn unknown(&self) -> String {
        format!(
            "`tokenizer_class` is {}, and relprop does not know how it splits texts by this file",
            self.class().unwrap_or("not said")
        )
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.keys.get(key).and_then(Value::as_bool)
    }

    /// Applies the settings to a `tokenizer.json`.
    pub(super) fn apply(&self, json: &mut Value) {
        // Dropout is for training.
        if json["model"]["dropout"].is_number() {
            json["model"]["dropout"] = Value::Null;
        }
        let normalizer = &mut json["normalizer"];
        if normalizer["type"] == "BertNormalizer" && self.class().is_none() {
            for (key, name) in [
                ("tokenize_chinese_chars", "handle_chinese_chars"),
                ("strip_accents", "strip_accents"),
                ("do_lower_case", "lowercase"),
            ] {
                if let Some(flag) = self.flag(key) {
                    normalizer[name] = flag.into();
                }
            }
        }
        if let Some(class) = self.class() {
            rebuild(json, class, &self.keys);
        }
    }

    /// Adds the tokens that the settings name and the tokenizer does not have.
    pub(super) fn add_tokens(&self, inner: &mut Inner) {
        let decoder = self
            .keys
            .get("added_tokens_decoder")
            .and_then(Value::as_object);
        let mut added: Vec<(u64, AddedToken)> = decoder
            .into_iter()
            .flatten()
            .filter_map(|(id, token)| Some((id.parse().ok()?, added_token(token, None)?)))
            .collect();
        let named: Vec<AddedToken> = self.special_tokens();
        for (token, id) in &self.added {
            let special = named.iter().any(|named| named.content == *token);
            let token = AddedToken::from(token.clone(), special).normalized(!self.states(token));
            added.extend(id.as_u64().map(|id| (id, token)));
        }
        added.sort_by_key(|(id, _)| *id);
        let known = inner.get_added_tokens_decoder();
        let known = |token: &AddedToken| known.values().any(|k| k.content == token.content);
        let added = added.into_iter().map(|(_, token)| token).chain(named);
        // What is said first of a token counts.
        let mut said = HashSet::new();
        let new = |token: &AddedToken| !known(token) && said.insert(token.content.clone());
        let added: Vec<AddedToken> = added.filter(new).collect();
        for token in added {
            match token.special {
                true => inner.add_special_tokens(&[token]),
                false => inner.add_tokens(&[token]),
            };
        }
        if self.flag("split_special_tokens") == Some(true) {
            inner.set_encode_special_tokens(true);
        }
    }

    /// Whether the settings name this special token; the class may as well.
    fn states(&self, token: &str) -> bool {
        let named = SPECIAL.iter().filter_map(|key| self.keys.get(*key));
        let more = MORE
            .iter()
            .filter_map(|key| self.keys.get(*key)?.as_array());
        let mut all = named.chain(more.flatten());
        all.any(|named| named.get("content").unwrap_or(named) == token)
    }

    /// The special tokens that the settings or the class name.
    fn special_tokens(&self) -> Vec<AddedToken> {
        let defaults: Vec<(&str, Value)> = special(self.class().unwrap_or_default())
            .iter()
            .map(|(key, token)| (*key, Value::from(*token)))
            .collect();
        let named = SPECIAL.iter().filter_map(|key| {
            let default = || defaults.iter().find(|(named, _)| named == key);
            (self.keys.get(*key)).or_else(|| default().map(|(_, token)| token))
        });
        let more = MORE
            .iter()
            .filter_map(|key| self.keys.get(*key)?.as_array());
        let tokens = named.chain(more.flatten());
        tokens
            .filter_map(|token| added_token(token, Some(true)))
            .collect()
    }

    /// How texts are read.
    pub(super) fn reading(&self) -> Reading {
        let names = self.keys.get("model_input_names").and_then(Value::as_array);
        // Very large numbers say that there is no limit.
        let longest = self.keys.get("model_max_length").and_then(Value::as_u64);
        Reading {
            longest: longest.and_then(|longest| usize::try_from(longest).ok()),
            cut_at_start: self
                .keys
                .get("truncation_side")
                .is_some_and(|side| side == "left"),
            one_segment: names.is_some_and(|names| !names.iter().any(|n| n == "token_type_ids")),
            mask: content(&self.keys, "mask_token"),
            padding: content_by(self.class().unwrap_or_default(), &self.keys, "pad_token"),
            pads_at_start: match self.keys.get("padding_side") {
                Some(side) => side == "left",
                // The side of the class.
                None => self.class() == Some("GemmaTokenizer"),
            },
        }
    }
}

/// A token that is a string, or an object with settings of its own.
fn added_token(token: &Value, special: Option<bool>) -> Option<AddedToken> {
    let flag = |key: &str| token.get(key).and_then(Value::as_bool);
    let content = token.get("content").unwrap_or(token).as_str()?;
    let special = special.or(flag("special")).unwrap_or(false);
    let normalized = flag("normalized").unwrap_or(!special);
    Some(
        AddedToken::from(content, special)
            .single_word(flag("single_word").unwrap_or(false))
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .normalized(normalized),
    )
}
