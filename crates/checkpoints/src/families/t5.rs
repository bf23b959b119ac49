//! T5 (Raffel et al. 2020): an encoder and a decoder whose positions are a learned bias of
//! scores. FLAN-T5 is a T5. The encoder alone makes vectors of texts (Sentence-T5, GTR).

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Value, json};

use super::{bart, bert, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    self, CLASSES, Key, KeyError, PADDING, VOCABULARY, feed_forward, flag, number, size,
};
use relprop_transformer::{
    Biases, DecoderConfig, Head, NormConfig, NormPlacement, PositionBias, TransformerConfig,
};

/// T5.
pub static T5: Family = Family {
    name: "t5",
    architecture: Some("T5ForConditionalGeneration"),
    start,
    keys: &[SHARED, BOTH, SCALED],
    ignored_keys: &[],
    base: "",
    tensors: &[TENSORS],
    variants: &[(gated, GATED)],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &[
        "$.encoder.embed_tokens.weight",
        "$.decoder.embed_tokens.weight",
        "lm_head.weight",
        // Of the first releases, which never read it.
        "$.decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
    ],
};

/// T5 that classifies a text. Its decoder reads the text once more, and the state of the last end of a text is
/// classified.
pub static LABELS: Family = Family {
    architecture: Some("T5ForSequenceClassification"),
    start: || labels(start()),
    keys: &[SHARED, BOTH, CLASSES],
    ignored_keys: UNSCALED,
    base: "transformer",
    tensors: &[bart::CLASSIFIER, TENSORS],
    ..T5
};

/// T5's encoder with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("T5ForTokenClassification"),
    start: || encoder(heads::token_labels(start())),
    keys: &[SHARED, CLASSES],
    ignored_keys: LEFT_OVER,
    base: "transformer",
    tensors: &[heads::CLASSIFIER, LAST_NORM, TENSORS],
    ..T5
};

/// T5 that finds the answer to a question. Its decoder reads both texts once more, and its states are asked.
pub static SPAN: Family = Family {
    architecture: Some("T5ForQuestionAnswering"),
    start: || spans(start()),
    keys: &[SHARED, BOTH],
    ignored_keys: UNSCALED,
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..T5
};

/// T5's encoder, which makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("T5EncoderModel"),
    start: || encoder(heads::vector(start())),
    keys: &[SHARED],
    ignored_keys: LEFT_OVER,
    tensors: &[bert::DENSE, LAST_NORM, TENSORS],
    ..T5
};

/// What T5 and its relatives say in the same words, of either stack.
#[rustfmt::skip]
pub const SHARED: Keys = &[
    ("vocab_size", VOCABULARY),
    ("d_model", Key::Size(|c| &mut c.width)),
    ("num_layers", Key::Size(|c| &mut c.blocks)),
    ("num_heads", HEADS),
    ("d_kv", llama::head_width_or::<64>()),
    ("d_ff", FEED_FORWARD),
    ("feed_forward_proj", PROJECTION),
    ("dense_act_fn", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("is_gated_act", Key::Flag(|c| &mut feed_forward(c).gated)),
    ("layer_norm_epsilon", EPSILON),
    ("relative_attention_num_buckets", BUCKETS),
    ("relative_attention_max_distance", FARTHEST),
    ("dropout_rate", Key::Number(|c| &mut c.dropout)),
    ("pad_token_id", PADDING),
    ("is_decoder", Key::Only("false")),
];

/// What they say of both together.
pub const BOTH: Keys = &[
    ("num_decoder_layers", DECODER_BLOCKS),
    ("decoder_start_token_id", bart::START),
    ("is_encoder_decoder", Key::Only("true")),
];

/// What a configuration of both stacks says of the decoder and of the logits.
const LEFT_OVER: &[&str] = &[
    "num_decoder_layers",
    "decoder_start_token_id",
    "is_encoder_decoder",
    "tie_word_embeddings",
    "scale_decoder_outputs",
];

/// What a head without a vocabulary does not ask for.
const UNSCALED: &[&str] = &["tie_word_embeddings", "scale_decoder_outputs"];

/// The norm after the encoder, where it is the last.
pub const LAST_NORM: Names = &[("final_norm", "$.encoder.final_layer_norm")];

/// Whether the logits are those of states times d^(-1/2), d the width. An untied head, which the file has then, says
/// the same as `tie_word_embeddings`: false where it is false.
const SCALED: Keys = &[
    ("tie_word_embeddings", SCALED_OUTPUT),
    ("scale_decoder_outputs", SCALED_OUTPUT_SAID),
];

const SCALED_OUTPUT: Key = Key::Derived {
    read: |config, value| {
        let scaled = match value {
            None | Some(Value::Null) => true,
            Some(value) => flag(value)?,
        };
        scale(config, scaled);
        Ok(())
    },
    write: |config| json!(config.logit_divisor.is_some()),
};

const SCALED_OUTPUT_SAID: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let scaled = flag(value)?;
        scale(config, scaled);
        Ok(())
    },
    write: |_| Value::Null,
};

fn scale(config: &mut TransformerConfig, scaled: bool) {
    config.logit_divisor = scaled.then(|| (config.width as f64).sqrt());
}

/// As many blocks as the encoder has, where it is not said.
const DECODER_BLOCKS: Key = Key::Derived {
    read: |config, value| {
        bart::decoder(config).blocks = match value {
            None | Some(Value::Null) => config.blocks,
            Some(value) => size(value)?,
        };
        Ok(())
    },
    write: |config| json!(config.decoder.map(|decoder| decoder.blocks)),
};

const HEADS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.heads = size(value)?;
        if let Some(decoder) = &mut config.decoder {
            decoder.heads = config.heads;
        }
        Ok(())
    },
    write: |config| json!(config.heads),
};

const FEED_FORWARD: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let width = size(value)?;
        feed_forward(config).width = width;
        if let Some(decoder) = &mut config.decoder {
            decoder.feed_forward = width;
        }
        Ok(())
    },
    write: |config| json!(config.feed_forward.map(|part| part.width)),
};

/// `relu`, or with a gate `gated-relu`; `gated-gelu` is the approximation by a tanh.
const PROJECTION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let said = value.as_str();
        let said = said.ok_or_else(|| KeyError::must_be(value, "the name of an activation"))?;
        let (gated, name) = match said.strip_prefix("gated-") {
            Some("gelu") => (true, "gelu_new"),
            Some(name) => (true, name),
            None => (false, said),
        };
        let part = feed_forward(config);
        part.activation = keys::activation(&json!(name))?;
        part.gated = gated;
        Ok(())
    },
    write: |config| {
        let part = config.feed_forward;
        let name = part.map_or("", |part| keys::name(part.activation));
        let gated = part.is_some_and(|part| part.gated);
        json!(match (gated, name) {
            (true, "gelu_new") => "gated-gelu".to_owned(),
            (true, name) => format!("gated-{name}"),
            (false, name) => name.to_owned(),
        })
    },
};

const EPSILON: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.norm.scale = NormScale::RootMeanSquare(number(value)?);
        Ok(())
    },
    write: |config| json!(config.norm.scale.epsilon()),
};

const BUCKETS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        *bias(config).0 = size(value)?;
        Ok(())
    },
    write: |config| json!(*bias(&mut config.clone()).0),
};

const FARTHEST: Key = Key::Custom {
    required: false,
    read: |config, value| {
        *bias(config).1 = size(value)?;
        Ok(())
    },
    write: |config| json!(*bias(&mut config.clone()).1),
};

/// The number of buckets, and the distance that the last one begins at.
fn bias(config: &mut TransformerConfig) -> (&mut usize, &mut usize) {
    let bias = &mut config.attention.bias;
    if !matches!(bias, Some(PositionBias::Learned { .. })) {
        *bias = Some(BIAS);
    }
    match bias {
        Some(PositionBias::Learned {
            buckets, farthest, ..
        }) => (buckets, farthest),
        _ => unreachable!("it was set"),
    }
}

const BIAS: PositionBias = PositionBias::Learned {
    buckets: 32,
    farthest: 128,
    alone: true,
    by_block: false,
};

/// The names of embeddings and blocks of both stacks.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.shared"),
    ("position_bias", "$.encoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
    ("encoder.{}.attention.query", "$.encoder.block.{}.layer.0.SelfAttention.q"),
    ("encoder.{}.attention.key", "$.encoder.block.{}.layer.0.SelfAttention.k"),
    ("encoder.{}.attention.value", "$.encoder.block.{}.layer.0.SelfAttention.v"),
    ("encoder.{}.attention.output", "$.encoder.block.{}.layer.0.SelfAttention.o"),
    ("encoder.{}.attention_norm", "$.encoder.block.{}.layer.0.layer_norm"),
    ("encoder.{}.feed_forward.up", "$.encoder.block.{}.layer.1.DenseReluDense.wi"),
    ("encoder.{}.feed_forward.down", "$.encoder.block.{}.layer.1.DenseReluDense.wo"),
    ("encoder.{}.feed_forward_norm", "$.encoder.block.{}.layer.1.layer_norm"),
    ("decoder.source_norm", "$.encoder.final_layer_norm"),
    ("decoder.position_bias", "$.decoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
    ("decoder.blocks.{}.attention.query", "$.decoder.block.{}.layer.0.SelfAttention.q"),
    ("decoder.blocks.{}.attention.key", "$.decoder.block.{}.layer.0.SelfAttention.k"),
    ("decoder.blocks.{}.attention.value", "$.decoder.block.{}.layer.0.SelfAttention.v"),
    ("decoder.blocks.{}.attention.output", "$.decoder.block.{}.layer.0.SelfAttention.o"),
    ("decoder.blocks.{}.attention_norm", "$.decoder.block.{}.layer.0.layer_norm"),
    ("decoder.blocks.{}.cross_attention.query", "$.decoder.block.{}.layer.1.EncDecAttention.q"),
    ("decoder.blocks.{}.cross_attention.key", "$.decoder.block.{}.layer.1.EncDecAttention.k"),
    ("decoder.blocks.{}.cross_attention.value", "$.decoder.block.{}.layer.1.EncDecAttention.v"),
    ("decoder.blocks.{}.cross_attention.output", "$.decoder.block.{}.layer.1.EncDecAttention.o"),
    ("decoder.blocks.{}.cross_attention_norm", "$.decoder.block.{}.layer.1.layer_norm"),
    ("decoder.blocks.{}.feed_forward.up", "$.decoder.block.{}.layer.2.DenseReluDense.wi"),
    ("decoder.blocks.{}.feed_forward.down", "$.decoder.block.{}.layer.2.DenseReluDense.wo"),
    ("decoder.blocks.{}.feed_forward_norm", "$.decoder.block.{}.layer.2.layer_norm"),
    ("final_norm", "$.decoder.final_layer_norm"),
    ("classifier", "lm_head"),
];

fn gated(config: &TransformerConfig) -> bool {
    config.feed_forward.is_some_and(|part| part.gated)
}

#[rustfmt::skip]
const GATED: Names = &[
    ("encoder.{}.feed_forward.gate", "$.encoder.block.{}.layer.1.DenseReluDense.wi_0"),
    ("encoder.{}.feed_forward.up", "$.encoder.block.{}.layer.1.DenseReluDense.wi_1"),
    ("decoder.blocks.{}.feed_forward.gate", "$.decoder.block.{}.layer.2.DenseReluDense.wi_0"),
    ("decoder.blocks.{}.feed_forward.up", "$.decoder.block.{}.layer.2.DenseReluDense.wi_1"),
];

/// More tokens than memory has place for: distances have buckets however long a text is.
pub const POSITIONS: usize = 1 << 20;

/// Norms without a shift before all parts, no biases, scores that are not scaled, and ReLU.
pub fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        positions: POSITIONS,
        token_types: 0,
        scaled_attention: false,
        biases: Biases::NONE,
        embedding_norm: None,
        norm: NormConfig {
            scale: NormScale::RootMeanSquare(1e-6),
            affine: true,
            plus_one: false,
            unshifted: false,
        },
        norm_placement: NormPlacement::Before,
        pooler: None,
        head: Head::NextToken { tied: true },
        labels: Vec::new(),
        decoder: Some(DecoderConfig {
            blocks: 6,
            heads: 8,
            feed_forward: 2048,
            start: 0,
        }),
        dropout: 0.1,
        ..bert::sizes(
            TransformerConfig::bert(32128, Vec::new()),
            [512, 6, 8, 2048, POSITIONS],
        )
    };
    config.attention.bias = Some(BIAS);
    feed_forward(&mut config).activation = Activation::Relu;
    config
}

/// The encoder alone of both stacks.
pub fn encoder(both: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        decoder: None,
        logit_divisor: None,
        ..both
    }
}

/// Both stacks with the head that finds answers.
pub fn spans(both: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        logit_divisor: None,
        ..heads::span(both)
    }
}

/// Both stacks with the head that classifies.
pub fn labels(both: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        pooler: Some(Activation::Tanh),
        logit_divisor: None,
        ..heads::labels_at_end(both)
    }
}
