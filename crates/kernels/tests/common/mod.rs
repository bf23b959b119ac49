//! Numbers to multiply.

/// Numbers from -1 to 1, the same in every run.
pub fn numbers(count: usize, seed: f64) -> Vec<f32> {
    (0..count)
        .map(|index| ((index as f64 * 12.9898 + seed).sin() * 43_758.545).fract() as f32)
        .collect()
}
