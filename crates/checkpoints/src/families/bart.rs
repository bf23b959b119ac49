//! BART (Lewis et al. 2020), as a language model of an output after a source, and for sequence classification; and what
//! its many descendants share with it.

use relprop_rules::operations::Activation;
use serde_json::json;

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, PADDING, TIED, VOCABULARY, feed_forward, numbered, size};
use relprop_transformer::{
    Biases, DecoderConfig, Head, InputConfig, NormConfig, TransformerConfig,
};

/// BART.
pub static BART: Family = Family {
    name: "bart",
    architecture: Some("BartForConditionalGeneration"),
    start,
    keys: &[KEYS, TIED_HEAD],
    ignored_keys: IN_TRAINING,
    base: "model",
    tensors: &[TENSORS, POSITIONS, EMBEDDING_NORMS, HEAD],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: COPIES,
};

/// BART that classifies a text. Its decoder reads the text once more, and the state of the last end of a text is
/// classified.
pub static LABELS: Family = Family {
    architecture: Some("BartForSequenceClassification"),
    start: || TransformerConfig {
        head: Head::LabelsAtEnd {
            skips_padding: false,
        },
        pooler: Some(Activation::Tanh),
        labels: numbered(3),
        biases: Biases::default(),
        ..start()
    },
    keys: &[KEYS, CLASSES],
    tensors: &[TENSORS, POSITIONS, EMBEDDING_NORMS, CLASSIFIER],
    ..BART
};

/// BART that finds the answer to a question. Its decoder reads both texts once more, and its states are asked.
pub static SPAN: Family = Family {
    architecture: Some("BartForQuestionAnswering"),
    start: || TransformerConfig {
        biases: Biases::default(),
        ..heads::span(start())
    },
    keys: &[KEYS],
    tensors: &[TENSORS, POSITIONS, EMBEDDING_NORMS, bert::SPAN_HEAD],
    ..BART
};

/// Shares of blocks and numbers that training leaves out.
pub const IN_TRAINING: &[&str] = &[
    "activation_dropout",
    "decoder_layerdrop",
    "encoder_layerdrop",
];

/// What BART and its descendants say in the same words.
#[rustfmt::skip]
pub const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("d_model", Key::Size(|c| &mut c.width)),
    ("encoder_layers", Key::Size(|c| &mut c.blocks)),
    ("encoder_attention_heads", Key::Size(|c| &mut c.heads)),
    ("encoder_ffn_dim", Key::Size(|c| &mut feed_forward(c).width)),
    ("decoder_layers", Key::Size(|c| &mut decoder(c).blocks)),
    ("decoder_attention_heads", Key::Size(|c| &mut decoder(c).heads)),
    ("decoder_ffn_dim", Key::Size(|c| &mut decoder(c).feed_forward)),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("scale_embedding", Key::Flag(|c| &mut c.scaled_embeddings)),
    ("dropout", Key::Number(|c| &mut c.dropout)),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("init_std", Key::Number(|c| &mut c.initializer_range)),
    ("pad_token_id", PADDING),
    ("decoder_start_token_id", START),
    ("is_encoder_decoder", Key::Only("true")),
    ("is_decoder", Key::Only("false")),
];

/// `tie_word_embeddings`, which is true unless the file says otherwise.
pub const TIED_HEAD: Keys = &[("tie_word_embeddings", TIED)];

/// The token before every output.
pub const START: Key = Key::Token(|c| &mut decoder(c).start);

/// The decoder, which every family here has.
pub fn decoder(config: &mut TransformerConfig) -> &mut DecoderConfig {
    config.decoder.get_or_insert(DecoderConfig {
        blocks: 12,
        heads: 16,
        feed_forward: 4096,
        start: 0,
    })
}

/// The names of word embeddings and of all blocks.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.shared"),
    ("encoder.{}.attention.query", "$.encoder.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.self_attn.out_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.self_attn_layer_norm"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.fc1"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.final_layer_norm"),
    ("decoder.blocks.{}.attention.query", "$.decoder.layers.{}.self_attn.q_proj"),
    ("decoder.blocks.{}.attention.key", "$.decoder.layers.{}.self_attn.k_proj"),
    ("decoder.blocks.{}.attention.value", "$.decoder.layers.{}.self_attn.v_proj"),
    ("decoder.blocks.{}.attention.output", "$.decoder.layers.{}.self_attn.out_proj"),
    ("decoder.blocks.{}.attention_norm", "$.decoder.layers.{}.self_attn_layer_norm"),
    ("decoder.blocks.{}.cross_attention.query", "$.decoder.layers.{}.encoder_attn.q_proj"),
    ("decoder.blocks.{}.cross_attention.key", "$.decoder.layers.{}.encoder_attn.k_proj"),
    ("decoder.blocks.{}.cross_attention.value", "$.decoder.layers.{}.encoder_attn.v_proj"),
    ("decoder.blocks.{}.cross_attention.output", "$.decoder.layers.{}.encoder_attn.out_proj"),
    ("decoder.blocks.{}.cross_attention_norm", "$.decoder.layers.{}.encoder_attn_layer_norm"),
    ("decoder.blocks.{}.feed_forward.up", "$.decoder.layers.{}.fc1"),
    ("decoder.blocks.{}.feed_forward.down", "$.decoder.layers.{}.fc2"),
    ("decoder.blocks.{}.feed_forward_norm", "$.decoder.layers.{}.final_layer_norm"),
];

/// The tables of positions, where they were learned.
pub const POSITIONS: Names = &[
    ("embeddings.position", "$.encoder.embed_positions"),
    ("embeddings.output.position", "$.decoder.embed_positions"),
];

/// The norms after the embeddings.
pub const EMBEDDING_NORMS: Names = &[
    ("embeddings.norm", "$.encoder.layernorm_embedding"),
    ("embeddings.output.norm", "$.decoder.layernorm_embedding"),
];

/// The norms after the last blocks, where norms stand before the parts.
pub const LAST_NORMS: Names = &[
    ("decoder.source_norm", "$.encoder.layer_norm"),
    ("final_norm", "$.decoder.layer_norm"),
];

/// The head of the next token, and a constant for each token.
pub const HEAD: Names = &[
    ("classifier_bias", crate::weights::LOGIT_BIAS),
    ("classifier.bias", crate::weights::LOGIT_BIAS),
    ("classifier", "lm_head"),
];

/// A classifier of two linear maps: the first is our pooler.
pub const CLASSIFIER: Names = &[
    ("pooler.linear", "classification_head.dense"),
    ("classifier", "classification_head.out_proj"),
];

/// Copies of the table of word embeddings.
pub const COPIES: &[&str] = &[
    "$.encoder.embed_tokens.weight",
    "$.decoder.embed_tokens.weight",
    "lm_head.weight",
];

/// Norms after the residual sums and after the embeddings, and positions from row 2 of their tables on.
pub fn start() -> TransformerConfig {
    let bert = TransformerConfig::bert(50265, Vec::new());
    let bert = bert::sizes(bert, [1024, 12, 16, 4096, 1024]);
    let norm = NormConfig {
        scale: relprop_rules::operations::NormScale::InsideRoot(1e-5),
        ..bert.norm
    };
    let mut config = TransformerConfig {
        first_position: 2,
        counted_padding: true,
        token_types: 0,
        padding_token: 1,
        embedding_norm: Some(norm),
        norm,
        pooler: None,
        head: Head::NextToken { tied: true },
        biases: Biases {
            next_token: true,
            ..Biases::default()
        },
        dropout: 0.1,
        attention_dropout: 0.0,
        initializer_range: 0.02,
        ..bert
    };
    decoder(&mut config).start = 2;
    config
}

/// `start` with this vocabulary and these tokens of padding and before an output.
pub fn tokens(
    mut config: TransformerConfig,
    vocabulary: usize,
    [padding, start]: [u32; 2],
) -> TransformerConfig {
    config.input = InputConfig::Tokens { vocabulary };
    config.padding_token = padding;
    decoder(&mut config).start = start;
    config
}

/// `decoder_start_token_id`, where there is no usual one.
pub const REQUIRED_START: Key = Key::Custom {
    required: true,
    read: |config, value| {
        let start = size(value)?;
        decoder(config).start = u32::try_from(start).unwrap_or(u32::MAX);
        Ok(())
    },
    write: |config| json!(config.decoder.map(|decoder| decoder.start)),
};
