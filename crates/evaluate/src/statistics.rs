//! Correlations of two lists of numbers of the same length. None where one of them does not vary, or is
//! not finite.

/// Pearson's correlation of two lists of the same length. None where one of them does not vary, or is not
/// finite.
///
/// ```text
/// sum_i (a_i - mean a) (b_i - mean b) / sqrt(sum_i (a_i - mean a)^2  sum_i (b_i - mean b)^2)
/// ```
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let [mut product, mut square_a, mut square_b] = [0.0; 3];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    let scale = (square_a * square_b).sqrt();
    (scale > 0.0 && scale.is_finite()).then(|| (product / scale).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation: Pearson's of the ranks, equal numbers sharing the mean of theirs.
pub(super) fn spearman(a: &[f32], b: &[f32]) -> Option<f64> {
    let finite = a.iter().chain(b).all(|number| number.is_finite());
    finite.then(|| pearson(&ranks(a), &ranks(b)))?
}

/// The rank of each number, from 0; equal ones share the mean of theirs.
fn ranks(numbers: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
        let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&index| ranks[index] = rank);
        first += equal.len();
    }
    ranks
}

/// Kendall's tau-b.
///
/// ```text
/// (concordant - discordant) / sqrt((pairs - pairs tied in a) (pairs - pairs tied in b))
/// ```
pub(super) fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.iter().chain(b).any(|number| !number.is_finite()) {
        return None;
    }
    let [mut agreement, mut untied_a, mut untied_b] = [0_i64; 3];
    for i in 0..a.len() {
        for j in 0..i {
            let sign = |numbers: &[f64]| {
                numbers[i]
                    .partial_cmp(&numbers[j])
                    .map_or(0, |order| order as i64)
            };
            let (of_a, of_b) = (sign(a), sign(b));
            agreement += of_a * of_b;
            untied_a += of_a.abs();
            untied_b += of_b.abs();
        }
    }
    let scale = (untied_a as f64 * untied_b as f64).sqrt();
    (scale > 0.0).then(|| agreement as f64 / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f64; 7] = [0.5, -1.0, 2.0, 2.0, 0.0, 3.5, -0.5];
    const B: [f64; 7] = [1.0, -2.0, 0.0, 4.0, 0.0, 3.0, 1.0];

    #[test]
    fn they_agree_with_numbers_from_elsewhere() {
        // numpy.corrcoef of the lists and of their ranks; concordant and discordant pairs counted.
        let singles = [A, B].map(|list| list.map(|number| number as f32));
        assert!((pearson(&A, &B).unwrap() - 0.720900110762212).abs() < 1e-12);
        assert!((spearman(&singles[0], &singles[1]).unwrap() - 0.6514035610330967).abs() < 1e-12);
        assert!((kendall(&A, &B).unwrap() - 0.5129891760425771).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_vary_has_none() {
        for constant in [&[][..], &[1.0], &[2.0, 2.0]] {
            let other: Vec<f64> = (0..constant.len()).map(|i| i as f64).collect();
            assert_eq!(pearson(constant, &other), None);
            assert_eq!(kendall(&other, constant), None);
        }
        assert_eq!(spearman(&[1.0, f32::NAN], &[1.0, 2.0]), None);
        assert_eq!(kendall(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(pearson(&[1.0, f64::INFINITY], &[1.0, 2.0]), None);
    }
}
