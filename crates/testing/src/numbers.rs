//! Random numbers that are the same every time, and how far apart two lists of numbers are.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Tensor;

/// Random numbers between -1 and 1: xorshift64*.
pub struct Draw(u64);

impl Draw {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next number.
    pub fn number(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        (bits as f64 / (1_u64 << 52) as f64 - 1.0) as f32
    }
}

/// All values of a tensor, row by row.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data_as::<f64>().try_into_vec().unwrap()
}

/// The largest difference, in units of the largest expected absolute value. What is not
/// finite is refused.
pub fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "nothing to compare with");
    let finite = found.iter().chain(expected).all(|x| x.is_finite());
    assert!(finite, "not finite: {found:?} instead of {expected:?}");
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max) / largest
}

/// Burn's generator of random numbers for the calling test alone. It belongs to the whole process, and
/// tests run side by side: whoever seeds it or trains holds this meanwhile.
pub fn alone() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}
