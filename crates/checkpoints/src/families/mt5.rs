//! mT5 (Xue et al. 2021): a T5 of many languages, with gates.

use super::{bert, heads, t5};
use crate::Family;
use crate::keys::{TIED, feed_forward};
use relprop_rules::operations::Activation;
use relprop_transformer::{DecoderConfig, TransformerConfig};

/// mT5.
pub static MT5: Family = Family {
    name: "mt5",
    architecture: Some("MT5ForConditionalGeneration"),
    start,
    keys: &[t5::SHARED, t5::BOTH, &[("tie_word_embeddings", TIED)]],
    ..t5::T5
};

/// mT5 that finds the answer to a question.
pub static SPAN: Family = Family {
    name: "mt5",
    architecture: Some("MT5ForQuestionAnswering"),
    start: || t5::spans(start()),
    ..t5::SPAN
};

/// mT5 that classifies a text.
pub static LABELS: Family = Family {
    name: "mt5",
    architecture: Some("MT5ForSequenceClassification"),
    start: || t5::labels(start()),
    ..t5::LABELS
};

/// mT5's encoder with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: "mt5",
    architecture: Some("MT5ForTokenClassification"),
    start: || t5::encoder(heads::token_labels(start())),
    ..t5::TOKEN_LABELS
};

/// mT5's encoder, which makes a vector of a text.
pub static VECTOR: Family = Family {
    name: "mt5",
    architecture: Some("MT5EncoderModel"),
    start: || t5::encoder(heads::vector(start())),
    ..t5::VECTOR
};

/// What mT5 takes where a file is silent.
pub fn start() -> TransformerConfig {
    let mut config = bert::sizes(t5::start(), [512, 8, 6, 1024, t5::POSITIONS]);
    config.input = relprop_transformer::InputConfig::Tokens {
        vocabulary: 250_112,
    };
    config.decoder = Some(DecoderConfig {
        blocks: 8,
        heads: 6,
        feed_forward: 1024,
        start: 0,
    });
    let part = feed_forward(&mut config);
    (part.activation, part.gated) = (Activation::GeluTanh, true);
    config
}
