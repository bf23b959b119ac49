//! GPT-J (Wang and Komatsuzaki 2021), as a language model: both parts of a block read what came in by one
//! norm, and pairs of neighbours among a head's features are turned.

use super::{bert, gpt2, heads, llama, starcoder2};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, KeyError, PADDING, TIED, VOCABULARY, feed_forward, size};
use relprop_rules::operations::{Activation, Pairs};
use relprop_transformer::{
    Biases, Branches, FeedForwardConfig, Head, InputConfig, RotaryConfig, TransformerConfig,
};
use serde_json::{Value, json};

/// GPT-J.
pub static GPTJ: Family = Family {
    name: "gptj",
    architecture: Some("GPTJForCausalLM"),
    start,
    keys: &[KEYS],
    ignored_keys: &["embd_pdrop"],
    base: "transformer",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    // Masks and angles, which follow from the configuration.
    ignored_tensors: &[
        "$.h.{}.attn.bias",
        "$.h.{}.attn.masked_bias",
        "$.h.{}.attn.embed_positions",
    ],
};

/// GPT-J that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GPTJModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, TENSORS],
    ..GPTJ
};

/// GPT-J that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GPTJForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, TENSORS],
    ..GPTJ
};

/// GPT-J that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("GPTJForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..GPTJ
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("n_positions", Key::Size(|c| &mut c.positions)),
    ("n_embd", Key::Size(|c| &mut c.width)),
    ("n_layer", Key::Size(|c| &mut c.blocks)),
    ("n_head", Key::Size(|c| &mut c.heads)),
    ("n_inner", gpt2::INNER),
    ("rotary_dim", TURNED),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_epsilon", EPSILON),
    ("resid_pdrop", Key::Number(|c| &mut c.dropout)),
    ("attn_pdrop", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

/// How many features of a head are turned.
const TURNED: Key = Key::Derived {
    read: |config, value| {
        let turned = match value {
            None => 64,
            Some(value @ Value::Null) => return Err(KeyError::only(value, "a whole number")),
            Some(value) => size(value)?,
        };
        let width = config.width.checked_div(config.heads);
        if let Some(rotary) = &mut config.attention.rotary {
            rotary.features = (width != Some(turned)).then_some(turned);
        }
        Ok(())
    },
    write: |config| {
        let turned = config.attention.rotary.and_then(|rotary| rotary.features);
        json!(turned.unwrap_or(config.head_width()))
    },
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.wte"),
    ("encoder.{}.attention_norm", "$.h.{}.ln_1"),
    ("encoder.{}.attention.query", "$.h.{}.attn.q_proj"),
    ("encoder.{}.attention.key", "$.h.{}.attn.k_proj"),
    ("encoder.{}.attention.value", "$.h.{}.attn.v_proj"),
    ("encoder.{}.attention.output", "$.h.{}.attn.out_proj"),
    ("encoder.{}.feed_forward.up", "$.h.{}.mlp.fc_in"),
    ("encoder.{}.feed_forward.down", "$.h.{}.mlp.fc_out"),
    ("final_norm", "$.ln_f"),
    ("classifier", "lm_head"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50400 },
        biases: Biases {
            feed_forward: true,
            next_token: true,
            ..Biases::NONE
        },
        branches: Branches::ParallelOneNorm,
        norm: starcoder2::layer_norm(1e-5),
        head: Head::NextToken { tied: false },
        ..bert::sizes(TransformerConfig::llama(0), [4096, 28, 16, 16384, 2048])
    };
    config.attention.rotary = Some(RotaryConfig {
        pairs: Pairs::Neighbours,
        ..RotaryConfig::new(10_000.0)
    });
    *feed_forward(&mut config) = FeedForwardConfig {
        width: 16384,
        activation: Activation::GeluTanh,
        gated: false,
        clip: None,
    };
    config
}
