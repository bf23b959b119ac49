//! XGLM (Lin et al. 2022), as a language model of many languages: an OPT whose positions are sines.

use super::{bert, heads, opt};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{Key, PADDING, TIED, VOCABULARY, feed_forward};
use relprop_rules::operations::Activation;
use relprop_transformer::{InputConfig, Sinusoids, TransformerConfig};

/// XGLM.
pub static XGLM: Family = Family {
    name: "xglm",
    architecture: Some("XGLMForCausalLM"),
    start,
    keys: &[KEYS],
    // Shares of blocks and numbers that training leaves out.
    ignored_keys: &["activation_dropout", "layerdrop"],
    base: "model",
    tensors: &[opt::BLOCKS, LAST_NORM, &[("classifier", "lm_head")]],
    // Sines and cosines, which old files have.
    ignored_tensors: &["lm_head.weight", "$.embed_positions.weights"],
    ..opt::OPT
};

/// XGLM that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("XGLMModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, opt::BLOCKS, LAST_NORM],
    ..XGLM
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("d_model", Key::Size(|c| &mut c.width)),
    ("num_layers", Key::Size(|c| &mut c.blocks)),
    ("attention_heads", Key::Size(|c| &mut c.heads)),
    ("ffn_dim", Key::Size(|c| &mut feed_forward(c).width)),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("scale_embedding", Key::Flag(|c| &mut c.scaled_embeddings)),
    ("dropout", Key::Number(|c| &mut c.dropout)),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("init_std", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
    ("add_cross_attention", Key::Only("false")),
];

/// The norm after the last block.
const LAST_NORM: Names = &[("final_norm", "$.layer_norm")];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 256_008,
        },
        sinusoids: Some(Sinusoids::ToTheEnd),
        scaled_embeddings: true,
        attention_dropout: 0.1,
        ..bert::sizes(opt::start(), [1024, 24, 16, 4096, 2048])
    };
    feed_forward(&mut config).activation = Activation::Gelu;
    config
}
