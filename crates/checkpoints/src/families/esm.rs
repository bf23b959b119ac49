//! ESM-2 and ESM-1b (Lin et al. 2023; Rives et al. 2021), which read proteins: a BERT with its norms before the
//! parts, and rotary positions.

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, KeyError, VOCABULARY, feed_forward, flag, number};
use relprop_transformer::{InputConfig, NormPlacement, RotaryConfig, TransformerConfig};
use serde_json::{Value, json};

/// ESM that classifies a protein.
pub static ESM: Family = Family {
    name: "esm",
    architecture: Some("EsmForSequenceClassification"),
    start,
    keys: &[KEYS, CLASSES],
    ignored_keys: IGNORED_KEYS,
    base: "esm",
    tensors: &[TENSORS, bert::TENSORS, roberta::HEAD],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: LEFT_OVER,
};

/// ESM with a label for each amino acid.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("EsmForTokenClassification"),
    start: || heads::token_labels(start()),
    tensors: &[heads::CLASSIFIER, TENSORS, bert::TENSORS],
    ..ESM
};

/// ESM that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("EsmForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[KEYS, bert::TIED_HEAD],
    tensors: &[roberta::MASK_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER_BY_MASKS,
    ..ESM
};

/// ESM that makes a vector of a protein.
pub static VECTOR: Family = Family {
    architecture: Some("EsmModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, TENSORS, bert::TENSORS],
    ..ESM
};

/// The activation, which is GELU whatever a file says, dropout of the head, and what a model that folds is told.
const IGNORED_KEYS: &[&str] = &[
    "hidden_act",
    "classifier_dropout",
    "esmfold_config",
    "vocab_list",
    "embedding_size",
];

const LEFT_OVER: &[&str] = &[
    "$.embeddings.position_ids",
    "$.pooler.dense.weight",
    "$.pooler.dense.bias",
    "$.contact_head.regression.weight",
    "$.contact_head.regression.bias",
    "$.encoder.layer.{}.attention.self.rotary_embeddings.inv_freq",
    // As some files have it.
    "$.encoder.layer.*.attention.self.rotary_embeddings.inv_freq",
    "$.encoder.rotary_embeddings.inv_freq",
    "$.rotary_embeddings.inv_freq",
];

const LEFT_OVER_BY_MASKS: &[&str] = &[
    "$.embeddings.position_ids",
    "$.pooler.dense.weight",
    "$.pooler.dense.bias",
    "$.contact_head.regression.weight",
    "$.contact_head.regression.bias",
    "$.encoder.layer.{}.attention.self.rotary_embeddings.inv_freq",
    "$.encoder.layer.*.attention.self.rotary_embeddings.inv_freq",
    "$.encoder.rotary_embeddings.inv_freq",
    "$.rotary_embeddings.inv_freq",
    "lm_head.decoder.weight",
    "lm_head.decoder.bias",
];

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("emb_layer_norm_before", NORM_BEFORE),
    ("layer_norm_eps", EPSILON),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("position_embedding_type", POSITIONS),
    ("rope_theta", THETA),
    ("pad_token_id", Key::Token(|c| &mut c.padding_token)),
    ("max_position_embeddings", roberta::rows::<1026>()),
    ("token_dropout", DROPOUT),
    ("mask_token_id", MASK),
    ("is_folding_model", Key::Only("false")),
    ("is_decoder", Key::Only("false")),
    ("add_cross_attention", Key::Only("false")),
    ("pruned_heads", Key::Only("{}")),
];

/// Whether the sum of embeddings has a norm: ESM-1b.
const NORM_BEFORE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.embedding_norm = flag(value)?.then_some(config.norm);
        Ok(())
    },
    write: |config| json!(config.embedding_norm.is_some()),
};

/// Rotary in ESM-2, a table in ESM-1b.
const POSITIONS: Key = Key::Derived {
    read: |config, value| {
        let value = value.unwrap_or(&Value::Null);
        config.attention.rotary = match value.as_str() {
            Some("rotary") => Some(RotaryConfig::new(10_000.0)),
            Some("absolute") => None,
            None if value.is_null() => None,
            _ => return Err(KeyError::only(value, "`rotary` or `absolute`")),
        };
        Ok(())
    },
    write: |config| match config.attention.rotary {
        Some(_) => json!("rotary"),
        None => json!("absolute"),
    },
};

const THETA: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let theta = number(value)?;
        if let Some(rotary) = &mut config.attention.rotary {
            rotary.theta = theta;
        }
        Ok(())
    },
    write: |config| json!(config.attention.rotary.map(|rotary| rotary.theta)),
};

/// Whether masks are dropped: see [`TransformerConfig::dropped_token`].
const DROPOUT: Key = Key::Custom {
    required: false,
    read: |config, value| {
        // Which token it is, is said by the next key.
        config.dropped_token = flag(value)?.then_some(u32::MAX);
        Ok(())
    },
    write: |config| json!(config.dropped_token.is_some()),
};

const MASK: Key = Key::Derived {
    read: |config, value| {
        if config.dropped_token.is_none() {
            return Ok(());
        }
        let value = value.unwrap_or(&Value::Null);
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| KeyError::must_be(value, "the id of a token"))?;
        config.dropped_token = Some(id);
        Ok(())
    },
    write: |config| json!(config.dropped_token),
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.norm", "$.embeddings.layer_norm"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attention.LayerNorm"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.LayerNorm"),
    ("final_norm", "$.encoder.emb_layer_norm_after"),
];

/// The sizes that transformers takes; the vocabulary is that of every ESM-2.
fn start() -> TransformerConfig {
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 33 },
        token_types: 0,
        padding_token: 1,
        embedding_norm: None,
        norm_placement: NormPlacement::Before,
        ..bert::start()
    }
}
