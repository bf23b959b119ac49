//! Parts of a table that can be explained independently.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Part `index` of `count`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// The rows of this part in a table of `rows`, counted from 0. The parts in order are the
    /// table, and their sizes differ by at most one row.
    pub(crate) fn of(self, rows: u64) -> Range<u64> {
        let bound = |index: u64| {
            let bound = u128::from(rows) * u128::from(index) / u128::from(self.count);
            // No bound is larger than the number of rows.
            u64::try_from(bound).unwrap_or(rows)
        };
        bound(self.index - 1)..bound(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (1..=count)
                .contains(&index)
                .then_some(Self { index, count })
        });
        numbers.ok_or_else(|| {
            "a part is given as I/N, and counted from 1: 1/4, 2/4, 3/4, 4/4".to_owned()
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_in_order_are_the_whole() {
        for rows in [0, 1, 5, 872, 1_000_000, u64::MAX] {
            for count in [1, 2, 3, 7] {
                let parts: Vec<_> = (1..=count)
                    .map(|index| Shard { index, count }.of(rows))
                    .collect();
                assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, rows));
                assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
                let sizes = || parts.iter().map(|part| part.end - part.start);
                assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn a_part_is_counted_from_one() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        for wrong in ["0/3", "4/3", "1/0", "3", "a/b", "1/2/3", "-1/2"] {
            assert!(
                wrong.parse::<Shard>().unwrap_err().contains("1/4"),
                "{wrong}"
            );
        }
    }
}
