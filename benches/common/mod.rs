//! The models that are measured.

use burn::tensor::Device;
use relprop_checkpoints::{Model, Tokenizer};
use relprop_data::corpus::reviews;
use relprop_train::vocabulary::train_wordpiece;
use relprop_transformer::{FeedForwardConfig, Transformer, TransformerConfig};

/// A model on `device` with fresh weights and a vocabulary of the embedded corpus: a small BERT,
/// changed by `change`.
pub fn model(
    device: &Device,
    change: impl FnOnce(TransformerConfig) -> TransformerConfig,
) -> Model {
    let corpus = reviews(500, 0);
    let texts = corpus.train.iter().map(|review| review.text.as_str());
    let tokenizer = Tokenizer::new(train_wordpiece(texts, 500).expect("there are words"));
    let config = change(TransformerConfig::bert(
        tokenizer.vocabulary_size(),
        corpus.labels,
    ));
    let transformer = Transformer::new(&config, device).expect("the sizes fit");
    Model::new(transformer, tokenizer)
}

/// The same with blocks of these sizes, whose feed-forward part is four times as wide.
#[allow(dead_code, reason = "not every benchmark asks for other sizes")]
pub fn sized(
    config: TransformerConfig,
    blocks: usize,
    width: usize,
    heads: usize,
) -> TransformerConfig {
    TransformerConfig {
        blocks,
        width,
        heads,
        feed_forward: config.feed_forward.map(|part| FeedForwardConfig {
            width: 4 * width,
            ..part
        }),
        ..config
    }
}
