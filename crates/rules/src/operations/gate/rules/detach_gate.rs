//! The gate as a constant.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::operations::Gate;
use crate::{Operation, Rule};

/// Takes a gate as a constant: all relevance goes to the signal that it lets through (CP-LRP; the
/// signal-takes-all rule of Arras et al. 2017).
///
/// ```text
/// R(signal) = R(y),    R(gate) = 0
/// ```
///
/// It conserves exactly.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachGate {}

impl Rule<Gate> for DetachGate {
    fn apply(&self, product: &Gate, (gate, signal): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        product.forward((gate.detach(), signal))
    }
}
