//! A Transformer in plain tensor arithmetic, and relevance walked back through it, law by law.
//!
//! It shares with the model only the parameters and the configuration. Every layer gives its value
//! and its way back, from the relevance of the value to that of the input. No tensor is tracked.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Tensor, TensorData};
use relprop_rules::explicit::{activation, attention, general, norm, product, residual};
use relprop_rules::operations::{Activation, Linear, Norm, NormScale};
use relprop_transformer::{FeedForwardConfig, Head, NormConfig, NormPlacement, TransformerConfig};

use super::laws::{Activations, Gates, Heads, Laws, Maps, Norms};
use super::rotation::Rotation;

pub struct Network<'a> {
    /// Every parameter, row by row, by its name.
    pub parameters: &'a BTreeMap<String, Vec<f64>>,
    pub config: &'a TransformerConfig,
    pub laws: Laws,
    pub dtype: DType,
}

/// From the relevance of a layer's value to the relevance of its input.
type Back<'a> = Box<dyn FnOnce(Tensor<3>) -> Tensor<3> + 'a>;

/// The same for the features of heads.
type BackOfHeads<'a> = Box<dyn FnOnce(Tensor<4>) -> Tensor<4> + 'a>;

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
        let mut x = self.embed(ids);
        let mut backs = Vec::new();
        for block in 0..self.config.blocks {
            for (branch, norm) in self.block(block) {
                let (y, back) = self.around(branch, norm, x);
                backs.push(back);
                x = y;
            }
        }
        if matches!(self.config.norm_placement, NormPlacement::Before) {
            let (y, back) = self.norm("final_norm", &self.config.norm, x);
            backs.push(back);
            x = y;
        }
        let (mut x, back) = self.one_token(read, x);
        backs.push(back);
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

    /// The branches of a block, each with the name of its norm.
    fn block(&self, block: usize) -> Vec<(Branch, String)> {
        let name = |part: &str| format!("encoder.{block}.{part}");
        let attention = (Branch::Attention(block), name("attention_norm"));
        let feed_forward = self.config.feed_forward.map(|part| {
            let branch = Branch::FeedForward(block, part);
            (branch, name("feed_forward_norm"))
        });
        [Some(attention), feed_forward]
            .into_iter()
            .flatten()
            .collect()
    }

    /// A branch with its residual sum, and the norm before or after.
    fn around(&self, branch: Branch, norm: String, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let config = &self.config.norm;
        let run = |x| match branch {
            Branch::Attention(block) => self.attention(block, x),
            Branch::FeedForward(block, part) => self.feed_forward(block, part, x),
        };
        match self.config.norm_placement {
            NormPlacement::Before => {
                let (normed, norm_back) = self.norm(&norm, config, x.clone());
                let (out, branch_back) = run(normed);
                let sum = x.clone() + out.clone();
                let back = |r| {
                    let (of_x, of_out) = residual::proportional(x, out, r);
                    of_x + norm_back(branch_back(of_out))
                };
                (sum, Box::new(back))
            }
            NormPlacement::After => {
                let (out, branch_back) = run(x.clone());
                let (y, norm_back) = self.norm(&norm, config, x.clone() + out.clone());
                let back = |r| {
                    let (of_x, of_out) = residual::proportional(x, out, norm_back(r));
                    of_x + branch_back(of_out)
                };
                (y, Box::new(back))
            }
        }
    }

    fn attention(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let map = |part: &str, x| {
            let name = format!("encoder.{block}.attention.{part}");
            self.map(&name, self.laws.maps_of_attention, x)
        };
        let (query, query_back) = map("query", x.clone());
        let (key, key_back) = map("key", x.clone());
        let (value, value_back) = map("value", x);
        let of_heads = |part: &str, x| {
            let name = format!("encoder.{block}.attention.{part}");
            self.normed_and_turned(&name, x)
        };
        let key_heads = self.config.key_heads();
        let (query, of_query_back) = of_heads("query_norm", split(query, self.config.heads));
        let (key, of_key_back) = of_heads("key_norm", split(key, key_heads));
        let (key, value) = (self.shared(key), self.shared(split(value, key_heads)));

        let scale = if self.config.scaled_attention {
            (self.config.head_width() as f64).sqrt().recip()
        } else {
            1.0
        };
        let scores = query.clone().matmul(key.clone().swap_dims(2, 3)) * scale;
        let [_, _, tokens, _] = scores.dims();
        let weights = (scores.clone() - scores.clone().max_dim(3)).exp() * self.visible(tokens);
        let weights = weights.clone() / weights.sum_dim(3);
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
            let (of_query, of_key) = of_product(query, key, of_scores);
            let of_query = query_back(merge(of_query_back(of_query)));
            let of_key = key_back(merge(of_key_back(self.gathered(of_key))));
            of_query + of_key + value_back(of_value)
        };
        (y, Box::new(back))
    }

    /// The queries or keys of each head, normed and turned where the model does that.
    fn normed_and_turned(&self, norm: &str, x: Tensor<4>) -> (Tensor<4>, BackOfHeads<'_>) {
        let shape = x.dims();
        let [_, heads, tokens, width] = shape;
        let rows = x.reshape([1, heads * tokens, width]);
        let (rows, norm_back): (_, Back) = match self.config.attention.query_key_norm {
            true => self.norm(norm, &self.config.norm, rows),
            false => (rows, Box::new(|r| r)),
        };
        let Some(rotary) = &self.config.attention.rotary else {
            let back = move |r: Tensor<4>| norm_back(r.reshape([1, heads * tokens, width]));
            return (
                rows.reshape(shape),
                Box::new(move |r| back(r).reshape(shape)),
            );
        };
        let rotation = Rotation::new(rotary, width, tokens);
        let matrices = self.tensor(&rotation.matrices(), [tokens, width, width]);
        let matrices = matrices.repeat_dim(0, heads);
        let x: Tensor<2> = rows.squeeze_dim(0);
        let y = x.clone().unsqueeze_dim::<3>(1).matmul(matrices.clone());
        let y: Tensor<2> = y.squeeze_dim(1);
        let turned = y.clone().reshape(shape);
        let back = move |r: Tensor<4>| {
            let r = general::general(x, y, matrices, r.reshape([heads * tokens, width]));
            norm_back(r.unsqueeze_dim(0)).reshape(shape)
        };
        (turned, Box::new(back))
    }

    /// 1 where a token looks at another, and 0 elsewhere, `[1, 1, query, key]`.
    fn visible(&self, tokens: usize) -> Tensor<4> {
        let attention = &self.config.attention;
        let sees = |query: usize, key: usize| {
            let near = attention.window.is_none_or(|window| key + window > query);
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

    fn feed_forward(
        &self,
        block: usize,
        part: FeedForwardConfig,
        x: Tensor<3>,
    ) -> (Tensor<3>, Back<'_>) {
        let map = |part: &str, x| {
            let name = format!("encoder.{block}.feed_forward.{part}");
            self.map(&name, self.laws.maps_of_feed_forward, x)
        };
        let (up, up_back) = map("up", x.clone());
        if !part.gated {
            let (y, activation_back) = self.activation(part.activation, up);
            let (y, down_back) = map("down", y);
            return (y, Box::new(|r| up_back(activation_back(down_back(r)))));
        }
        let (gate, gate_back) = map("gate", x);
        let (gate, activation_back) = self.activation(part.activation, gate);
        let (y, down_back) = map("down", gate * up);
        let back = move |r| {
            let of_product = down_back(r);
            let (of_gate, of_up) = match self.laws.gates {
                Gates::PlainGradient => product::gate_plain_gradient(of_product),
                Gates::Uniform => product::gate_uniform(of_product),
            };
            gate_back(activation_back(of_gate)) + up_back(of_up)
        };
        (y, Box::new(back))
    }

    /// The logits: of a matrix of their own, or of the table of word embeddings.
    fn head(&self, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        if !matches!(self.config.head, Head::NextToken { tied: true }) {
            return self.map("classifier", self.laws.maps, x);
        }
        let table = &self.parameters["embeddings.word.weight"];
        let table = self.tensor(table, [self.config.vocabulary(), self.config.width]);
        let weight = table.transpose();
        self.through(Linear { weight, bias: None }, self.laws.maps, x)
    }

    fn map(&self, name: &str, law: Maps, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
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

    fn activation(&self, phi: Activation, z: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let x = || z.clone();
        let (y, slope) = match phi {
            Activation::Gelu => {
                let distribution = (x() / std::f64::consts::SQRT_2).erf() * 0.5 + 0.5;
                (x() * distribution, activation::gelu_slope(x()))
            }
            Activation::GeluTanh => {
                let inner =
                    (x() + x() * x() * x() * 0.044715) * (2.0 / std::f64::consts::PI).sqrt();
                let y = x() * (inner.tanh() + 1.0) * 0.5;
                (y, activation::gelu_tanh_slope(x()))
            }
            Activation::Relu => (x().clamp_min(0.0), activation::relu_slope(x())),
            Activation::Silu => {
                let y = x() / ((x() * -1.0).exp() + 1.0);
                (y, activation::silu_slope(x()))
            }
            Activation::Tanh => (x().tanh(), activation::tanh_slope(x())),
        };
        let back: Back = match self.laws.activations {
            Activations::Identity => Box::new(activation::identity),
            Activations::PlainGradient => {
                let y = y.clone();
                Box::new(|r| activation::plain_gradient(z, y, slope, r))
            }
        };
        (y, back)
    }

    fn norm(&self, name: &str, config: &NormConfig, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
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

    fn one_token(&self, read: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let [_, tokens, _] = x.dims();
        let mut weights = vec![0.0; tokens];
        weights[read] = 1.0;
        let weights = self.tensor(&weights, [1, 1, tokens]);
        let y = x.clone().narrow(1, read, 1);
        (y, Box::new(|r| residual::pooling(weights, x, r)))
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
            if self.config.scaled_embeddings {
                sum.iter_mut().for_each(|x| *x *= (width as f64).sqrt());
            }
            let mut add = |other: &[f64]| sum.iter_mut().zip(other).for_each(|(a, b)| *a += b);
            if self.config.attention.rotary.is_none() {
                add(row("position", position));
            }
            if self.config.token_types > 0 {
                add(row("token_type", 0));
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

    fn tensor<const D: usize>(&self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, (&Device::flex(), self.dtype))
    }
}

/// What stands beside a skip connection.
#[derive(Clone, Copy)]
enum Branch {
    Attention(usize),
    FeedForward(usize, FeedForwardConfig),
}

/// `[1, position, feature]` to `[1, head, position, feature of a head]`.
fn split(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [_, positions, width] = x.dims();
    x.reshape([1, positions, heads, width / heads])
        .swap_dims(1, 2)
}

/// `[1, head, position, feature of a head]` to `[1, position, feature]`.
fn merge(x: Tensor<4>) -> Tensor<3> {
    let [_, heads, positions, width] = x.dims();
    x.swap_dims(1, 2).reshape([1, positions, heads * width])
}
