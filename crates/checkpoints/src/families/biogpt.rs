//! BioGPT (Luo et al. 2022), as a language model of medicine: an OPT with larger embeddings.

use super::{bert, heads, llama, opt, xglm};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, PADDING, TIED, VOCABULARY, feed_forward};
use relprop_rules::operations::Activation;
use relprop_transformer::{InputConfig, TransformerConfig};

/// BioGPT.
pub static BIOGPT: Family = Family {
    name: "biogpt",
    architecture: Some("BioGptForCausalLM"),
    start,
    keys: &[KEYS],
    // Shares of blocks and numbers that training leaves out, and an epsilon that no norm has.
    ignored_keys: &["activation_dropout", "layerdrop", "layer_norm_eps"],
    base: "biogpt",
    tensors: &[
        opt::BLOCKS,
        xglm::LAST_NORM,
        &[("classifier", "output_projection")],
    ],
    ignored_tensors: &["output_projection.weight"],
    ..opt::OPT
};

/// BioGPT that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("BioGptForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, opt::BLOCKS, xglm::LAST_NORM],
    ..BIOGPT
};

/// BioGPT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("BioGptForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[heads::CLASSIFIER, opt::BLOCKS, xglm::LAST_NORM],
    ..BIOGPT
};

/// BioGPT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("BioGptModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, opt::BLOCKS, xglm::LAST_NORM],
    ..BIOGPT
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("scale_embedding", Key::Flag(|c| &mut c.scaled_embeddings)),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 42384 },
        scaled_embeddings: true,
        attention_dropout: 0.1,
        ..bert::sizes(opt::start(), [1024, 24, 16, 4096, 1024])
    };
    feed_forward(&mut config).activation = Activation::Gelu;
    config
}
