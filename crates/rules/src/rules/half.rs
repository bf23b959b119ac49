//! The uniform rule for products.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::operations::{AttentionMix, AttentionScores, ExpertProduct, Gate};
use crate::{Operation, Rule, algebra::share};

/// Shares the relevance of a product evenly between its two factors (the uniform rule; AttnLRP,
/// Proposition 3.3).
///
/// ```text
/// y = sum_i a_i b_i:    R(a_i) = R(b_i) = 1/2 * a_i b_i / y * R(y)
/// ```
///
/// It conserves: the plain gradient gives each factor all of it, twice the relevance in total.
/// Where one factor is detached the other should keep its plain gradient, or half is lost.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Half {}

impl Rule<AttentionScores> for Half {
    fn apply(&self, product: &AttentionScores, factors: (Tensor<4>, Tensor<4>)) -> Tensor<4> {
        share(product.forward(factors), 0.5)
    }
}

impl Rule<AttentionMix> for Half {
    fn apply(&self, product: &AttentionMix, factors: (Tensor<4>, Tensor<4>)) -> Tensor<4> {
        share(product.forward(factors), 0.5)
    }
}

impl Rule<Gate> for Half {
    fn apply(&self, product: &Gate, factors: (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        share(product.forward(factors), 0.5)
    }
}

impl Rule<ExpertProduct> for Half {
    fn apply(&self, product: &ExpertProduct, factors: (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        share(product.forward(factors), 0.5)
    }
}
