//! The BERT family: `BertForSequenceClassification`.

use std::collections::BTreeMap;

use relprop_rules::operations::{Activation, NormScale};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{FeedForwardConfig, NormConfig, NormPlacement, TransformerConfig};

const ARCHITECTURE: &str = "BertForSequenceClassification";

pub(super) const TENSOR_NAMES: &[(&str, &str)] = &[
    ("embeddings.word", "bert.embeddings.word_embeddings"),
    ("embeddings.position", "bert.embeddings.position_embeddings"),
    (
        "embeddings.token_type",
        "bert.embeddings.token_type_embeddings",
    ),
    ("embeddings.norm", "bert.embeddings.LayerNorm"),
    (
        "encoder.{}.attention.query",
        "bert.encoder.layer.{}.attention.self.query",
    ),
    (
        "encoder.{}.attention.key",
        "bert.encoder.layer.{}.attention.self.key",
    ),
    (
        "encoder.{}.attention.value",
        "bert.encoder.layer.{}.attention.self.value",
    ),
    (
        "encoder.{}.attention.output",
        "bert.encoder.layer.{}.attention.output.dense",
    ),
    (
        "encoder.{}.attention_norm",
        "bert.encoder.layer.{}.attention.output.LayerNorm",
    ),
    (
        "encoder.{}.feed_forward.up",
        "bert.encoder.layer.{}.intermediate.dense",
    ),
    (
        "encoder.{}.feed_forward.down",
        "bert.encoder.layer.{}.output.dense",
    ),
    (
        "encoder.{}.feed_forward_norm",
        "bert.encoder.layer.{}.output.LayerNorm",
    ),
    ("pooler.linear", "bert.pooler.dense"),
];

/// Old checkpoints store the numbers 0, 1, 2, ... that positions are looked up by.
pub(super) const IGNORED_TENSORS: &[&str] = &["bert.embeddings.position_ids"];

/// What transformers calls the activations; the first name of each is the one that is written.
const ACTIVATIONS: [(&str, Activation); 6] = [
    ("gelu", Activation::Gelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("tanh", Activation::Tanh),
];

/// The keys of `config.json` that decide what is computed, with BERT's defaults.
#[derive(Serialize, Deserialize)]
struct BertConfig {
    architectures: Vec<String>,
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "epsilon")]
    layer_norm_eps: f64,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    #[serde(default)]
    pad_token_id: Option<u32>,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default = "initializer")]
    initializer_range: f64,
    #[serde(default)]
    id2label: BTreeMap<usize, String>,
    #[serde(default)]
    label2id: BTreeMap<String, usize>,
}

fn two() -> usize {
    2
}
fn epsilon() -> f64 {
    1e-12
}
fn tenth() -> f64 {
    0.1
}
fn initializer() -> f64 {
    0.02
}
fn absolute() -> String {
    "absolute".to_owned()
}

pub(super) fn read_config(json: &Value) -> Result<TransformerConfig, String> {
    let bert: BertConfig = serde_json::from_value(json.clone()).map_err(|e| e.to_string())?;
    if !bert.architectures.iter().any(|name| name == ARCHITECTURE) {
        let found = bert.architectures.join(", ");
        return Err(format!(
            "`architectures` is [{found}]; only {ARCHITECTURE} is supported"
        ));
    }
    if bert.position_embedding_type != "absolute" {
        return Err(format!(
            "`position_embedding_type` is `{}`; only `absolute` is supported",
            bert.position_embedding_type
        ));
    }
    if bert.is_decoder {
        return Err("`is_decoder` is true; only encoders are supported".to_owned());
    }
    let named = ACTIVATIONS
        .iter()
        .find(|(name, _)| *name == bert.hidden_act);
    let Some((_, activation)) = named else {
        let names = ACTIVATIONS.map(|(name, _)| format!("`{name}`"));
        return Err(format!(
            "`hidden_act` is `{}`; supported are {}",
            bert.hidden_act,
            names.join(", ")
        ));
    };
    let activation = *activation;
    let norm = NormConfig {
        scale: NormScale::InsideRoot(bert.layer_norm_eps),
        affine: true,
    };
    Ok(TransformerConfig {
        vocabulary: bert.vocab_size,
        positions: bert.max_position_embeddings,
        token_types: bert.type_vocab_size,
        padding_token: bert.pad_token_id.unwrap_or(0),
        width: bert.hidden_size,
        blocks: bert.num_hidden_layers,
        heads: bert.num_attention_heads,
        scaled_attention: true,
        feed_forward: Some(FeedForwardConfig {
            width: bert.intermediate_size,
            activation,
        }),
        embedding_norm: Some(norm),
        norm,
        norm_placement: NormPlacement::After,
        pooler: Some(Activation::Tanh),
        labels: labels(bert.id2label)?,
        dropout: bert.hidden_dropout_prob,
        attention_dropout: bert.attention_probs_dropout_prob,
        initializer_range: bert.initializer_range,
    })
}

/// The labels in the order of their ids; Hugging Face's own two if none are given.
fn labels(id2label: BTreeMap<usize, String>) -> Result<Vec<String>, String> {
    if id2label.is_empty() {
        return Ok(vec!["LABEL_0".to_owned(), "LABEL_1".to_owned()]);
    }
    if !id2label.keys().copied().eq(0..id2label.len()) {
        return Err("the ids in `id2label` are not 0, 1, 2, ...".to_owned());
    }
    Ok(id2label.into_values().collect())
}

/// Whether a BERT can be configured to be this model.
pub(super) fn expresses(config: &TransformerConfig) -> bool {
    let norm_of_bert =
        |norm: &NormConfig| norm.affine && matches!(norm.scale, NormScale::InsideRoot(_));
    norm_of_bert(&config.norm)
        && config.embedding_norm == Some(config.norm)
        && config.norm_placement == NormPlacement::After
        && config.scaled_attention
        && config.token_types > 0
        && config.pooler == Some(Activation::Tanh)
        && config.feed_forward.is_some()
}

pub(super) fn write_config(config: &TransformerConfig) -> Value {
    let part = config.feed_forward;
    let labels = || config.labels.iter().cloned().enumerate();
    let bert = BertConfig {
        architectures: vec![ARCHITECTURE.to_owned()],
        model_type: "bert".to_owned(),
        vocab_size: config.vocabulary,
        hidden_size: config.width,
        num_hidden_layers: config.blocks,
        num_attention_heads: config.heads,
        intermediate_size: part.map_or(0, |part| part.width),
        hidden_act: ACTIVATIONS
            .iter()
            .find(|(_, known)| part.is_some_and(|part| part.activation == *known))
            .map(|(name, _)| (*name).to_owned())
            .unwrap_or_default(),
        max_position_embeddings: config.positions,
        type_vocab_size: config.token_types,
        layer_norm_eps: config.norm.scale.epsilon(),
        hidden_dropout_prob: config.dropout,
        attention_probs_dropout_prob: config.attention_dropout,
        pad_token_id: Some(config.padding_token),
        position_embedding_type: absolute(),
        is_decoder: false,
        initializer_range: config.initializer_range,
        id2label: labels().collect(),
        label2id: labels().map(|(id, label)| (label, id)).collect(),
    };
    // A struct of numbers and strings always has a JSON form.
    serde_json::to_value(bert).unwrap_or_default()
}
