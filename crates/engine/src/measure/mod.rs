//! Measuring explanations: texts with their labels, metrics and methods by their names.

mod asker;
mod error;
mod found;
mod pictures;
mod samples;

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use relprop_checkpoints::Model;
use relprop_evaluate::{
    Candidate, Metric, Need, Sample, UnknownMetric, cascade, metric, metrics as table,
};

pub use error::MeasureError;
pub use found::{LabeledText, NEEDLE_TEXTS, REVIEWS, WrittenLabel};
pub use pictures::Hide;
pub use relprop_data::corpus::TextColumns;
pub use samples::{Measured, Samples};

use crate::{EngineError, method};

/// The name that stands for every metric for which the texts have what it needs.
pub const ALL: &str = "all";
/// What is compared unless something else is asked for.
pub const COMPARED_METHODS: [&str; 8] = [
    "random",
    "gradient-x-input",
    "ah",
    "ln",
    "ah-ln",
    "attn-lrp",
    "libra",
    "libra-gamma",
];
/// How many texts are measured at once.
pub const MEASURED_AT_ONCE: usize = 16;
/// Of the texts of a search, one in this many is held out.
const HELD_OUT: usize = 3;
/// The smallest number of texts to search with; with fewer, chance would decide.
const FEWEST: usize = 20;

/// The metrics by their names, each once; all of them for [`ALL`].
///
/// # Errors
///
/// [`UnknownMetric`], with the metrics that there are.
pub fn metrics_by_name(names: &[String]) -> Result<Vec<Box<dyn Metric>>, UnknownMetric> {
    let mut wanted: Vec<String> = Vec::new();
    for name in names {
        let more = match name.as_str() {
            ALL => table::names().collect(),
            _ => vec![name.clone()],
        };
        for name in more {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    wanted.iter().map(|name| metric(name)).collect()
}

/// The metrics that the samples have what they need for, where `names` has [`ALL`] among them; else all, of
/// which none may lack anything.
///
/// # Errors
///
/// [`MeasureError::Lacking`]
pub fn measurable(
    mut metrics: Vec<Box<dyn Metric>>,
    names: &[String],
    samples: &[Sample],
) -> Result<Vec<Box<dyn Metric>>, MeasureError> {
    if names.iter().any(|name| name == ALL) {
        metrics.retain(|metric| lacking(metric.as_ref(), samples).is_none());
    }
    for metric in &metrics {
        if let Some(need) = lacking(metric.as_ref(), samples) {
            let metric = metric.about().name;
            return Err(MeasureError::Lacking { metric, need });
        }
    }
    Ok(metrics)
}

/// What the samples lack for `metric`.
fn lacking(metric: &dyn Metric, samples: &[Sample]) -> Option<Need> {
    let need = metric.about().need?;
    let has = |sample: &Sample| match need {
        Need::Evidence => sample.has_evidence(),
        Need::Polarity => !sample.polarity.is_empty(),
        Need::OtherLabel | Need::Randomized => true,
    };
    (!samples.iter().any(has)).then_some(need)
}

/// The methods by their names, with what the metrics need of each.
///
/// # Errors
///
/// If there is no such method, or it does not fit the model.
pub fn candidates(
    names: &[String],
    model: &Arc<Model>,
    metrics: &[Box<dyn Metric>],
    seed: u64,
) -> Result<Vec<Candidate>, EngineError> {
    let needed = metrics.iter().map(|metric| metric.about().need);
    let randomized: Vec<_> = match needed
        .into_iter()
        .any(|need| need == Some(Need::Randomized))
    {
        true => cascade(model, seed)
            .into_iter()
            .map(|(_, model)| Arc::new(model))
            .collect(),
        false => Vec::new(),
    };
    let candidate = |name: &String| {
        let stages = randomized.iter().map(|model| method(name, model, seed));
        Ok(Candidate {
            method: method(name, model, seed)?,
            randomized: stages.collect::<Result<_, _>>()?,
        })
    };
    names.iter().map(candidate).collect()
}

/// The texts of a search, and those that are held out: as many as were asked for, without those that have
/// fewer than `words` words, in an order drawn from the seed.
///
/// # Errors
///
/// [`MeasureError::TooFew`]
pub fn drawn(
    samples: &[Sample],
    limit: usize,
    words: usize,
    seed: u64,
) -> Result<(Vec<Sample>, Vec<Sample>), MeasureError> {
    let count = |sample: &Sample| {
        let words = sample.text.tokens.iter().filter_map(|token| token.word);
        words.max().map_or(0, |last| last as usize + 1)
    };
    let long = samples.iter().filter(|sample| count(sample) >= words);
    let mut texts: Vec<Sample> = long.cloned().collect();
    texts.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    texts.truncate(limit);
    let searched = texts.split_off(texts.len() / HELD_OUT);
    if searched.len() < FEWEST {
        let texts = searched.len();
        return Err(MeasureError::TooFew { texts, words });
    }
    Ok((searched, texts))
}
