//! Holds out examples, where the files do not say which.

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::DataError;

/// The seed that decides which examples are held out. Never change it, or other rows of every
/// user's corpus will be held out.
const SEED: u64 = 0;

/// Shuffles the examples of `path` and takes as many tenths of them as asked for.
pub(crate) fn hold_out<T, const TENTHS: usize>(
    examples: &mut Vec<T>,
    path: &Path,
) -> Result<[Vec<T>; TENTHS], DataError> {
    let (found, needed) = (examples.len(), 10);
    if found < needed {
        let path = path.to_owned();
        return Err(DataError::TooFew {
            path,
            found,
            needed,
        });
    }
    examples.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    let tenth = found / 10;
    Ok(std::array::from_fn(|_| {
        examples.split_off(examples.len() - tenth)
    }))
}
