//! Multi-head self-attention.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{AttentionMix, AttentionScores, AttentionWeights, Linear as LinearMap, Rotary},
};

use super::{dropout::dropout, layer_norm::LayerNorm, linear::linear};
use crate::TransformerConfig;

/// Every token attends to every token that is not hidden from it, in several heads at once.
#[derive(Module, Debug)]
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    query_norm: Option<LayerNorm>,
    key_norm: Option<LayerNorm>,
    output: Linear,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    key_heads: usize,
    #[module(skip)]
    scale: f64,
}

/// What attention in every block needs to know about the tokens of a batch.
#[derive(Clone, Debug)]
pub(super) struct AttentionContext {
    /// True where a key is hidden from a query, `[batch, 1, 1 or query, key]`.
    pub(super) hidden: Tensor<4, Bool>,
    /// How queries and keys are rotated, if positions are rotary.
    pub(super) rotary: Option<Rotary>,
}

impl Attention {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let TransformerConfig { width, heads, .. } = *config;
        let (head_width, key_heads) = (config.head_width(), config.key_heads());
        let std = config.initializer_range;
        let inner = |heads: usize| {
            let bias = config.biases.attention;
            linear(width, heads * head_width, std, bias, device)
        };
        let norm = || {
            let wanted = config.attention.query_key_norm;
            wanted.then(|| LayerNorm::new(&config.norm, head_width, device))
        };
        let output_bias = config.biases.attention_output;
        Self {
            query: inner(heads),
            key: inner(key_heads),
            value: inner(key_heads),
            query_norm: norm(),
            key_norm: norm(),
            output: linear(heads * head_width, width, std, output_bias, device),
            dropout: DropoutConfig::new(config.attention_dropout).init(),
            heads,
            key_heads,
            scale: if config.scaled_attention {
                (head_width as f64).sqrt().recip()
            } else {
                1.0
            },
        }
    }

    /// `x`: `[batch, position, feature]`. Returns `[batch, position, feature]`; if `answer` marks
    /// one token of each text, returns that token alone, `[batch, 1, feature]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        // If all tokens attend to the same keys and positions are not rotary, only the token that
        // the head reads needs a query.
        let alike = context.rotary.is_none() && context.hidden.dims()[2] == 1;
        let (asking, answer) = match alike {
            true => (select_token(answer, x.clone()), None),
            false => (x.clone(), answer),
        };
        let query = pass.apply("query", &LinearMap::from(&self.query), asking);
        let key = pass.apply("key", &LinearMap::from(&self.key), x.clone());
        let value = pass.apply("value", &LinearMap::from(&self.value), x);

        let mut query = normed(
            "query-norm",
            &self.query_norm,
            split(query, self.heads),
            pass,
        );
        let mut key = normed("key-norm", &self.key_norm, split(key, self.key_heads), pass);
        if let Some(rotary) = &context.rotary {
            query = pass.apply("query-rotary", rotary, query);
            key = pass.apply("key-rotary", rotary, key);
        }
        let (key, value) = (self.shared(key), self.shared(split(value, self.key_heads)));

        let scores = AttentionScores { scale: self.scale };
        let scores = pass.apply("scores", &scores, (query, key));
        let hidden = Some(context.hidden.clone());
        let weights = pass.apply("weights", &AttentionWeights { hidden }, scores);
        let weights = dropout(&self.dropout, weights, pass);
        let mixed = pass.apply("mix", &AttentionMix, (weights, value));

        let mixed = select_token(answer, merge(mixed));
        pass.apply("output", &LinearMap::from(&self.output), mixed)
    }

    /// Repeats each head of keys or values for its group of queries' heads.
    fn shared(&self, x: Tensor<4>) -> Tensor<4> {
        if self.key_heads == self.heads {
            return x;
        }
        let [batch, key_heads, position, width] = x.dims();
        let group = self.heads / key_heads;
        x.unsqueeze_dim::<5>(2)
            .expand([batch, key_heads, group, position, width])
            .reshape([batch, self.heads, position, width])
    }
}

/// The token of each text that `answer` marks with a 1, `[batch, 1, position]`; without `answer`,
/// all tokens.
pub(super) fn select_token(answer: Option<&Tensor<3>>, x: Tensor<3>) -> Tensor<3> {
    match answer {
        Some(answer) => answer.clone().cast(x.dtype()).matmul(x),
        None => x,
    }
}

/// The norm of each head's features, if there is one.
fn normed(site: &str, norm: &Option<LayerNorm>, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
    let Some(norm) = norm else { return x };
    let [batch, heads, position, width] = x.dims();
    let rows = x.reshape([batch, heads * position, width]);
    let rows = pass.apply(site, &norm.operation(), rows);
    rows.reshape([batch, heads, position, width])
}

/// `[batch, position, feature]` to `[batch, head, position, feature of a head]`.
fn split(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, position, width] = x.dims();
    x.reshape([batch, position, heads, width / heads])
        .swap_dims(1, 2)
}

/// `[batch, head, position, feature of a head]` to `[batch, position, feature]`.
fn merge(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, position, width] = x.dims();
    x.swap_dims(1, 2).reshape([batch, position, heads * width])
}
