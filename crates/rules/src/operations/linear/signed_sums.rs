//! The contributions to a linear map, by sign.

use burn::tensor::Tensor;

use crate::Operation;
use crate::operations::Linear;

/// A linear map and its input, each split into its positive and its negative part.
pub(super) struct SignedSums {
    inputs: [Tensor<3>; 2],
    weights: [Tensor<2>; 2],
    biases: [Option<Tensor<1>>; 2],
}

impl SignedSums {
    pub(super) fn of(linear: &Linear, x: Tensor<3>) -> Self {
        let Linear { weight, bias } = linear.widened();
        let bias = |part: fn(Tensor<1>) -> Tensor<1>| bias.clone().map(part);
        Self {
            inputs: [x.clone().clamp_min(0.0), x.clamp_max(0.0)],
            weights: [weight.clone().clamp_min(0.0), weight.clamp_max(0.0)],
            biases: [bias(|b| b.clamp_min(0.0)), bias(|b| b.clamp_max(0.0))],
        }
    }

    /// z^+ = x^+ W^+ + x^- W^- + b^+, the sum of all positive contributions.
    pub(super) fn positive(&self) -> Tensor<3> {
        self.sum([0, 1], 0)
    }

    /// z^- = x^+ W^- + x^- W^+ + b^-, the sum of all negative contributions.
    pub(super) fn negative(&self) -> Tensor<3> {
        self.sum([1, 0], 1)
    }

    /// The parts of the input, each through one part of the weights, and a part of the bias.
    fn sum(&self, weights: [usize; 2], bias: usize) -> Tensor<3> {
        let [x_up, x_down] = &self.inputs;
        let map = |weight: usize, bias: Option<Tensor<1>>, x: &Tensor<3>| {
            let weight = self.weights[weight].clone();
            Linear { weight, bias }.forward(x.clone())
        };
        map(weights[0], self.biases[bias].clone(), x_up) + map(weights[1], None, x_down)
    }
}
