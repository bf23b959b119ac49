//! A mixture of experts in the place of a feed-forward part.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, Device, IndexingUpdateOp, Tensor, TensorData};
use relprop_rules::{
    Pass, Rows, Signal,
    operations::{ExpertProduct, Linear as LinearMap, RouterWeights},
};

use super::feed_forward::FeedForward;
use super::linear::linear;
use crate::{ExpertsConfig, FeedForwardConfig, TransformerConfig};

/// Feed-forward parts, of which a router chooses some for each token. Those that no token has are not run.
#[derive(Module, Debug)]
pub(super) struct Experts {
    router: Linear,
    each: Vec<FeedForward>,
    /// The one that all tokens have, and its gate.
    shared: Option<FeedForward>,
    shared_gate: Option<Linear>,
    #[module(skip)]
    chosen: usize,
    #[module(skip)]
    normalized: bool,
}

impl Experts {
    pub(super) fn new(
        experts: &ExpertsConfig,
        part: &FeedForwardConfig,
        config: &TransformerConfig,
        device: &Device,
    ) -> Self {
        let std = config.initializer_range;
        let gate = |outputs: usize, bias: bool| linear(config.width, outputs, std, bias, device);
        let expert = |width: usize| {
            let part = FeedForwardConfig { width, ..*part };
            FeedForward::new(&part, config, device)
        };
        Self {
            router: gate(experts.count, experts.router_bias),
            each: (0..experts.count).map(|_| expert(experts.width)).collect(),
            shared: experts.shared.map(expert),
            shared_gate: experts.shared.map(|_| gate(1, false)),
            chosen: experts.chosen,
            normalized: experts.normalized,
        }
    }

    /// `[batch, position, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let [texts, positions, width] = x.dims();
        let count = texts * positions;
        let scores = pass.apply("router", &LinearMap::from(&self.router), x.clone());
        let choice = Choice::of(&scores, self.chosen);
        let router = RouterWeights {
            unchosen: choice.unchosen([texts, positions], &scores.device()),
            normalized: self.normalized,
        };
        let weights = pass.apply("router-weights", &router, scores);
        // Tokens of all texts in one row.
        let mut sum = x
            .clone()
            .without_autodiff()
            .zeros_like()
            .reshape([1, count, width]);
        for (index, expert) in self.each.iter().enumerate() {
            let mut tokens = choice.tokens_of(index);
            if tokens.is_empty() {
                if !pass.is_named(format_args!("experts.{index}.")) {
                    continue;
                }
                // Someone looks at this expert: it runs on one token, with its weight, which is 0.
                tokens.push(0);
            }
            let tokens = TensorData::from(tokens.as_slice());
            let rows = Rows {
                batch: [texts, positions],
                tokens: Tensor::from_data(tokens, &sum.device().without_autodiff()),
            };
            let part = pass.within(format_args!("experts.{index}"), |pass| {
                pass.within_rows(&rows, |pass| {
                    let output = expert.forward(x.clone().rows(&rows), pass);
                    let weight = weights.clone().narrow(2, index, 1).rows(&rows);
                    weigh(weight, output, pass)
                })
            });
            sum = sum.select_assign(1, rows.tokens, part, IndexingUpdateOp::Add);
        }
        let sum = sum.reshape(x.dims());
        match (&self.shared, &self.shared_gate) {
            (Some(shared), Some(gate)) => {
                sum + pass.within("shared", |pass| self.share(shared, gate, x, pass))
            }
            _ => sum,
        }
    }

    /// What the expert of all tokens gives. Its gate is a sigmoid: a softmax of the score and 0.
    fn share(
        &self,
        expert: &FeedForward,
        gate: &Linear,
        x: Tensor<3>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let output = expert.forward(x.clone(), pass);
        let score = pass.apply("router", &LinearMap::from(gate), x);
        let nothing = score.clone().without_autodiff().zeros_like();
        let both = Tensor::cat(vec![score, nothing], 2);
        let nobody = Tensor::<3>::zeros(both.dims(), &both.device().without_autodiff());
        let router = RouterWeights {
            unchosen: nobody.bool(),
            normalized: true,
        };
        let weights = pass.apply("router-weights", &router, both);
        weigh(weights.narrow(2, 0, 1), output, pass)
    }
}

/// What an expert gives, `[batch, position, feature]`, times the weight of each token, `[batch, position, 1]`.
fn weigh(weight: Tensor<3>, output: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
    let weight = weight.expand(output.dims());
    pass.apply("weighted", &ExpertProduct, (weight, output))
}

/// Which experts each token has.
struct Choice {
    experts: usize,
    /// By token, then by expert.
    is_chosen: Vec<bool>,
}

impl Choice {
    /// The `chosen` experts of the largest scores, `[batch, position, expert]`; of equal ones, the first.
    fn of(scores: &Tensor<3>, chosen: usize) -> Self {
        let [_, _, experts] = scores.dims();
        let numbers = scores.clone().without_autodiff().flatten::<1>(0, 2);
        let numbers = numbers.try_into_vec_as::<f64>();
        let numbers = numbers.expect("the router's scores could be read");
        let rows = numbers.chunks(experts.max(1)).flat_map(|row| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            let mut is_chosen = vec![false; row.len()];
            order
                .iter()
                .take(chosen)
                .for_each(|expert| is_chosen[*expert] = true);
            is_chosen
        });
        Self {
            experts,
            is_chosen: rows.collect(),
        }
    }

    fn tokens_of(&self, expert: usize) -> Vec<i64> {
        let tokens = self.is_chosen.chunks(self.experts.max(1)).zip(0_i64..);
        let tokens = tokens.filter(|(row, _)| row[expert]);
        tokens.map(|(_, token)| token).collect()
    }

    /// True where an expert is not chosen, `[batch, position, expert]`.
    fn unchosen(&self, [texts, positions]: [usize; 2], device: &Device) -> Tensor<3, Bool> {
        let marks: Vec<bool> = self.is_chosen.iter().map(|chosen| !chosen).collect();
        let marks = TensorData::new(marks, [texts, positions, self.experts]);
        Tensor::from_data(marks, &device.clone().without_autodiff())
    }
}
