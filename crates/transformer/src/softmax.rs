//! Logits as probabilities.

/// The logarithm of the sum of the exponentials, without overflow; minus infinity if there are no
/// logits.
///
/// ```text
/// log sum_j exp(z_j) = m + log sum_j exp(z_j - m),    m = max_j z_j
/// ```
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest.is_infinite() {
        return largest.into();
    }
    let largest = f64::from(largest);
    let powers = logits
        .iter()
        .map(|logit| (f64::from(*logit) - largest).exp());
    largest + powers.sum::<f64>().ln()
}

/// p_j = exp(z_j) / sum_k exp(z_k), for each logit.
///
/// ```
/// use relprop_transformer::softmax;
///
/// let probabilities = softmax(&[0.0, 3f32.ln()]);
/// assert!((probabilities[1] - 0.75).abs() < 1e-6);
/// ```
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let whole = log_sum_exp(logits);
    let each = logits.iter().map(|logit| (f64::from(*logit) - whole).exp());
    each.collect()
}

/// The softmax of the logits at `index`.
///
/// # Panics
///
/// If there is no such logit.
pub fn probability(logits: &[f32], index: usize) -> f64 {
    (f64::from(logits[index]) - log_sum_exp(logits)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_whatever_the_size_of_the_logits() {
        for logits in [
            &[1000.0, 999.0, -1000.0][..],
            &[0.0],
            &[-1e30, 1e30],
            &[-5.0; 7],
        ] {
            let all = softmax(logits);
            assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{logits:?}");
            for (index, one) in all.iter().enumerate() {
                assert_eq!(*one, probability(logits, index));
            }
        }
    }
}
