//! Nomic BERT (Nussbaum et al. 2024) and GTE (Zhang et al. 2024): BERTs with rotary positions and gated feed-forward
//! parts.

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, PADDING, rotary};
use relprop_rules::operations::Activation;
use relprop_transformer::{
    Biases, FeedForwardConfig, InputConfig, RotaryConfig, TransformerConfig,
};

/// Nomic BERT, for sequence classification.
pub static NOMIC_BERT: Family = Family {
    name: "nomic_bert",
    architecture: Some("NomicBertForSequenceClassification"),
    start: start_of_nomic,
    keys: &[bert::KEYS, OWN, rotary::KEYS, CLASSES],
    ignored_keys: &[],
    base: "nomic_bert",
    tensors: &[TENSORS, bert::TENSORS, POOLER],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// Nomic BERT with a label for each token.
pub static NOMIC_TOKEN_LABELS: Family = Family {
    architecture: Some("NomicBertForTokenClassification"),
    start: || heads::token_labels(start_of_nomic()),
    tensors: &[TENSORS, bert::TENSORS],
    ignored_tensors: bert::LEFT_OVER,
    ..NOMIC_BERT
};

/// Nomic BERT that fills masks.
pub static NOMIC_MASKED_TOKEN: Family = Family {
    architecture: Some("NomicBertForMaskedLM"),
    start: || heads::masked_token(start_of_nomic()),
    keys: &[
        bert::KEYS,
        OWN,
        rotary::KEYS,
        heads::HIDDEN_ACTIVATION,
        bert::TIED_HEAD,
    ],
    tensors: &[TENSORS, bert::TENSORS, NOMIC_MASKS],
    ignored_tensors: MASKS_LEFT_OVER,
    ..NOMIC_BERT
};

/// Nomic BERT that makes a vector of a text.
pub static NOMIC_VECTOR: Family = Family {
    architecture: Some("NomicBertModel"),
    start: || heads::vector(start_of_nomic()),
    keys: &[bert::KEYS, OWN, rotary::KEYS],
    tensors: &[TENSORS, bert::TENSORS, bert::DENSE],
    ignored_tensors: bert::LEFT_OVER,
    ..NOMIC_BERT
};

/// GTE, for sequence classification.
pub static GTE: Family = Family {
    name: "gte",
    architecture: Some("GteForSequenceClassification"),
    start: start_of_gte,
    base: "gte",
    ..NOMIC_BERT
};

/// GTE with a label for each token.
pub static GTE_TOKEN_LABELS: Family = Family {
    architecture: Some("GteForTokenClassification"),
    start: || heads::token_labels(start_of_gte()),
    tensors: &[TENSORS, bert::TENSORS],
    ignored_tensors: bert::LEFT_OVER,
    ..GTE
};

/// GTE that fills masks.
pub static GTE_MASKED_TOKEN: Family = Family {
    architecture: Some("GteForMaskedLM"),
    start: || heads::masked_token(start_of_gte()),
    keys: &[bert::KEYS, OWN, rotary::KEYS, bert::TIED_HEAD],
    tensors: &[TENSORS, bert::TENSORS, GTE_MASKS],
    ignored_tensors: MASKS_LEFT_OVER,
    ..GTE
};

/// GTE that makes a vector of a text.
pub static GTE_VECTOR: Family = Family {
    architecture: Some("GteModel"),
    start: || heads::vector(start_of_gte()),
    keys: &[bert::KEYS, OWN, rotary::KEYS],
    tensors: &[TENSORS, bert::TENSORS, bert::DENSE],
    ignored_tensors: bert::LEFT_OVER,
    ..GTE
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("max_position_embeddings", rotary::POSITIONS),
    ("pad_token_id", PADDING),
    ("head_dim", super::llama::OWN_HEAD_WIDTH),
];

const POOLER: Names = &[("pooler.linear", "$.pooler.dense")];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("encoder.{}.attention.query", "$.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.output", "$.layers.{}.self_attn.o_proj"),
    ("encoder.{}.attention_norm", "$.layers.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward.gate", "$.layers.{}.mlp.gate_proj"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.up_proj"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.down_proj"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.post_mlp_layernorm"),
];

#[rustfmt::skip]
const NOMIC_MASKS: Names = &[
    ("transform.linear", "cls.predictions.transform.dense"),
    ("transform.norm", "cls.predictions.transform.layer_norm"),
    ("classifier_bias", "cls.predictions.bias"),
    ("classifier.bias", "cls.predictions.bias"),
    ("classifier", "cls.predictions.decoder"),
];

#[rustfmt::skip]
const GTE_MASKS: Names = &[
    ("transform.linear", "lm_head.dense"),
    ("transform.norm", "lm_head.layer_norm"),
    ("classifier_bias", "lm_head.decoder.bias"),
    ("classifier", "lm_head.decoder"),
];

/// What is the same as the table of words, and what another head has.
const MASKS_LEFT_OVER: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "$.pooler.dense.weight",
    "$.pooler.dense.bias",
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
    "lm_head.decoder.weight",
];

fn start_of_nomic() -> TransformerConfig {
    let mut config = bert::sizes(bert::start(), [768, 12, 12, 3072, 2048]);
    config.input = InputConfig::Tokens { vocabulary: 30528 };
    config.biases = Biases::NONE;
    config.dropout = 0.0;
    config.attention_dropout = 0.0;
    config.attention.rotary = Some(RotaryConfig::new(1000.0));
    config.feed_forward = Some(FeedForwardConfig {
        width: 3072,
        activation: Activation::Silu,
        gated: true,
        clip: None,
    });
    config
}

fn start_of_gte() -> TransformerConfig {
    let mut config = bert::sizes(start_of_nomic(), [768, 12, 12, 3072, 8192]);
    config.input = InputConfig::Tokens {
        vocabulary: 250_048,
    };
    config.token_types = 1;
    config.padding_token = 1;
    config.dropout = 0.1;
    config.attention.rotary = Some(RotaryConfig::new(160_000.0));
    config.biases = Biases {
        unbiased_up: true,
        ..Biases::default()
    };
    config.feed_forward = Some(FeedForwardConfig {
        width: 3072,
        activation: Activation::Gelu,
        gated: true,
        clip: None,
    });
    config
}
