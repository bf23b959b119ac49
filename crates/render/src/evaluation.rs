//! How every writer shows the numbers of an evaluation.

use relprop_evaluate::{Better, Summary};

/// How many decimals suit numbers of which the largest has this absolute value.
pub(crate) fn decimals(summaries: &[&Summary]) -> usize {
    let means = summaries.iter().filter_map(|summary| summary.mean.as_ref());
    let largest = means.fold(0.0_f64, |largest, interval| {
        largest.max(interval.mean.abs())
    });
    match largest {
        ..2.0 => 3,
        ..100.0 => 2,
        _ => 0,
    }
}

/// Which values of a metric are good. None if it describes, and does not judge.
pub(crate) fn judges(better: Better) -> Option<&'static str> {
    match better {
        Better::Higher => Some("higher is better"),
        Better::Lower => Some("lower is better"),
        Better::Neither => None,
    }
}
