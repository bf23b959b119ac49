//! BERT (Devlin et al. 2019), for sequence classification.

use relprop_rules::operations::Activation;

use super::heads;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, PADDING, VOCABULARY, feed_forward, numbered};
use relprop_transformer::TransformerConfig;

/// BERT.
pub static BERT: Family = Family {
    name: "bert",
    architecture: Some("BertForSequenceClassification"),
    start,
    keys: &[KEYS, CLASSES, POSITIONS],
    // Asked for when the heads do not divide the width, which is refused here.
    ignored_keys: &["embedding_size"],
    base: "bert",
    tensors: &[TENSORS, &[("pooler.linear", "$.pooler.dense")]],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: BUFFERS,
};

/// BERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("BertForTokenClassification"),
    start: || heads::token_labels(start()),
    tensors: &[TENSORS],
    ignored_tensors: LEFT_OVER,
    ..BERT
};

/// BERT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("BertForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS, POSITIONS],
    tensors: &[TENSORS, SPAN_HEAD],
    ignored_tensors: LEFT_OVER,
    ..BERT
};

/// BERT that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("BertForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[KEYS, POSITIONS, heads::HIDDEN_ACTIVATION, TIED_HEAD],
    tensors: &[TENSORS, MASK_HEAD],
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "$.pooler.dense.weight",
        "$.pooler.dense.bias",
        "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
        "cls.seq_relationship.weight",
        "cls.seq_relationship.bias",
    ],
    ..BERT
};

/// The same as it comes out of its training, with a head besides for which sentence follows.
pub static PRE_TRAINED: Family = Family {
    architecture: Some("BertForPreTraining"),
    ..MASKED_TOKEN
};

/// BERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("BertModel"),
    start: || heads::vector(start()),
    keys: &[KEYS, POSITIONS],
    tensors: &[TENSORS, DENSE],
    ignored_tensors: LEFT_OVER,
    ..BERT
};

/// The linear map of a head that finds answers.
pub const SPAN_HEAD: Names = &[("classifier", "qa_outputs")];

/// The linear maps that sentence-transformers puts after pooling, each of which has a file of its own.
pub const DENSE: Names = &[
    ("classifier", crate::vector::DENSE),
    ("second_classifier", crate::vector::SECOND),
];

/// `tie_word_embeddings`, which is true unless the file says otherwise.
pub const TIED_HEAD: Keys = &[("tie_word_embeddings", crate::keys::TIED)];

/// The head of a masked token, and the table that it may share with word embeddings.
#[rustfmt::skip]
pub const MASK_HEAD: Names = &[
    ("transform.linear", "cls.predictions.transform.dense"),
    ("transform.norm", "cls.predictions.transform.LayerNorm"),
    ("classifier_bias", "cls.predictions.bias"),
    ("classifier.bias", "cls.predictions.bias"),
    ("classifier", "cls.predictions.decoder"),
];

/// What other heads have left over: [`BUFFERS`], and the pooler.
pub const LEFT_OVER: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "$.pooler.dense.weight",
    "$.pooler.dense.bias",
];

/// What the families that come from BERT say in the same words.
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
    ("embeddings.task", "$.embeddings.task_type_embeddings"),
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
