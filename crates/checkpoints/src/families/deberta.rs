//! DeBERTa v2 and v3 (He et al. 2021, 2023), for sequence classification: a BERT whose scores are of contents
//! and of distances.

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Value, json};

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, activation, flag, size};
use relprop_transformer::{Disentangled, InputConfig, TransformerConfig};

/// DeBERTa v2 and v3.
pub static DEBERTA_V2: Family = Family {
    name: "deberta-v2",
    architecture: Some("DebertaV2ForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, OWN],
    // Dropout, what a head of masked words is called, and parts of a convolution that is not there.
    ignored_keys: &[
        "pooler_dropout",
        "cls_dropout",
        "legacy",
        "conv_act",
        "conv_groups",
    ],
    base: "deberta",
    tensors: &[TENSORS, bert::TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// What pooling another head has left over, and old files' numbers of positions.
pub(super) const LEFT_OVER: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
];

/// The same of a head of masked words, whose table is that of word embeddings.
pub(super) const LEFT_OVER_BY_MASKS: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
];

/// DeBERTa with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("DebertaV2ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA_V2
};

/// DeBERTa that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("DebertaV2ForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::SPAN_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA_V2
};

/// DeBERTa that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("DebertaV2ForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[
        bert::KEYS,
        bert::POSITIONS,
        OWN,
        heads::HIDDEN_ACTIVATION,
        bert::TIED_HEAD,
        MASKS,
    ],
    tensors: &[bert::MASK_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER_BY_MASKS,
    ..DEBERTA_V2
};

/// DeBERTa that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("DebertaV2Model"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::DENSE, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA_V2
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("pooler_hidden_act", POOLER),
    ("norm_rel_ebd", NORM),
    ("max_relative_positions", LONGEST),
    ("position_buckets", BUCKETS),
    ("pooler_hidden_size", SAME_WIDTH),
    ("embedding_size", SAME_WIDTH),
    // Without them, scores are of contents alone, or of a part of the distances, or the distances have maps
    // of their own, which no checkpoint of version 3 has.
    ("relative_attention", REQUIRED),
    ("share_att_key", REQUIRED),
    ("pos_att_type", BOTH),
    ("position_biased_input", NO_TABLE),
    ("conv_kernel_size", Key::Only("0")),
    ("attention_head_size", HEAD_WIDTH),
];

/// What the tensors of the head are called. Where it is false, they have the names of Microsoft's own code.
pub(super) const MASKS: Keys = &[("legacy", Key::Only("true"))];

/// The activation of the pooler, where the head has one.
pub(super) const POOLER: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let found = activation(value)?;
        config.pooler = config.pooler.and(Some(found));
        Ok(())
    },
    write: |config| json!(config.pooler.map(crate::keys::name)),
};

pub(super) fn distances(config: &mut TransformerConfig) -> &mut Disentangled {
    config.attention.disentangled.get_or_insert(Disentangled {
        buckets: 512,
        farthest: None,
        norm: false,
        own_maps: false,
    })
}

/// Whether the vectors of distances are normalized.
const NORM: Key = Key::Custom {
    required: false,
    read: |config, value| {
        distances(config).norm = match value.as_str() {
            Some("layer_norm") => true,
            Some("none") => false,
            _ => return Err(KeyError::only(value, "`layer_norm` or `none`")),
        };
        Ok(())
    },
    write: |config| match config.attention.disentangled {
        Some(Disentangled { norm: true, .. }) => "layer_norm".into(),
        _ => "none".into(),
    },
};

/// The largest distance: as many as a text has positions, where it is below 1.
pub(super) const LONGEST: Key = Key::Derived {
    read: |config, value| {
        let longest = match value {
            None | Some(Value::Null) => None,
            Some(value) if value.as_i64().is_some_and(|longest| longest < 1) => None,
            Some(value) => Some(size(value)?),
        };
        distances(config).buckets = longest.unwrap_or(config.positions);
        Ok(())
    },
    write: |config| {
        let distances = config.attention.disentangled;
        let farthest = distances.map(|distances| distances.farthest.unwrap_or(distances.buckets));
        match farthest == Some(config.positions) {
            true => json!(-1),
            false => json!(farthest),
        }
    },
};

/// How many buckets of distances each direction has: one for each distance, where it is below 1.
const BUCKETS: Key = Key::Derived {
    read: |config, value| {
        let distances = distances(config);
        match value {
            None | Some(Value::Null) => {}
            Some(value) if value.as_i64().is_some_and(|buckets| buckets < 1) => {}
            Some(value) => {
                distances.farthest = Some(distances.buckets);
                distances.buckets = size(value)?;
            }
        }
        Ok(())
    },
    write: |config| match config.attention.disentangled {
        Some(Disentangled {
            buckets,
            farthest: Some(_),
            ..
        }) => json!(buckets),
        _ => json!(-1),
    },
};

pub(super) const REQUIRED: Key = Key::Derived {
    read: |_, value| match value {
        Some(value) if flag(value)? => Ok(()),
        value => Err(KeyError::only(value.unwrap_or(&json!(false)), "`true`")),
    },
    write: |config| json!(config.attention.disentangled.is_some()),
};

/// Of queries and distances, and of distances and keys.
pub(super) const BOTH: Key = Key::Derived {
    read: |_, value| {
        let value = value.unwrap_or(&Value::Null);
        let mut kinds: Vec<&str> = match value {
            Value::String(kinds) => kinds.split('|').map(str::trim).collect(),
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        kinds.sort_unstable();
        match kinds[..] == ["c2p", "p2c"] {
            true => Ok(()),
            false => Err(KeyError::only(value, "`c2p` with `p2c`")),
        }
    },
    write: |_| json!(["p2c", "c2p"]),
};

/// Positions have no table of embeddings besides.
pub(super) const NO_TABLE: Key = Key::Derived {
    read: |_, value| match value.and_then(Value::as_bool) {
        Some(false) => Ok(()),
        _ => Err(KeyError::only(value.unwrap_or(&json!(true)), "`false`")),
    },
    write: |_| json!(false),
};

pub(super) const SAME_WIDTH: Key = Key::Custom {
    required: false,
    read: |config, value| match size(value)? == config.width {
        true => Ok(()),
        false => Err(KeyError::only(value, "the value of `hidden_size`")),
    },
    write: |_| Value::Null,
};

const HEAD_WIDTH: Key = Key::Custom {
    required: false,
    read: |config, value| match size(value)?.checked_mul(config.heads) == Some(config.width) {
        true => Ok(()),
        false => Err(KeyError::only(
            value,
            "`hidden_size` by the number of heads",
        )),
    },
    write: |_| Value::Null,
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("distances.table", "$.encoder.rel_embeddings"),
    ("distances.norm", "$.encoder.LayerNorm"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.self.query_proj"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.self.key_proj"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.self.value_proj"),
    ("pooler.linear", "pooler.dense"),
];

fn start() -> TransformerConfig {
    let bert = bert::start();
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 128_100,
        },
        token_types: 0,
        pooler: Some(Activation::Gelu),
        ..bert::sizes(bert, [1536, 24, 24, 6144, 512])
    };
    config.norm.scale = NormScale::InsideRoot(1e-7);
    config.embedding_norm = Some(config.norm);
    distances(&mut config);
    config
}
