//! MPNet (Song et al. 2020), for sequence classification: a RoBERTa without segments, with a bias of scores for
//! each distance.

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, size};
use relprop_transformer::{InputConfig, PositionBias, TransformerConfig};
use serde_json::{Value, json};

/// MPNet.
pub static MPNET: Family = Family {
    name: "mpnet",
    architecture: Some("MPNetForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, roberta::POSITIONS, OWN],
    ignored_keys: &[],
    base: "mpnet",
    tensors: &[TENSORS, bert::TENSORS, roberta::HEAD],
    ..roberta::ROBERTA
};

/// MPNet with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("MPNetForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[bert::KEYS, roberta::POSITIONS, OWN, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS, bert::TENSORS],
    ignored_tensors: roberta::ROBERTA.ignored_tensors,
    ..MPNET
};

/// MPNet that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("MPNetForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, roberta::POSITIONS, OWN],
    tensors: &[bert::SPAN_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: roberta::ROBERTA.ignored_tensors,
    ..MPNET
};

/// MPNet that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("MPNetForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[bert::KEYS, roberta::POSITIONS, OWN, bert::TIED_HEAD],
    tensors: &[roberta::MASK_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: roberta::MASKED_TOKEN.ignored_tensors,
    ..MPNET
};

/// MPNet that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("MPNetModel"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, roberta::POSITIONS, OWN],
    tensors: &[bert::DENSE, TENSORS, bert::TENSORS],
    ignored_tensors: roberta::ROBERTA.ignored_tensors,
    ..MPNET
};

const OWN: Keys = &[
    ("relative_attention_num_buckets", BUCKETS),
    ("type_vocab_size", SEGMENTS),
];

/// There are no segments, whatever a file says.
const SEGMENTS: Key = Key::Custom {
    required: false,
    read: |config, _| {
        config.token_types = 0;
        Ok(())
    },
    write: |_| Value::Null,
};

/// How many buckets distances are in. The last ones begin at 128 tokens, which no file says.
const BUCKETS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let buckets = size(value)?;
        if !buckets.is_multiple_of(4) || buckets == 0 {
            return Err(KeyError::must_be(value, "a multiple of 4"));
        }
        config.attention.bias = Some(learned(buckets));
        Ok(())
    },
    write: |config| match config.attention.bias {
        Some(PositionBias::Learned { buckets, .. }) => json!(buckets),
        _ => Value::Null,
    },
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("position_bias", "$.encoder.relative_attention_bias"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.attn.q"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.attn.k"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.attn.v"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.attn.o"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attention.LayerNorm"),
];

fn learned(buckets: usize) -> PositionBias {
    PositionBias::Learned {
        buckets,
        farthest: 128,
        alone: false,
        by_block: false,
    }
}

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 30527 },
        token_types: 0,
        padding_token: 1,
        ..bert::start()
    };
    config.attention.bias = Some(learned(32));
    config
}
