//! Changes of good files, drawn one after another, for tests of what reads them.

use std::time::{Duration, Instant};

/// Draws changes; the same in every run.
pub(crate) struct Changes(u64);

impl Changes {
    /// A number below `bound`, by xorshift.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// One of these.
    pub(crate) fn one<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// The file with one to five changes behind its first `start` bytes: bits and bytes, bytes that `words` has,
    /// pieces taken out, pieces of another file put in, and numbers of eight bytes at their limits.
    pub(crate) fn of(&mut self, file: &[u8], start: usize, words: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = file.to_vec();
        for _ in 0..=self.below(4) {
            if changed.is_empty() {
                break;
            }
            let start = start.min(changed.len() - 1);
            let at = start + self.below(changed.len() - start);
            match self.below(6) {
                0 => changed[at] ^= 1 << self.below(8),
                1 => changed[at] = self.below(256) as u8,
                2 => changed[at] = *self.one(words),
                3 => drop(changed.drain(at..(at + 1 + self.below(8)).min(changed.len()))),
                4 => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + self.below(64)).min(other.len())];
                    changed.splice(at..at, piece.iter().copied());
                }
                _ => {
                    let end = (at + 8).min(changed.len());
                    changed[at..end].fill(*self.one(&[0, 0x7f, 0xff]));
                }
            }
        }
        changed
    }
}

/// Calls `read` again and again, which says whether what it changed was read: for as many seconds as
/// `RELPROP_FUZZ_SECONDS` says, else for two.
pub(crate) fn again(mut read: impl FnMut(&mut Changes) -> bool) {
    let seconds = std::env::var("RELPROP_FUZZ_SECONDS");
    let seconds = seconds.map_or(2, |seconds| seconds.parse().unwrap());
    let mut changes = Changes(0x9e37_79b9_7f4a_7c15);
    let start = Instant::now();
    let (mut runs, mut good) = (0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        good += u64::from(read(&mut changes));
        runs += 1;
    }
    println!("{runs} changed files, of which {good} were read");
}
