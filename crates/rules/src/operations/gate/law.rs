//! Laws for a gate y = a * b, elementwise. `relevance` is R(y), of any shape; each function gives the
//! relevance of both factors in that shape.

use burn::tensor::Tensor;

/// The uniform rule for a gate (AttnLRP, proposition 3.3): half to each factor. It conserves.
///
/// ```text
/// R(gate) = R(signal) = 1/2 R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::product::gate_uniform;
///
/// let relevance = Tensor::<1>::from_data([6.0, -4.0], &Device::flex());
/// let (of_gate, of_signal) = gate_uniform(relevance);
/// assert_eq!(of_gate.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, -2.0]);
/// assert_eq!(of_signal.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, -2.0]);
/// ```
pub fn gate_uniform<const D: usize>(relevance: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let half = relevance * 0.5;
    (half.clone(), half)
}

/// A gate under its plain gradient: each factor gets all of the relevance. It counts everything twice.
///
/// ```text
/// R(gate) = R(signal) = R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::product::gate_plain_gradient;
///
/// let relevance = Tensor::<1>::from_data([6.0, -4.0], &Device::flex());
/// let (of_gate, of_signal) = gate_plain_gradient(relevance);
/// assert_eq!(of_gate.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, -4.0]);
/// assert_eq!(of_signal.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, -4.0]);
/// ```
pub fn gate_plain_gradient<const D: usize>(relevance: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    (relevance.clone(), relevance)
}

/// The signal takes all and the gate nothing (Arras et al. 2017; CP-LRP, Ali et al. 2022). It
/// conserves.
///
/// ```text
/// R(gate) = 0,    R(signal) = R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::product::gate_signal_takes_all;
///
/// let relevance = Tensor::<1>::from_data([6.0, -4.0], &Device::flex());
/// let (of_gate, of_signal) = gate_signal_takes_all(relevance);
/// assert_eq!(of_gate.into_data_as::<f32>().to_vec::<f32>().unwrap(), [0.0, 0.0]);
/// assert_eq!(of_signal.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, -4.0]);
/// ```
pub fn gate_signal_takes_all<const D: usize>(relevance: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    (relevance.zeros_like(), relevance)
}
