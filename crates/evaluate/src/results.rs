//! What an evaluation found.

use serde::{Deserialize, Serialize};

use super::{About, Better, Metric, Readings, Summary, summarize};

/// Every method under every metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// How many texts were measured on.
    pub texts: usize,
    /// The metrics, in the order of each method's summaries.
    pub metrics: Vec<About>,
    /// The methods, in the order in which they were asked for.
    pub methods: Vec<MethodResults>,
}

/// The results of one method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodResults {
    /// Its name.
    pub name: String,
    /// One summary for each metric.
    pub metrics: Vec<Summary>,
}

impl Results {
    /// Sums up the readings of each method, `[method][text]`.
    pub fn new(
        methods: &[String],
        metrics: &[Box<dyn Metric>],
        readings: &[Vec<Readings>],
    ) -> Self {
        let about: Vec<About> = metrics.iter().map(|metric| metric.about()).collect();
        let methods = methods.iter().zip(readings).map(|(name, readings)| {
            let of_metric = about.iter().enumerate().map(|(index, about)| {
                summarize(&about.name, readings.iter().map(|text| &text[index]))
            });
            MethodResults {
                name: name.clone(),
                metrics: of_metric.collect(),
            }
        });
        let methods = methods.collect();
        Self {
            texts: readings.first().map_or(0, Vec::len),
            metrics: about,
            methods,
        }
    }

    /// The place of the best method under the metric at `index`. None if the metric does not judge,
    /// or if no method has a number.
    pub fn best(&self, index: usize) -> Option<usize> {
        let sign = match self.metrics[index].better {
            Better::Higher => 1.0,
            Better::Lower => -1.0,
            Better::Neither => return None,
        };
        let means = self
            .methods
            .iter()
            .enumerate()
            .filter_map(|(place, method)| {
                Some((place, sign * method.metrics[index].mean.as_ref()?.mean))
            });
        // The first of those that are equally good.
        let best = means.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(place, _)| place)
    }
}
