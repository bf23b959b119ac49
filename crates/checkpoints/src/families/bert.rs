//! BERT (Devlin et al. 2019), for sequence classification.

use relprop_rules::operations::Activation;

use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    EPSILON, IDS, Key, LABEL_COUNT, LABELS, PADDING, VOCABULARY, feed_forward, numbered,
};
use relprop_transformer::TransformerConfig;

/// BERT.
pub static BERT: Family = Family {
    name: "bert",
    architecture: Some("BertForSequenceClassification"),
    start,
    keys: &[KEYS, POSITIONS],
    // Asked for when the heads do not divide the width, which is refused here.
    ignored_keys: &["embedding_size"],
    base: "bert",
    tensors: &[TENSORS, &[("pooler.linear", "$.pooler.dense")]],
    untransposed: &[],
    ignored_tensors: BUFFERS,
};

/// The keys that all families derived from BERT share.
#[rustfmt::skip]
pub const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("type_vocab_size", Key::Size(|c| &mut c.token_types)),
    ("layer_norm_eps", EPSILON),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("id2label", LABELS),
    ("label2id", IDS),
    ("num_labels", LABEL_COUNT),
    ("position_embedding_type", Key::Only("\"absolute\"")),
    ("is_decoder", Key::Only("false")),
    ("is_encoder_decoder", Key::Only("false")),
    ("add_cross_attention", Key::Only("false")),
    ("pruned_heads", Key::Only("{}")),
];

/// Positions that are counted from 0, with padding or without.
pub const POSITIONS: Keys = &[
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("pad_token_id", PADDING),
];

/// The names of embeddings and blocks in the families derived from BERT.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.embeddings.word_embeddings"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.token_type", "$.embeddings.token_type_embeddings"),
    ("embeddings.norm", "$.embeddings.LayerNorm"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.self.query"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.self.key"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.self.value"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.output.dense"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attention.output.LayerNorm"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.intermediate.dense"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.output.dense"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.output.LayerNorm"),
];

/// Old checkpoints store the numbers 0, 1, 2, ... that positions are looked up by, and as many 0s.
pub const BUFFERS: &[&str] = &["$.embeddings.position_ids", "$.embeddings.token_type_ids"];

/// `config` with this width, number of blocks and of heads, width of the feed-forward part, and number of
/// positions: what transformers takes where a file is silent.
pub fn sizes(mut config: TransformerConfig, sizes: [usize; 5]) -> TransformerConfig {
    let fed: usize;
    [
        config.width,
        config.blocks,
        config.heads,
        fed,
        config.positions,
    ] = sizes;
    feed_forward(&mut config).width = fed;
    config
}

/// Norms after the residual sums, and a tanh pooler over the first token.
pub fn start() -> TransformerConfig {
    TransformerConfig {
        pooler: Some(Activation::Tanh),
        ..sizes(
            TransformerConfig::bert(30522, numbered(2)),
            [768, 12, 12, 3072, 512],
        )
    }
}
