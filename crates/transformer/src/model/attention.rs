//! Multi-head attention: of a text with itself, or with another.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::{Bool, Device, Int, Tensor, kind::Basic};
use relprop_rules::{
    Operation, Pass,
    operations::{
        AttentionBias, AttentionMix, AttentionScores, AttentionWeights, EmbeddingSum,
        Linear as LinearMap, PositionScores, Rotary,
    },
    precision::widen,
};

use super::{
    attention_context::position_bias, cap::cap, distances::Disentanglement, dropout::dropout, grid,
    layer_norm::LayerNorm, linear::linear, linear::normal, sight::Sight, windows::Windows,
};
use crate::{Batch, TransformerConfig};

/// Every token attends to every token that is not hidden from it, in several heads at once.
#[derive(Module, Debug)]
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    /// What makes keys and queries of distances, where those of contents do not.
    distance_key: Option<Linear>,
    distance_query: Option<Linear>,
    query_norm: Option<LayerNorm>,
    key_norm: Option<LayerNorm>,
    output: Linear,
    /// What each distance on the grid of patches adds to scores, `[distance, head]`.
    grid: Option<Param<Tensor<2>>>,
    /// What each bucket of distances adds to scores, `[bucket, head]`, where each block has its own.
    position_bias: Option<Embedding>,
    /// The score of each head's sink, `[head]`.
    sinks: Option<Param<Tensor<1>>>,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    key_heads: usize,
    /// Whether the norms of queries and keys are over all heads together.
    #[module(skip)]
    whole_norms: bool,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    score_cap: Option<f64>,
}

/// What attention in a block needs to know about the tokens of a batch.
#[derive(Clone, Debug)]
pub(super) struct AttentionContext {
    /// True where a key is hidden from a query, `[batch, 1, 1 or query, key]`.
    pub(super) hidden: Tensor<4, Bool>,
    /// How queries and keys are rotated, if positions are rotary.
    pub(super) rotary: Option<Rotary>,
    /// What is added to scores, where positions are a bias.
    pub(super) bias: Option<AttentionBias>,
    /// The vectors of distances, in disentangled attention.
    pub(super) distances: Option<Disentanglement>,
    /// The row of each block's table for each pair of tokens, `[1 or batch, query, key]`, where positions are a bias
    /// of the block's own.
    pub(super) rows: Option<Tensor<3, Int>>,
    /// The windows that attention stays within, if it does.
    pub(super) windows: Option<Windows>,
    /// Which keys a query may see at all.
    pub(super) sight: Sight,
    /// What the heads mix, `[batch, query, feature of all heads]`, where it is known already.
    pub(super) mixed: Option<Tensor<3>>,
}

/// Queries, keys and values, `[batch, head, position, feature of a head]`.
pub(super) struct Asked {
    pub(super) query: Tensor<4>,
    pub(super) key: Tensor<4>,
    pub(super) value: Tensor<4>,
}

impl AttentionContext {
    /// That of cross-attention to the texts of a batch, from those of another: only padding is hidden, and
    /// positions say nothing.
    pub(super) fn of_keys(batch: &Batch) -> Self {
        Self::of_hidden(batch.padding.clone().unsqueeze_dims::<4>(&[1, 2]))
    }

    /// That of attention of which positions say nothing, where these keys are `hidden`, `[batch, 1, 1, key]`.
    pub(super) fn of_hidden(hidden: Tensor<4, Bool>) -> Self {
        Self {
            hidden,
            rotary: None,
            bias: None,
            distances: None,
            rows: None,
            windows: None,
            sight: Sight::default(),
            mixed: None,
        }
    }

    /// Where all tokens see the same keys, and none is turned by its place, only the token that
    /// answers needs a query.
    fn is_alike(&self) -> bool {
        let placed = self.rotary.is_some()
            || self.bias.is_some()
            || self.distances.is_some()
            || self.rows.is_some();
        !placed && self.hidden.dims()[2] == 1
    }

    /// The same for some queries of the texts, and the keys that they may see.
    pub(super) fn of_queries(&self, queries: &Range<usize>, keys: &Range<usize>) -> Self {
        let hidden = match self.hidden.dims()[2] {
            // All queries see the same keys.
            1 => pairs(self.hidden.clone(), 2, &(0..1), keys),
            _ => pairs(self.hidden.clone(), 2, queries, keys),
        };
        let bias = self.bias.as_ref().map(|bias| AttentionBias {
            bias: pairs(bias.bias.clone(), 2, queries, keys),
        });
        let distances = self.distances.as_ref();
        let distances = distances.map(|distances| Disentanglement {
            vectors: distances.vectors.clone(),
            buckets: pairs(distances.buckets.clone(), 2, queries, keys),
        });
        let rows = self.rows.clone();
        let rows = rows.map(|rows| pairs(rows, 1, queries, keys));
        Self {
            hidden,
            bias,
            distances,
            rows,
            ..self.clone()
        }
    }
}

/// The part of `x` for these queries, whose axis is `axis`, and these keys, whose axis is the next.
fn pairs<const D: usize, K: Basic>(
    x: Tensor<D, K>,
    axis: usize,
    queries: &Range<usize>,
    keys: &Range<usize>,
) -> Tensor<D, K> {
    let x = x.narrow(axis, queries.start, queries.len());
    x.narrow(axis + 1, keys.start, keys.len())
}

impl Attention {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let TransformerConfig { width, heads, .. } = *config;
        let (head_width, key_heads) = (config.head_width(), config.key_heads());
        let std = config.initializer_range;
        let bias = config.biases.attention;
        let inner = |heads: usize, bias: bool| linear(width, heads * head_width, std, bias, device);
        let distances = config.attention.disentangled;
        let own_maps = distances.is_some_and(|distances| distances.own_maps);
        let whole_norms = config.attention.whole_query_key_norm;
        let norm = |heads: usize| {
            let width = if whole_norms {
                heads * head_width
            } else {
                head_width
            };
            let wanted = config.attention.query_key_norm;
            wanted.then(|| LayerNorm::new(&config.norm, width, device))
        };
        // Scores of distances are scaled with those of contents: three products together.
        let products = distances.map_or(1.0, |_| 3.0);
        let usual = match config.scaled_attention {
            true => (products * head_width as f64).sqrt().recip(),
            false => 1.0,
        };
        let output_bias = config.biases.attention_output;
        Self {
            query: inner(heads, bias),
            key: inner(key_heads, bias && !config.biases.unbiased_keys),
            value: inner(key_heads, bias),
            distance_key: own_maps.then(|| inner(heads, false)),
            distance_query: own_maps.then(|| inner(heads, true)),
            query_norm: norm(heads),
            key_norm: norm(key_heads),
            output: linear(heads * head_width, width, std, output_bias, device),
            grid: grid::table(config, device),
            position_bias: position_bias(config, true, device),
            sinks: config
                .attention
                .sinks
                .then(|| normal(std).init([heads], device)),
            dropout: DropoutConfig::new(config.attention_dropout).init(),
            heads,
            key_heads,
            whole_norms,
            scale: config.attention.score_factor.unwrap_or(usual),
            score_cap: config.attention.score_cap,
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
        self.between(x.clone(), x, context, answer, pass)
    }

    /// The same where the tokens of `x` attend to those of `keys`, `[batch, key, feature]`: self-attention where both
    /// are the same, or cross-attention.
    pub(super) fn between(
        &self,
        x: Tensor<3>,
        keys: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let mixed = match &context.mixed {
            Some(mixed) => mixed.clone(),
            None => {
                let asked = self.asked(x, keys, context, answer, pass);
                merge(self.mix(asked, context, pass))
            }
        };
        let mixed = select_token(answer.filter(|_| !context.is_alike()), mixed);
        pass.apply("output", &LinearMap::from(&self.output), mixed)
    }

    /// What tokens ask for, and what others have for them. Only the token that `answer` marks asks where that is
    /// enough.
    pub(super) fn asked(
        &self,
        x: Tensor<3>,
        keys: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Asked {
        let asking = select_token(answer.filter(|_| context.is_alike()), x);
        let query = pass.apply("query", &LinearMap::from(&self.query), asking);
        let key = pass.apply("key", &LinearMap::from(&self.key), keys.clone());
        let value = pass.apply("value", &LinearMap::from(&self.value), keys);

        let mut query = self.normed("query-norm", &self.query_norm, query, self.heads, pass);
        let mut key = self.normed("key-norm", &self.key_norm, key, self.key_heads, pass);
        if let Some(rotary) = &context.rotary {
            query = pass.apply("query-rotary", rotary, query);
            key = pass.apply("key-rotary", rotary, key);
        }
        Asked {
            query,
            key: self.shared(key),
            value: self.shared(split(value, self.key_heads)),
        }
    }

    /// What each query takes of the values, `[batch, head, query, feature of a head]`.
    pub(super) fn mix(
        &self,
        Asked { query, key, value }: Asked,
        context: &AttentionContext,
        pass: &mut Pass,
    ) -> Tensor<4> {
        let scores = AttentionScores { scale: self.scale };
        let apart = context.distances.as_ref();
        let apart = apart.map(|distances| self.position_scores(distances, &query, &key, pass));
        let mut scores = pass.apply("scores", &scores, (query, key));
        if let Some(apart) = apart {
            scores = sum(scores, apart, pass);
        }
        if let Some(size) = self.score_cap {
            scores = capped(scores, size, pass);
        }
        if let Some(bias) = &context.bias {
            scores = pass.apply("bias", bias, scores);
        }
        let on_grid = self.grid.as_ref().map(|table| table.val());
        let table = on_grid.or_else(|| Some(self.position_bias.as_ref()?.weight.val()));
        if let (Some(table), Some(rows)) = (table, &context.rows) {
            let bias = grid::bias(widen(table), rows.clone());
            scores = pass.apply("bias", &bias, scores);
        }
        let weights = AttentionWeights {
            hidden: Some(context.hidden.clone()),
            sinks: self.sinks.as_ref().map(|sinks| widen(sinks.val())),
        };
        let weights = pass.apply("weights", &weights, scores);
        let weights = dropout(&self.dropout, weights, pass);
        pass.apply("mix", &AttentionMix, (weights, value))
    }

    /// Queries or keys by their heads, `[batch, head, position, feature]`, after the norm of each head's
    /// features, or of all of them, if there is one.
    fn normed(
        &self,
        site: &str,
        norm: &Option<LayerNorm>,
        x: Tensor<3>,
        heads: usize,
        pass: &mut Pass,
    ) -> Tensor<4> {
        match norm {
            None => split(x, heads),
            Some(norm) if self.whole_norms => split(pass.apply(site, &norm.operation(), x), heads),
            Some(norm) => normed_by_head(site, norm, split(x, heads), pass),
        }
    }

    /// What queries ask for at each distance, and keys, `[batch, head, query, key]` each: maps of the block make
    /// keys and queries of distances.
    fn position_scores(
        &self,
        distances: &Disentanglement,
        query: &Tensor<4>,
        key: &Tensor<4>,
        pass: &mut Pass,
    ) -> [Tensor<4>; 2] {
        let Disentanglement { vectors, buckets } = distances;
        let scores = |map: &Linear, buckets| PositionScores {
            positions: split(LinearMap::from(map).forward(vectors.clone()), self.heads),
            buckets,
            scale: self.scale,
        };
        let key_map = self.distance_key.as_ref().unwrap_or(&self.key);
        let query_map = self.distance_query.as_ref().unwrap_or(&self.query);
        let of_query = scores(key_map, buckets.clone());
        let of_query = pass.apply("query-distances", &of_query, query.clone());
        let of_key = scores(query_map, buckets.clone().swap_dims(2, 3));
        let of_key = pass.apply("key-distances", &of_key, key.clone());
        [of_query, of_key.swap_dims(2, 3)]
    }

    /// Hands each head of keys or values to its group of queries' heads.
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

/// The sum of scores of contents and of distances.
fn sum(scores: Tensor<4>, others: [Tensor<4>; 2], pass: &mut Pass) -> Tensor<4> {
    let shape @ [batch, heads, queries, keys] = scores.dims();
    let rows = |x: Tensor<4>| x.reshape([batch * heads, queries, keys]);
    let others = others.map(rows).to_vec();
    let sum = pass.apply("scores-sum", &EmbeddingSum, (rows(scores), others));
    sum.reshape(shape)
}

/// Scores that do not exceed `size`.
fn capped(scores: Tensor<4>, size: f64, pass: &mut Pass) -> Tensor<4> {
    let [batch, heads, queries, keys] = scores.dims();
    let rows = scores.reshape([batch, heads * queries, keys]);
    let rows = cap("cap", size, rows, pass);
    rows.reshape([batch, heads, queries, keys])
}

/// The norm of each head's features.
fn normed_by_head(site: &str, norm: &LayerNorm, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
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
pub(super) fn merge(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, position, width] = x.dims();
    x.swap_dims(1, 2).reshape([batch, position, heads * width])
}
