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
    tensors: &[NOMIC_NAMES, bert::TENSORS, POOLER],
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
    tensors: &[NOMIC_NAMES, bert::TENSORS],
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
    tensors: &[NOMIC_NAMES, bert::TENSORS, NOMIC_MASKS],
    ignored_tensors: MASKS_LEFT_OVER,
    ..NOMIC_BERT
};

/// Nomic BERT that makes a vector of a text.
pub static NOMIC_VECTOR: Family = Family {
    architecture: Some("NomicBertModel"),
    start: || heads::vector(start_of_nomic()),
    keys: &[bert::KEYS, OWN, rotary::KEYS],
    tensors: &[NOMIC_NAMES, bert::TENSORS, bert::DENSE],
    ignored_tensors: bert::LEFT_OVER,
    ..NOMIC_BERT
};

/// GTE, for sequence classification.
pub static GTE: Family = Family {
    name: "gte",
    architecture: Some("GteForSequenceClassification"),
    start: start_of_gte,
    base: "gte",
    tensors: &[GTE_NAMES, bert::TENSORS, POOLER],
    ..NOMIC_BERT
};

/// GTE with a label for each token.
pub static GTE_TOKEN_LABELS: Family = Family {
    architecture: Some("GteForTokenClassification"),
    start: || heads::token_labels(start_of_gte()),
    tensors: &[GTE_NAMES, bert::TENSORS],
    ignored_tensors: bert::LEFT_OVER,
    ..GTE
};

/// GTE that fills masks.
pub static GTE_MASKED_TOKEN: Family = Family {
    architecture: Some("GteForMaskedLM"),
    start: || heads::masked_token(start_of_gte()),
    keys: &[bert::KEYS, OWN, rotary::KEYS, bert::TIED_HEAD],
    tensors: &[GTE_NAMES, bert::TENSORS, GTE_MASKS],
    ignored_tensors: MASKS_LEFT_OVER,
    ..GTE
};

/// GTE that makes a vector of a text.
pub static GTE_VECTOR: Family = Family {
    architecture: Some("GteModel"),
    start: || heads::vector(start_of_gte()),
    keys: &[bert::KEYS, OWN, rotary::KEYS],
    tensors: &[GTE_NAMES, bert::TENSORS, bert::DENSE],
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

/// The names of the first files, which transformers reads and writes as well.
#[rustfmt::skip]
const NOMIC_NAMES: Names = &[
    ("embeddings.norm", "$.emb_ln"),
    ("encoder.{}.attention.query", "$.encoder.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.attn.out_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.norm1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.mlp.fc11"),
    ("encoder.{}.feed_forward.gate", "$.encoder.layers.{}.mlp.fc12"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.norm2"),
];

#[rustfmt::skip]
const GTE_NAMES: Names = &[
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.qkv_proj"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.qkv_proj"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.qkv_proj"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.o_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attn_ln"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.mlp.up_gate_proj"),
    ("encoder.{}.feed_forward.gate", "$.encoder.layer.{}.mlp.up_gate_proj"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.mlp.down_proj"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.mlp_ln"),
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
    ("transform.norm", "lm_head.norm"),
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
