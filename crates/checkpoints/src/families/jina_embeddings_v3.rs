//! jina-embeddings-v3 (Sturua et al. 2024), as transformers has it: an XLM-RoBERTa with rotary positions. Its LoRA adapters of
//! tasks are folders of their own.

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, rotary};
use relprop_rules::operations::NormScale;
use relprop_transformer::{InputConfig, RotaryConfig, TransformerConfig};

/// jina-embeddings-v3.
pub static JINA_EMBEDDINGS_V3: Family = Family {
    name: NAME,
    architecture: Some("JinaEmbeddingsV3ForSequenceClassification"),
    start,
    keys: &[bert::KEYS, bert::POSITIONS, rotary::KEYS, CLASSES],
    tensors: &[TENSORS, bert::TENSORS, roberta::HEAD],
    ..roberta::ROBERTA
};

/// jina-embeddings-v3 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: NAME,
    architecture: Some("JinaEmbeddingsV3ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[bert::KEYS, bert::POSITIONS, rotary::KEYS, CLASSES],
    tensors: &[TENSORS, bert::TENSORS],
    ..roberta::TOKEN_LABELS
};

/// jina-embeddings-v3 that finds the answer to a question.
pub static SPAN: Family = Family {
    name: NAME,
    architecture: Some("JinaEmbeddingsV3ForQuestionAnswering"),
    start: || heads::span(start()),
    keys: KEYS,
    tensors: &[TENSORS, bert::TENSORS, bert::SPAN_HEAD],
    ..roberta::SPAN
};

/// jina-embeddings-v3 that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: NAME,
    architecture: Some("JinaEmbeddingsV3ForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[bert::KEYS, bert::POSITIONS, rotary::KEYS, bert::TIED_HEAD],
    tensors: &[TENSORS, bert::TENSORS, roberta::MASK_HEAD],
    ..roberta::MASKED_TOKEN
};

/// jina-embeddings-v3 that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: NAME,
    architecture: Some("JinaEmbeddingsV3Model"),
    start: || heads::vector(start()),
    keys: KEYS,
    tensors: &[TENSORS, bert::TENSORS, bert::DENSE],
    ..roberta::VECTOR
};

const NAME: &str = "jina_embeddings_v3";

const KEYS: &[Keys] = &[bert::KEYS, bert::POSITIONS, rotary::KEYS];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.norm", "$.emb_ln"),
    ("encoder.{}.attention.query", "$.encoder.layers.{}.mixer.Wqkv"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.mixer.Wqkv"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.mixer.Wqkv"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.mixer.out_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.norm1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.norm2"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 250_002,
        },
        token_types: 1,
        padding_token: 1,
        ..bert::sizes(bert::start(), [1024, 24, 16, 4096, 8194])
    };
    config.norm.scale = NormScale::InsideRoot(1e-5);
    config.embedding_norm = Some(config.norm);
    config.attention.rotary = Some(RotaryConfig::new(20_000.0));
    config
}
