//! A Transformer in plain tensor arithmetic, and relevance walked back through it, law by law.
//!
//! It shares with the model only the parameters and the configuration. Every layer gives its value
//! and its way back, from the relevance of the value to that of the input. No tensor is tracked.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Tensor, TensorData};
use relprop_rules::explicit::{attention, general, norm};
use relprop_rules::operations::{Activation, Linear, Norm, NormScale};
use relprop_transformer::{Head, NormConfig, TransformerConfig};

use super::block::{merge, split};
use super::laws::{Heads, Laws, Maps, Norms};
use super::rotation::Rotation;
use super::windows::Place;

pub struct Network<'a> {
    /// Every parameter, row by row, by its name.
    pub parameters: &'a BTreeMap<String, Vec<f64>>,
    pub config: &'a TransformerConfig,
    pub laws: Laws,
    /// Where the parameters of the blocks are: those of an encoder, unless it is the decoder of two stacks.
    pub stack: &'static str,
}

/// The blocks of a model that has one stack.
pub const ENCODER: &str = "encoder";

/// From the relevance of a layer's value to the relevance of its input.
pub type Back<'a> = Box<dyn FnOnce(Tensor<3>) -> Tensor<3> + 'a>;

/// From the relevance of the features of heads to the relevance of the map that made them.
type BackOfHeads<'a> = Box<dyn FnOnce(Tensor<4>) -> Tensor<3> + 'a>;

/// From two factors and the relevance of their product to the relevance of each.
type Product = fn(Tensor<4>, Tensor<4>, Tensor<4>) -> (Tensor<4>, Tensor<4>);

/// What the network makes of one text.
pub struct Walk {
    pub logits: Vec<f64>,
    /// R at the input of the first block, summed over features, for each token.
    pub tokens: Vec<f64>,
}

impl Network<'_> {
    /// Runs the tokens `ids` through the network, reads the logits at the token `read`, and walks the
    /// sum of the logits in `target`, each times its weight, back.
    pub fn explain(&self, ids: &[u32], read: usize, target: &[(usize, f64)]) -> Walk {
        self.explain_from(self.embed(ids), read, target)
    }

    /// The same from the input of the first block, `[1, position, feature]`.
    pub fn explain_from(&self, mut x: Tensor<3>, read: usize, target: &[(usize, f64)]) -> Walk {
        let mut backs = Vec::new();
        for block in 0..self.config.blocks {
            let (y, back) = self.staged(block, x);
            backs.push(back);
            x = y;
        }
        let final_norm = |x| self.norm("final_norm", &self.config.norm, x);
        let late = self.config.norm_after_pooling;
        if self.config.norm_placement.has_final() && !late {
            let (y, back) = final_norm(x);
            backs.push(back);
            x = y;
        }
        let (mut x, back) = self.pooled(read, x);
        backs.push(back);
        if late {
            let (y, back) = final_norm(x);
            backs.push(back);
            x = y;
        }
        if let Some(phi) = self.config.pooler {
            let (z, back) = self.map("pooler.linear", self.laws.maps, x);
            backs.push(back);
            let (y, back) = self.activation(phi, z);
            backs.push(back);
            x = y;
        }
        let (logits, back) = self.head(x);
        backs.push(back);

        let mut weights = vec![0.0; self.config.logits()];
        target
            .iter()
            .for_each(|(label, weight)| weights[*label] += weight);
        let start = logits.clone() * self.tensor(&weights, [1, 1, weights.len()]);
        let relevance = backs.into_iter().rev().fold(start, |r, back| back(r));
        Walk {
            logits: relprop_testing::numbers(logits),
            tokens: relprop_testing::numbers(relevance.sum_dim(2)),
        }
    }

    pub(super) fn attention(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let map = |part: &str, x| {
            let name = format!("{}.{}.attention.{part}", self.stack, self.own(block));
            self.map(&name, self.laws.maps_of_attention, x)
        };
        let (query, query_back) = map("query", x.clone());
        let (key, key_back) = map("key", x.clone());
        let (value, value_back) = map("value", x);
        let key_heads = self.config.key_heads();
        let of_heads = |part, x, heads| self.normed_and_turned(block, part, x, heads);
        let (query, of_query_back) = of_heads("query_norm", query, self.config.heads);
        let (key, of_key_back) = of_heads("key_norm", key, key_heads);
        let (key, value) = (self.shared(key), self.shared(split(value, key_heads)));

        let products = match self.config.attention.disentangled {
            Some(_) => 3.0,
            None => 1.0,
        };
        let scale = match self.config.scaled_attention {
            true => (products * self.config.head_width() as f64).sqrt().recip(),
            false => 1.0,
        };
        let scale = self.config.attention.score_factor.unwrap_or(scale);
        let scores = query.clone().matmul(key.clone().swap_dims(2, 3)) * scale;
        let [_, _, tokens, _] = scores.dims();
        let (scores, apart_back) = self.with_distances(block, scores, &query, &key);
        let (scores, scores_back) = self.capped_and_biased(block, scores);
        let visible = self.visible(block, tokens);
        let largest = scores.clone().max_dim(3);
        let weights = (scores.clone() - largest.clone()).exp() * visible;
        let mut all = weights.clone().sum_dim(3);
        if self.config.attention.sinks {
            let sinks = &self.parameters[&format!("encoder.{block}.attention.sinks")];
            let sinks = self.tensor(sinks, [1, self.config.heads, 1, 1]);
            all = all + (sinks.expand(largest.dims()) - largest).exp();
        }
        let weights = weights / all;
        let mixture = weights.clone().matmul(value.clone());
        let (y, output_back) = map("output", merge(mixture));

        let back = move |r| {
            let of_mixture = split(output_back(r), self.config.heads);
            let value_back = |r| value_back(merge(self.gathered(r)));
            let (of_mixing, of_product): (Product, Product) = match self.laws.heads {
                Heads::ConstantWeights => {
                    return value_back(attention::ah_rule(weights, value, of_mixture));
                }
                Heads::PlainGradient => (
                    attention::mixing_plain_gradient,
                    attention::scores_plain_gradient,
                ),
                Heads::Uniform => (attention::mixing_uniform, attention::scores_uniform),
            };
            let (of_weights, of_value) = of_mixing(weights.clone(), value, of_mixture);
            let of_scores = attention::softmax_plain_gradient(scores, weights, of_weights);
            let (of_scores, of_distances) = apart_back(scores_back(of_scores));
            let (mut of_query, mut of_key) = of_product(query, key, of_scores);
            if let Some((more_of_query, more_of_key)) = of_distances {
                of_query = of_query + more_of_query;
                of_key = of_key + more_of_key;
            }
            let of_query = query_back(of_query_back(of_query));
            let of_key = key_back(of_key_back(self.gathered(of_key)));
            of_query + of_key + value_back(of_value)
        };
        (y, Box::new(back))
    }

    /// The queries or keys of each head, normed and turned where the model does that.
    fn normed_and_turned(
        &self,
        block: usize,
        norm: &str,
        x: Tensor<3>,
        heads: usize,
    ) -> (Tensor<4>, BackOfHeads<'_>) {
        let [_, tokens, width] = x.dims();
        let attention = &self.config.attention;
        let of_a_head = width / heads;
        let norm = format!("{}.{}.attention.{norm}", self.stack, self.own(block));
        let by_head = [1, heads * tokens, of_a_head];
        let (x, norm_back): (Tensor<4>, BackOfHeads) = match attention.query_key_norm {
            false => (split(x, heads), Box::new(merge)),
            true if attention.whole_query_key_norm => {
                let (x, back) = self.norm(&norm, &self.config.norm, x);
                (split(x, heads), Box::new(|r| back(merge(r))))
            }
            true => {
                let x = split(x, heads);
                let shape = x.dims();
                let (x, back) = self.norm(&norm, &self.config.norm, x.reshape(by_head));
                let back = move |r: Tensor<4>| merge(back(r.reshape(by_head)).reshape(shape));
                (x.reshape(shape), Box::new(back))
            }
        };
        let Some(rotary) = self.config.block_attention(block).rotary else {
            return (x, norm_back);
        };
        let shape = x.dims();
        let rows = [heads * tokens, of_a_head];
        let rotation = Rotation::new(self.config, &rotary, tokens);
        let matrices = self.tensor(&rotation.matrices(), [tokens, of_a_head, of_a_head]);
        let matrices = matrices.repeat_dim(0, heads);
        let x: Tensor<2> = x.reshape(rows);
        let y = x.clone().unsqueeze_dim::<3>(1).matmul(matrices.clone());
        let y: Tensor<2> = y.squeeze_dim(1);
        let turned = y.clone().reshape(shape);
        let back = move |r: Tensor<4>| {
            let r = general::general(x, y, matrices, r.reshape(rows));
            norm_back(r.reshape(shape))
        };
        (turned, Box::new(back))
    }

    /// 1 where a token looks at another, and 0 elsewhere, `[1, 1, query, key]`.
    fn visible(&self, block: usize, tokens: usize) -> Tensor<4> {
        let attention = &self.config.attention;
        let window = self.config.block_attention(block).window;
        let place = Place::of(self.config, block);
        let sees = |query: usize, key: usize| {
            if let Some(place) = place {
                return place.sees(query, key);
            }
            let near = window.is_none_or(|window| key + window > query);
            !attention.causal || (key <= query && near)
        };
        let pairs = (0..tokens).flat_map(|query| (0..tokens).map(move |key| (query, key)));
        let sees: Vec<f64> = pairs
            .map(|(query, key)| f64::from(u8::from(sees(query, key))))
            .collect();
        self.tensor(&sees, [1, 1, tokens, tokens])
    }

    /// Each head of keys or values once for every head of queries that it serves.
    fn shared(&self, x: Tensor<4>) -> Tensor<4> {
        let group = self.config.heads / self.config.key_heads();
        let heads = x.chunk(self.config.key_heads(), 1).into_iter();
        Tensor::cat(heads.flat_map(|head| vec![head; group]).collect(), 1)
    }

    /// The relevance of each head of keys or values: what comes back from all that it served.
    fn gathered(&self, r: Tensor<4>) -> Tensor<4> {
        let groups = r.chunk(self.config.key_heads(), 1).into_iter();
        Tensor::cat(groups.map(|group| group.sum_dim(1)).collect(), 1)
    }

    /// The logits, with their divisor and cap.
    pub(super) fn head(&self, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let (logits, head_back) = self.uncapped_head(x);
        let logits = logits / self.config.logit_divisor.unwrap_or(1.0);
        let Some(cap) = self.config.logit_cap else {
            return (logits, head_back);
        };
        let (y, back) = self.activation(Activation::Tanh, logits / cap);
        (y * cap, Box::new(|r| head_back(back(r))))
    }

    /// The logits: of a matrix of their own, or of the table of word embeddings.
    fn uncapped_head(&self, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        if let Head::Vector { dense: None, .. } = self.config.head {
            return (x, Box::new(|r| r));
        }
        if !matches!(self.config.head, Head::NextToken { tied: true }) {
            let (y, back) = self.map("classifier", self.laws.maps, x);
            let Head::Vector {
                second: Some(_), ..
            } = self.config.head
            else {
                return (y, back);
            };
            let (y, second_back) = self.map("second_classifier", self.laws.maps, y);
            return (y, Box::new(move |r| back(second_back(r))));
        }
        let table = &self.parameters["embeddings.word.weight"];
        let table = self.tensor(table, [self.config.vocabulary(), self.config.width]);
        let weight = table.transpose();
        let bias = self.parameters.get("classifier_bias");
        let bias = bias.map(|bias| self.tensor(bias, [self.config.vocabulary()]));
        self.through(Linear { weight, bias }, self.laws.maps, x)
    }

    pub(super) fn map(&self, name: &str, law: Maps, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let [_, _, inputs] = x.dims();
        let weight = &self.parameters[&format!("{name}.weight")];
        let outputs = weight.len() / inputs;
        let bias = self.parameters.get(&format!("{name}.bias"));
        let map = Linear {
            weight: self.tensor(weight, [inputs, outputs]),
            bias: bias.map(|bias| self.tensor(bias, [outputs])),
        };
        self.through(map, law, x)
    }

    fn through(&self, map: Linear, law: Maps, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let mut z = x.clone().matmul(map.weight.clone().unsqueeze());
        if let Some(bias) = &map.bias {
            z = z + bias.clone().unsqueeze();
        }
        (z, Box::new(move |r| law.propagate(&map, x, r)))
    }

    pub(super) fn norm(
        &self,
        name: &str,
        config: &NormConfig,
        x: Tensor<3>,
    ) -> (Tensor<3>, Back<'_>) {
        let [_, _, width] = x.dims();
        let parameter = |part: &str| {
            let values = self.parameters.get(&format!("{name}.{part}"));
            values.map(|values| self.tensor(values, [width]))
        };
        let norm = Norm {
            scale: config.scale,
            gamma: parameter("gamma").map(|gamma| gamma + f64::from(u8::from(config.plus_one))),
            beta: parameter("beta"),
        };
        let centred = match config.scale {
            NormScale::RootMeanSquare(_) => x.clone(),
            _ => x.clone() - x.clone().mean_dim(2),
        };
        let squares = centred.clone().square().sum_dim(2);
        let size = match config.scale {
            NormScale::InsideRoot(epsilon) | NormScale::RootMeanSquare(epsilon) => {
                (squares / width as f64 + epsilon).sqrt()
            }
            NormScale::OutsideRoot(epsilon) => (squares / (width - 1) as f64).sqrt() + epsilon,
        };
        let mut y = centred / size;
        if let Some(gamma) = &norm.gamma {
            y = y * gamma.clone().unsqueeze();
        }
        if let Some(beta) = &norm.beta {
            y = y + beta.clone().unsqueeze();
        }
        let law = match self.laws.norms {
            Norms::PlainGradient => norm::plain_gradient,
            Norms::ConstantScale => norm::ln_rule,
        };
        (y, Box::new(move |r| law(&norm, x, r)))
    }

    /// The input of the first block, `[1, position, feature]`.
    fn embed(&self, ids: &[u32]) -> Tensor<3> {
        let width = self.config.embedding_width.unwrap_or(self.config.width);
        let row = |table: &str, index: usize| -> &[f64] {
            let table = &self.parameters[&format!("embeddings.{table}.weight")];
            &table[index * width..][..width]
        };
        let mut values = Vec::new();
        let (first, mut taken) = (self.config.first_position, 0);
        for (position, id) in ids.iter().enumerate() {
            // Where rows are left to padding, it takes no place.
            let padding = first > 0 && *id == self.config.padding_token;
            let position = match (first, padding) {
                (0, _) => position,
                (_, true) => first - 1,
                (_, false) => first + taken,
            };
            taken += usize::from(!padding);
            let mut sum = row("word", *id as usize).to_vec();
            if let Some(factor) = self.config.word_factor() {
                sum.iter_mut().for_each(|x| *x *= factor);
            }
            let mut add = |other: &[f64]| sum.iter_mut().zip(other).for_each(|(a, b)| *a += b);
            if self.config.has_position_table() {
                add(row("position", position));
            }
            if self.config.token_types > 0 {
                add(row("token_type", 0));
            }
            if self.config.tasks > 0 {
                add(row("task", 0));
            }
            values.extend(sum);
        }
        let x = self.tensor(&values, [1, ids.len(), width]);
        let x = match &self.config.embedding_norm {
            Some(config) => self.norm("embeddings.norm", config, x).0,
            None => x,
        };
        if width == self.config.width {
            return x;
        }
        self.map("embeddings.projection", self.laws.maps, x).0
    }

    pub(super) fn tensor<const D: usize>(&self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, (&Device::flex(), DType::F64))
    }
}
