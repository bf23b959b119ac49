//! What an evaluation found: a table for the terminal, curves, a page for the browser.

mod curves;
mod page;
mod table;

pub use curves::evaluation_curves;
pub use page::evaluation_page;
pub use table::evaluation_table;

use relprop_evaluate::Summary;

/// How many decimals suit numbers of which the largest has this absolute value.
fn decimals(summaries: &[&Summary]) -> usize {
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

#[cfg(test)]
mod sample {
    use relprop_evaluate::{About, Better, Interval, MethodResults, Results, Summary};

    /// Two methods under an area with its curve, an error with its curve, and a metric without a
    /// number.
    pub fn results() -> Results {
        let metric = |name: &str, better| About {
            name: name.to_owned(),
            about: format!("about {name}"),
            better,
            need: None,
        };
        let summary = |metric: &str, mean: f64, points: usize| Summary {
            metric: metric.to_owned(),
            mean: Some(Interval {
                mean,
                low: mean - 0.25,
                high: mean + 0.25,
            }),
            texts: 3,
            curve: (0..points)
                .map(|point| mean * point as f64 / 10.0)
                .collect(),
        };
        let method = |name: &str, auac, au_mse| MethodResults {
            name: name.to_owned(),
            metrics: vec![
                summary("auac", auac, 11),
                summary("au-mse", au_mse, 11),
                Summary {
                    mean: None,
                    texts: 0,
                    ..summary("sparseness", 0.0, 0)
                },
            ],
        };
        Results {
            texts: 3,
            metrics: vec![
                metric("auac", Better::Higher),
                metric("au-mse", Better::Lower),
                metric("sparseness", Better::Neither),
            ],
            methods: vec![
                method("random", 0.125, 12.0),
                method("ah-ln <b>", 0.75, 2.5),
            ],
        }
    }
}
