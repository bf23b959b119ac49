//! MPT (MosaicML 2023), as a language model: a BLOOM without biases.

use super::{bert, bloom, heads, llama, starcoder2};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, EPSILON, Key, KeyError, PADDING, TIED, VOCABULARY, feed_forward, number, size,
};
use relprop_rules::operations::Activation;
use relprop_transformer::{Biases, InputConfig, NormConfig, TransformerConfig};
use serde_json::{Value, json};

/// MPT.
pub static MPT: Family = Family {
    name: "mpt",
    architecture: Some("MptForCausalLM"),
    start,
    keys: &[KEYS],
    // What transformers has for files of MosaicML's own code, and computes nothing from.
    ignored_keys: &[
        "emb_pdrop",
        "embedding_fraction",
        "expansion_ratio",
        "init_device",
        "learned_pos_emb",
        "logit_scale",
        "no_bias",
        "norm_type",
    ],
    base: "transformer",
    tensors: &[TENSORS, llama::HEAD],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &["lm_head.weight"],
};

/// MPT that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("MptForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, TENSORS],
    ..MPT
};

/// MPT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("MptForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS],
    ..MPT
};

/// MPT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("MptForQuestionAnswering"),
    start: || heads::span(start()),
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..MPT
};

/// MPT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("MptModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, TENSORS],
    ..MPT
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("d_model", bloom::WIDTH),
    // It is always 4, whatever the file says.
    ("n_layers", Key::Size(|c| &mut c.blocks)),
    ("n_heads", HEADS),
    ("max_seq_len", Key::Size(|c| &mut c.positions)),
    ("attn_config", ATTENTION),
    ("layer_norm_epsilon", EPSILON),
    ("resid_pdrop", Key::Number(|c| &mut c.dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

/// Of other numbers of heads, the bias of distances is another one than BLOOM's.
const HEADS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.heads = size(value)?;
        match config.heads.is_power_of_two() {
            true => Ok(()),
            false => Err(KeyError::only(value, "a power of 2")),
        }
    },
    write: |config| json!(config.heads),
};

/// What is said of attention. A mask of prefixes, norms of queries and keys, and attention without a bias of
/// distances are in MosaicML's own code, and not in that of transformers.
const ATTENTION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let object = value.as_object();
        let object = object.ok_or_else(|| KeyError::must_be(value, "an object"))?;
        for (key, supported) in [
            ("prefix_lm", json!(false)),
            ("qk_ln", json!(false)),
            ("alibi", json!(true)),
            ("clip_qkv", Value::Null),
        ] {
            let said = object.get(key).unwrap_or(&supported);
            if *said != supported {
                return Err(KeyError::only(said, &supported.to_string()).within(key));
            }
        }
        let said = |key: &str| object.get(key).filter(|value| !value.is_null());
        if let Some(factor) = said("softmax_scale") {
            let factor = number(factor).map_err(|error| error.within("softmax_scale"))?;
            config.attention.score_factor = Some(factor);
        }
        if let Some(share) = said("attn_pdrop") {
            let share = number(share).map_err(|error| error.within("attn_pdrop"))?;
            config.attention_dropout = share;
        }
        Ok(())
    },
    write: |config| {
        json!({
            "softmax_scale": config.attention.score_factor,
            "attn_pdrop": config.attention_dropout,
        })
    },
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.wte"),
    ("encoder.{}.attention_norm", "$.blocks.{}.norm_1"),
    ("encoder.{}.attention.query", "$.blocks.{}.attn.Wqkv"),
    ("encoder.{}.attention.key", "$.blocks.{}.attn.Wqkv"),
    ("encoder.{}.attention.value", "$.blocks.{}.attn.Wqkv"),
    ("encoder.{}.attention.output", "$.blocks.{}.attn.out_proj"),
    ("encoder.{}.feed_forward_norm", "$.blocks.{}.norm_2"),
    ("encoder.{}.feed_forward.up", "$.blocks.{}.ffn.up_proj"),
    ("encoder.{}.feed_forward.down", "$.blocks.{}.ffn.down_proj"),
    ("final_norm", "$.norm_f"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50368 },
        embedding_norm: None,
        norm: NormConfig {
            unshifted: true,
            ..starcoder2::layer_norm(1e-5)
        },
        biases: Biases::NONE,
        ..bert::sizes(bloom::start(), [2048, 24, 16, 8192, 2048])
    };
    feed_forward(&mut config).activation = Activation::Gelu;
    config
}
