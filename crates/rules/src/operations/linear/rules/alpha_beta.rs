//! The alpha-beta rule for linear maps.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::algebra::{quotient, surrogate};
use crate::operations::linear::{Linear, signed_sums::SignedSums};
use crate::{Operation, Rule, RuleError};

/// Treats positive and negative contributions apart (LRP-alpha-beta; Bach et al. 2015).
///
/// ```text
/// R(x_i) = sum_j ( alpha * (x_i W_ij)^+ / z_j^+  -  beta * (x_i W_ij)^- / z_j^- ) * R(z_j)
/// ```
///
/// z_j^+ and z_j^- are the sums of the positive and of the negative contributions, the bias among
/// them. It conserves relevance except for the share of the bias, and for outputs that have no
/// positive (or no negative) contribution, whose share alpha (or -beta) is lost.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Parameters")]
pub struct AlphaBeta {
    beta: f64,
}

/// The parameters in a rule set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    alpha: f64,
    beta: f64,
}

impl TryFrom<Parameters> for AlphaBeta {
    type Error = RuleError;

    fn try_from(Parameters { alpha, beta }: Parameters) -> Result<Self, RuleError> {
        Self::new(alpha, beta)
    }
}

impl AlphaBeta {
    /// The rule with these weights: `beta` is at least 0 and `alpha` is 1 + `beta`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Parameter`] if they are not.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, RuleError> {
        let refuse = |name, value, range| Err(RuleError::Parameter { name, value, range });
        if !(beta.is_finite() && beta >= 0.0) {
            return refuse("beta", beta, "a finite number not below 0");
        }
        // Both are decimal numbers in a text, and 1.3 - 0.3 is not exactly 1.
        if (alpha - beta - 1.0).abs() > 1e-9 {
            return refuse("alpha", alpha, "1 + beta");
        }
        Ok(Self { beta })
    }

    /// Positive contributions alone: alpha = 1, beta = 0.
    pub(super) fn positive_only() -> Self {
        Self { beta: 0.0 }
    }
}

impl Rule<Linear> for AlphaBeta {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let value = linear.forward(x.clone()).detach();
        let signs = SignedSums::of(linear, x);
        let positive = signs.positive();
        let slope = quotient(&value, &positive) * (1.0 + self.beta);
        let y = surrogate(value.clone(), positive, slope);
        if self.beta == 0.0 {
            return y;
        }
        let negative = signs.negative();
        let slope = quotient(&value, &negative) * -self.beta;
        y + (negative.clone() - negative.detach()) * slope
    }
}
