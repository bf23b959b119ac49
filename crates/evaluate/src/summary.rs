//! Summaries of a metric over many texts.

use serde::{Deserialize, Serialize};

use super::{Interval, Reading, mean_with_interval};

/// One metric over all texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The name of the metric.
    pub metric: String,
    /// The mean over texts, with its interval. None if the metric had no number for any.
    pub mean: Option<Interval>,
    /// For how many texts the metric had a number.
    pub texts: usize,
    /// The mean curve, if the metric is the area under one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<f64>,
}

/// The mean of one metric's readings, one for each text.
pub fn summarize<'a>(
    metric: &str,
    readings: impl IntoIterator<Item = &'a Option<Reading>>,
) -> Summary {
    let found: Vec<&Reading> = readings.into_iter().flatten().collect();
    let values: Vec<f64> = found.iter().map(|reading| reading.value).collect();
    let points = found.first().map_or(0, |reading| reading.curve.len());
    let point = |at: usize| {
        let of_texts = found.iter().map(|reading| reading.curve[at]);
        of_texts.sum::<f64>() / found.len() as f64
    };
    Summary {
        metric: metric.to_owned(),
        mean: (!values.is_empty()).then(|| mean_with_interval(&values)),
        texts: values.len(),
        curve: (0..points).map(point).collect(),
    }
}
