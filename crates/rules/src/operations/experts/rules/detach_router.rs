//! The router as a constant.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::operations::ExpertProduct;
use crate::{Operation, Rule};

/// Takes the router's weight as a constant: all relevance goes to what the expert gives, as the AH-rule has it for
/// attention weights.
///
/// ```text
/// R(e) = R(y),    R(w) = 0
/// ```
///
/// It conserves exactly. The router gets no relevance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachRouter {}

impl Rule<ExpertProduct> for DetachRouter {
    fn apply(
        &self,
        product: &ExpertProduct,
        (weight, output): (Tensor<3>, Tensor<3>),
    ) -> Tensor<3> {
        product.forward((weight.detach(), output))
    }
}
