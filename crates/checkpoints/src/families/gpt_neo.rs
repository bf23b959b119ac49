//! GPT-Neo (Black et al. 2021), as a language model: a GPT-2 whose scores are not scaled, and in which every
//! other block looks back so far only.

use super::{bert, gpt2, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, EPSILON, Key, KeyError, PADDING, TIED, VOCABULARY, blocks, feed_forward, size,
};
use relprop_transformer::{Biases, TransformerConfig};
use serde_json::{Value, json};

/// GPT-Neo.
pub static GPT_NEO: Family = Family {
    name: "gpt_neo",
    architecture: Some("GPTNeoForCausalLM"),
    start,
    keys: &[KEYS],
    // Dropout after the embeddings, and what says `attention_types` again.
    ignored_keys: &["embed_dropout", "attention_layers"],
    base: "transformer",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    // Masks, and the head where it is the table of embeddings.
    ignored_tensors: &[
        "$.h.{}.attn.attention.bias",
        "$.h.{}.attn.attention.masked_bias",
        "lm_head.weight",
    ],
};

/// GPT-Neo that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GPTNeoModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, TENSORS],
    ..GPT_NEO
};

/// GPT-Neo that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GPTNeoForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, TENSORS],
    ..GPT_NEO
};

/// GPT-Neo with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("GPTNeoForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS],
    ..GPT_NEO
};

/// GPT-Neo that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("GPTNeoForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..GPT_NEO
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_layers", Key::Size(|c| &mut c.blocks)),
    ("num_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", gpt2::INNER),
    ("window_size", WINDOW),
    ("attention_types", TYPES),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_epsilon", EPSILON),
    ("resid_dropout", Key::Number(|c| &mut c.dropout)),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

/// How many tokens a token looks at, in the blocks that have a window.
const WINDOW: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.attention.window = Some(size(value)?);
        Ok(())
    },
    write: |config| json!(blocks::window(config)),
};

/// The kind of attention of each block, as lists of kinds with how often each is repeated.
const TYPES: Key = Key::Derived {
    read: |config, value| {
        let usual = json!([[["global", "local"], 12]]);
        let value = match value {
            None | Some(Value::Null) => &usual,
            Some(value) => value,
        };
        let local = expand(value, config.blocks)?;
        if local.len() != config.blocks {
            return Err(KeyError::must_be(value, "one kind for each block"));
        }
        blocks::windows(config, &local);
        Ok(())
    },
    write: |config| {
        let kind = |index| match config.block_attention(index).window {
            None => "global",
            Some(_) => "local",
        };
        let kinds: Vec<_> = (0..config.blocks.min(1000)).map(kind).collect();
        json!([[kinds, 1]])
    },
};

/// Whether each block has a window; not more than `most` blocks and one are looked at.
fn expand(value: &Value, most: usize) -> Result<Vec<bool>, KeyError> {
    let wrong = || KeyError::must_be(value, "a list of [[kinds], number]");
    let mut local = Vec::new();
    for part in value.as_array().ok_or_else(wrong)? {
        let Some([kinds, times]) = part.as_array().map(Vec::as_slice) else {
            return Err(wrong());
        };
        let kinds = kinds.as_array().ok_or_else(wrong)?;
        let kinds: Vec<bool> = kinds
            .iter()
            .map(|kind| match kind.as_str() {
                Some("global") => Ok(false),
                Some("local") => Ok(true),
                _ => Err(KeyError::only(kind, "`global` or `local`")),
            })
            .collect::<Result<_, _>>()?;
        let repeated = kinds.iter().copied().cycle();
        let count = size(times)?.saturating_mul(kinds.len());
        local.extend(repeated.take(count.min(most.saturating_add(1).min(1001))));
    }
    Ok(local)
}

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.wte"),
    ("embeddings.position", "$.wpe"),
    ("encoder.{}.attention_norm", "$.h.{}.ln_1"),
    ("encoder.{}.attention.query", "$.h.{}.attn.attention.q_proj"),
    ("encoder.{}.attention.key", "$.h.{}.attn.attention.k_proj"),
    ("encoder.{}.attention.value", "$.h.{}.attn.attention.v_proj"),
    ("encoder.{}.attention.output", "$.h.{}.attn.attention.out_proj"),
    ("encoder.{}.feed_forward_norm", "$.h.{}.ln_2"),
    ("encoder.{}.feed_forward.up", "$.h.{}.mlp.c_fc"),
    ("encoder.{}.feed_forward.down", "$.h.{}.mlp.c_proj"),
    ("final_norm", "$.ln_f"),
    ("classifier", "lm_head"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        scaled_attention: false,
        biases: Biases {
            attention: false,
            ..Biases::default()
        },
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(gpt2::start(), [2048, 24, 16, 8192, 2048])
    };
    config.attention.window = Some(256);
    config
}
