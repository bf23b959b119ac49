//! The propagation rules of the released code of Chefer et al. CVPR 2021.

use burn::tensor::Tensor;
use relprop_rules::algebra::{quotient, surrogate};
use relprop_rules::operations::{Activation, AttentionWeights, Linear, Norm, Residual};
use relprop_rules::rules::ZPlus;
use relprop_rules::{BoundRules, Operation, Registry, Rule, RuleError, RuleSet, Site};
use serde::Deserialize;

const RULES: &str = r#"
name = "chefer"
rules = [
    { operation = "linear", rule = "z-plus-unbiased" },
    { operation = "norm", rule = "unchanged" },
    { operation = "activation", rule = "unchanged" },
    { operation = "attention-weights", rule = "unchanged" },
    { operation = "attention-scores", rule = "half" },
    { operation = "attention-mix", rule = "half" },
    { operation = "gate", rule = "half" },
    { rule = "gradient" },
]
"#;

/// The rules of every site but the residual sums, whose factors are not known yet.
pub(super) fn bind(sites: &[Site]) -> Result<BoundRules, RuleError> {
    let mut registry = Registry::default();
    registry.register::<Linear, Unbiased>("z-plus-unbiased");
    registry.register::<Norm, Unchanged>("unchanged");
    registry.register::<Activation, Unchanged>("unchanged");
    registry.register::<AttentionWeights, Unchanged>("unchanged");
    RuleSet::from_toml(RULES)?.bind(sites, &registry)
}

/// The z-plus rule as if there were no bias: R(x_i) = sum_j (x_i W_ij)^+ / z_j^+ * R(z_j), where
/// z_j^+ is the sum over i alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unbiased {}

impl Rule<Linear> for Unbiased {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let value = linear.forward(x.clone().detach());
        let unbiased = Linear {
            bias: None,
            ..linear.clone()
        };
        let unbiased = (ZPlus {}).apply(&unbiased, x);
        let slope = quotient(&value, &unbiased);
        surrogate(value, unbiased, slope)
    }
}

/// Passes on the relevance of each number unchanged: R(x_i) = R(y_i).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchanged {}

fn unchanged<const D: usize>(y: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
    let slope = quotient(&y, &x);
    surrogate(y, x, slope)
}

impl Rule<Norm> for Unchanged {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        unchanged(norm.forward(x.clone()), x)
    }
}

impl Rule<Activation> for Unchanged {
    fn apply(&self, activation: &Activation, z: Tensor<3>) -> Tensor<3> {
        unchanged(activation.forward(z.clone()), z)
    }
}

impl Rule<AttentionWeights> for Unchanged {
    fn apply(&self, weights: &AttentionWeights, scores: Tensor<4>) -> Tensor<4> {
        unchanged(weights.forward(scores.clone()), scores)
    }
}

/// A residual sum that gives each term its share, multiplied by one factor for each term and text.
#[derive(Debug)]
pub(super) struct Rescaled {
    /// The factor for the skip connection and that for the branch, each `[batch, 1, 1]`.
    factors: [Tensor<3>; 2],
}

impl Rescaled {
    /// Brings the totals of the skip connection and of the branch, A and B, to
    /// |A| / (|A| + |B|) * (A + B) and |B| / (|A| + |B|) * (A + B): the factors are
    /// sign(A) (A + B) / (|A| + |B|) and sign(B) (A + B) / (|A| + |B|).
    pub(super) fn new(skip: Tensor<3>, branch: Tensor<3>) -> Self {
        let sizes = skip.clone().abs() + branch.clone().abs();
        let common = quotient(&(skip.clone() + branch.clone()), &sizes);
        let factors = [skip.sign() * common.clone(), branch.sign() * common];
        Self { factors }
    }
}

impl Rule<Residual> for Rescaled {
    fn apply(&self, sum: &Residual, (skip, branch): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        let [of_skip, of_branch] = self.factors.clone();
        let skip = surrogate(skip.clone(), skip, of_skip);
        let branch = surrogate(branch.clone(), branch, of_branch);
        sum.forward((skip, branch))
    }
}
