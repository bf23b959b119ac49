//! The AH-rule for attention heads.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::operations::AttentionWeights;
use crate::{Operation, Rule};

/// Takes the attention weights as constants (Ali et al. 2022, the AH-rule; also CP-LRP).
///
/// ```text
/// R(x_i) = sum_j  x_i p_ij / (sum_i' x_i' p_i'j)  * R(y_j)
/// ```
///
/// With the weights p detached, y_j = sum_i x_i p_ij is linear in the values, and Gradient x Input
/// is this formula. It conserves exactly. Queries and keys get no relevance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachWeights {}

impl Rule<AttentionWeights> for DetachWeights {
    fn apply(&self, operation: &AttentionWeights, scores: Tensor<4>) -> Tensor<4> {
        operation.forward(scores.detach())
    }
}
