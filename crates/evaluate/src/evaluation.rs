//! Measuring several methods on the same texts.

use relprop_checkpoints::Model;
use relprop_transformer::{Probabilities, TokenizedText};

use super::versions::Versions;
use super::{Case, Method, Metric, Need, Reading, Sample};
use relprop_explain::ExplainError;
use relprop_explain::methods::relevance_by_label;

/// A method, and the same method on the randomized models.
pub struct Candidate {
    /// The method.
    pub method: Box<dyn Method>,
    /// The method on each stage of [`cascade`](super::cascade). Only [`Need::Randomized`] needs it;
    /// without such a metric it may be empty.
    pub randomized: Vec<Box<dyn Method>>,
}

impl From<Box<dyn Method>> for Candidate {
    fn from(method: Box<dyn Method>) -> Self {
        let randomized = Vec::new();
        Self { method, randomized }
    }
}

/// What each metric found for one text, in the order of the metrics.
pub type Readings = Vec<Option<Reading>>;

/// Measures methods on texts, by some metrics.
pub struct Evaluation<'a> {
    /// The model that is explained.
    pub model: &'a Model,
    /// The metrics.
    pub metrics: &'a [Box<dyn Metric>],
    /// The id of the token that replaces hidden tokens.
    pub mask_token: u32,
    /// The seed of the draw of another label for [`Need::OtherLabel`].
    pub seed: u64,
}

impl Evaluation<'_> {
    /// What the metrics find, `[candidate][sample][metric]`.
    ///
    /// All samples are explained and perturbed at once, so give a few dozen at a time. A version of
    /// a text that several metrics or methods need goes through the model once. `progress` gets the
    /// share that is done, from time to time.
    ///
    /// # Errors
    ///
    /// If a method cannot explain the model, or the device fails.
    pub fn measure(
        &self,
        candidates: &[Candidate],
        samples: &[Sample],
        progress: impl FnMut(f64),
    ) -> Result<Vec<Vec<Readings>>, ExplainError> {
        self.measure_knowing(&mut Versions::default(), candidates, samples, progress)
    }

    /// The same, with the versions of the same samples that the model has read before.
    pub(crate) fn measure_knowing(
        &self,
        versions: &mut Versions,
        candidates: &[Candidate],
        samples: &[Sample],
        progress: impl FnMut(f64),
    ) -> Result<Vec<Vec<Readings>>, ExplainError> {
        if self.model.transformer.config().decoder.is_some() {
            // Both stacks may read a word, and it would have to be hidden from both.
            let method = "an evaluation that hides words";
            return Err(ExplainError::TwoStacks { method });
        }
        let explained = candidates
            .iter()
            .map(|candidate| self.explain(candidate, samples));
        let explained: Vec<Relevance> = explained.collect::<Result<_, _>>()?;

        let mut asked = Vec::new();
        for relevance in &explained {
            for (of, sample) in samples.iter().enumerate() {
                for metric in self.metrics {
                    let views = metric.views(&relevance.case(of, sample));
                    let version = |view: super::View| view.of(&sample.text, self.mask_token);
                    let places = views
                        .into_iter()
                        .map(|view| versions.ask(of, version(view)));
                    asked.push(places.collect::<Vec<usize>>());
                }
            }
        }
        versions.answer(&self.model.transformer, progress)?;

        let mut asked = asked.iter();
        let of_candidate = explained.iter().map(|relevance| {
            let of_sample = samples.iter().enumerate().map(|(of, sample)| {
                let case = relevance.case(of, sample);
                let of_metric = self
                    .metrics
                    .iter()
                    .zip(asked.by_ref())
                    .map(|(metric, places)| {
                        let logits = places.iter().map(|&place| versions.logits(place));
                        let reading = metric.read(&case, &logits.collect::<Vec<_>>());
                        // A model that overflows gives a number that cannot be averaged.
                        reading.filter(|reading| reading.value.is_finite())
                    });
                of_metric.collect()
            });
            of_sample.collect()
        });
        Ok(of_candidate.collect())
    }

    /// All the relevance that the metrics need.
    fn explain(
        &self,
        candidate: &Candidate,
        samples: &[Sample],
    ) -> Result<Relevance, ExplainError> {
        let needs = |need| {
            self.metrics
                .iter()
                .any(|metric| metric.about().need == Some(need))
        };
        let labels: Vec<usize> = samples.iter().map(|sample| sample.label).collect();
        let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
        let of_label = relevance_by_label(candidate.method.as_ref(), &texts, &labels)?;
        let mut found = Relevance {
            probabilities: self.model.transformer.config().probabilities(),
            of_label,
            ..Relevance::default()
        };
        if needs(Need::OtherLabel) && self.model.transformer.config().labels.len() > 1 {
            let others: Vec<usize> = samples
                .iter()
                .map(|sample| self.other_label(sample))
                .collect();
            found.of_other = relevance_by_label(candidate.method.as_ref(), &texts, &others)?;
        }
        if needs(Need::Randomized) {
            found.randomized = vec![Vec::new(); samples.len()];
            for method in &candidate.randomized {
                let stage = relevance_by_label(method.as_ref(), &texts, &labels)?;
                let of_texts = found.randomized.iter_mut().zip(stage);
                of_texts.for_each(|(stages, relevance)| stages.push(relevance));
            }
        }
        Ok(found)
    }

    /// A label other than the sample's, drawn from the seed and the text; there are two at least.
    fn other_label(&self, sample: &Sample) -> usize {
        let others = self.model.transformer.config().labels.len() - 1;
        let ids = sample.text.tokens.iter().map(|token| u64::from(token.id));
        let mixed = ids.fold(self.seed, |mixed, id| {
            (mixed ^ id)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
        });
        let drawn = (mixed % others as u64) as usize;
        drawn + usize::from(drawn >= sample.label)
    }
}

/// The relevance of every sample's tokens.
#[derive(Default)]
struct Relevance {
    probabilities: Probabilities,
    of_label: Vec<Vec<f32>>,
    of_other: Vec<Vec<f32>>,
    /// `[sample][stage]`.
    randomized: Vec<Vec<Vec<f32>>>,
}

impl Relevance {
    fn case<'a>(&'a self, of: usize, sample: &'a Sample) -> Case<'a> {
        Case {
            sample,
            probabilities: self.probabilities,
            relevance: &self.of_label[of],
            other_label: self.of_other.get(of).map(Vec::as_slice),
            randomized: self.randomized.get(of).map_or(&[], Vec::as_slice),
        }
    }
}
