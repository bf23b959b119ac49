//! Numbers of tensors.

use burn::tensor::Tensor;

use crate::ExplainError;

/// The numbers of a tensor, row by row. A device computes while the program goes on, so its
/// failures show here, where numbers are read.
///
/// # Errors
///
/// [`ExplainError::Device`] if they could not be computed or read.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ExplainError> {
    let numbers = tensor.try_into_vec_as::<f32>();
    numbers.map_err(|error| ExplainError::Device(error.to_string()))
}

/// The index of the largest number; the first of them where several are largest.
pub fn argmax(numbers: &[f32]) -> usize {
    (0..numbers.len())
        .rev()
        .max_by(|a, b| numbers[*a].total_cmp(&numbers[*b]))
        .unwrap_or(0)
}
