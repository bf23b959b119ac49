//! DistilBERT (Sanh et al. 2019), for sequence classification.

use relprop_rules::operations::Activation;

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, VOCABULARY, feed_forward};
use relprop_transformer::TransformerConfig;

/// DistilBERT.
pub static DISTILBERT: Family = Family {
    name: "distilbert",
    architecture: Some("DistilBertForSequenceClassification"),
    start,
    keys: &[KEYS, CLASSES, bert::POSITIONS],
    // Sinusoidal positions are a table of numbers in the file, as learned ones are.
    ignored_keys: &["sinusoidal_pos_embds", "qa_dropout", "seq_classif_dropout"],
    base: "distilbert",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// DistilBERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("DistilBertForTokenClassification"),
    start: || heads::token_labels(start()),
    ..DISTILBERT
};

/// DistilBERT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("DistilBertForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS, bert::POSITIONS],
    tensors: &[TENSORS, bert::SPAN_HEAD],
    ..DISTILBERT
};

/// DistilBERT that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("DistilBertForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[
        KEYS,
        bert::POSITIONS,
        &[("activation", heads::ACTIVATION)],
        bert::TIED_HEAD,
    ],
    tensors: &[TENSORS, MASK_HEAD],
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "vocab_projector.weight",
    ],
    ..DISTILBERT
};

/// DistilBERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("DistilBertModel"),
    start: || heads::vector(start()),
    keys: &[KEYS, bert::POSITIONS],
    tensors: &[TENSORS, bert::DENSE],
    ..DISTILBERT
};

#[rustfmt::skip]
const MASK_HEAD: Names = &[
    ("transform.linear", "vocab_transform"),
    ("transform.norm", "vocab_layer_norm"),
    ("classifier_bias", "vocab_projector.bias"),
    ("classifier", "vocab_projector"),
];

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("dim", Key::Size(|c| &mut c.width)),
    ("n_layers", Key::Size(|c| &mut c.blocks)),
    ("n_heads", Key::Size(|c| &mut c.heads)),
    ("hidden_dim", Key::Size(|c| &mut feed_forward(c).width)),
    ("activation", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("dropout", Key::Number(|c| &mut c.dropout)),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("pruned_heads", Key::Only("{}")),
];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.embeddings.word_embeddings"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.norm", "$.embeddings.LayerNorm"),
    ("encoder.{}.attention.query", "$.transformer.layer.{}.attention.q_lin"),
    ("encoder.{}.attention.key", "$.transformer.layer.{}.attention.k_lin"),
    ("encoder.{}.attention.value", "$.transformer.layer.{}.attention.v_lin"),
    ("encoder.{}.attention.output", "$.transformer.layer.{}.attention.out_lin"),
    ("encoder.{}.attention_norm", "$.transformer.layer.{}.sa_layer_norm"),
    ("encoder.{}.feed_forward.up", "$.transformer.layer.{}.ffn.lin1"),
    ("encoder.{}.feed_forward.down", "$.transformer.layer.{}.ffn.lin2"),
    ("encoder.{}.feed_forward_norm", "$.transformer.layer.{}.output_layer_norm"),
    ("pooler.linear", "pre_classifier"),
];

/// A BERT without segments, with a ReLU after its pooler. The epsilon of its norms cannot be set.
fn start() -> TransformerConfig {
    TransformerConfig {
        token_types: 0,
        pooler: Some(Activation::Relu),
        ..bert::sizes(bert::start(), [768, 6, 12, 3072, 512])
    }
}
