//! Measuring several methods on the same texts.

use std::borrow::Cow;

use relprop_checkpoints::Model;
use relprop_transformer::{AnswersAt, Outputs, TokenizedText};

use super::versions::Versions;
use super::{Case, Method, Metric, Need, Reading, Sample, View};
use relprop_explain::batching::in_passes;
use relprop_explain::methods::{Question, relevance_by_label};
use relprop_explain::{ExplainError, Score, Target, hopped};

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
    /// How often relevance on earlier text of an answer is passed on, at most.
    pub hops: usize,
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
                    let views = metric.views(&relevance.case(self.model, of, sample));
                    let version = |view: &View| view.of(&sample.text, self.mask_token);
                    let places = views.into_iter().map(|view| {
                        let place = versions.ask(of, version(&view));
                        (place, self.removed(view))
                    });
                    asked.push(places.collect::<Vec<_>>());
                }
            }
        }
        versions.answer(&self.model.transformer, progress)?;

        let mut asked = asked.iter();
        let of_candidate = explained.iter().map(|relevance| {
            let of_sample = samples.iter().enumerate().map(|(of, sample)| {
                let case = relevance.case(self.model, of, sample);
                let of_metric = self
                    .metrics
                    .iter()
                    .zip(asked.by_ref())
                    .map(|(metric, places)| {
                        let logits = places.iter().map(|(place, removed)| {
                            let logits = versions.logits(*place);
                            match removed {
                                None => Cow::Borrowed(logits),
                                Some(marks) => Cow::Owned(self.in_place(logits, marks)),
                            }
                        });
                        let logits: Vec<Cow<[f32]>> = logits.collect();
                        let logits: Vec<&[f32]> = logits.iter().map(AsRef::as_ref).collect();
                        let reading = metric.read(&case, &logits);
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
        let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
        let method = candidate.method.as_ref();
        let mut found = Relevance {
            of_target: self.of_targets(method, samples)?,
            ..Relevance::default()
        };
        let others = samples.iter().map(|sample| self.other_label(sample));
        if let (true, Some(others)) = (needs(Need::OtherLabel), others.collect::<Option<Vec<_>>>())
        {
            found.of_other = relevance_by_label(method, &texts, &others)?;
        }
        if needs(Need::Randomized) {
            found.randomized = vec![Vec::new(); samples.len()];
            for method in &candidate.randomized {
                let stage = self.of_targets(method.as_ref(), samples)?;
                let of_texts = found.randomized.iter_mut().zip(stage);
                of_texts.for_each(|(stages, relevance)| stages.push(relevance));
            }
        }
        Ok(found)
    }

    /// The relevance of each sample's tokens for what it asks.
    fn of_targets(
        &self,
        method: &dyn Method,
        samples: &[Sample],
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
        let outputs = self.model.transformer.config().head.outputs();
        let answers_once = matches!(outputs, Outputs::Labels | Outputs::Vocabulary)
            && texts.iter().all(|text| text.asked.len() < 2);
        let labels: Option<Vec<usize>> = samples.iter().map(Sample::label).collect();
        if let (Some(labels), true) = (labels, answers_once && self.hops == 0) {
            return relevance_by_label(method, &texts, &labels);
        }
        let mut asked: Vec<(Target, Score)> = Vec::new();
        for sample in samples {
            let one = (sample.target, sample.score);
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
        let mut relevance = vec![Vec::new(); samples.len()];
        for (target, score) in asked {
            let question = Question {
                model: self.model,
                target,
                score,
                weights: None,
            };
            let same =
                |place: &usize| (samples[*place].target, samples[*place].score) == (target, score);
            let places: Vec<usize> = (0..samples.len()).filter(same).collect();
            let of_target: Vec<&TokenizedText> = places.iter().map(|&place| texts[place]).collect();
            let found = in_passes(&of_target, 1, |texts| match self.hops {
                0 => method.find(texts, &question),
                hops => {
                    let hopped = |text: &&TokenizedText| hopped(method, text, &question, hops);
                    texts.iter().map(|text| Ok(hopped(text)?.0)).collect()
                }
            })?;
            for (place, found) in places.into_iter().zip(found) {
                relevance[place] = found.relevance;
            }
        }
        Ok(relevance)
    }

    /// Which tokens a view removes, where each token answers for itself: its numbers are then those of the
    /// tokens that are left.
    fn removed(&self, view: View) -> Option<Vec<bool>> {
        let each = self.model.transformer.config().head.answers_at() == AnswersAt::Each;
        match view {
            View::Removed(marks) if each => Some(marks),
            View::Removed(_) | View::Hidden(_) => None,
        }
    }

    /// The numbers of tokens that are left, at their places in the text, with zeros at those that are gone.
    fn in_place(&self, numbers: &[f32], removed: &[bool]) -> Vec<f32> {
        let outputs = self.model.transformer.config().logits();
        let mut left = numbers.chunks(outputs);
        let nothing = vec![0.0; outputs];
        let rows = removed.iter().map(|removed| match removed {
            true => nothing.clone(),
            false => left.next().map_or_else(|| nothing.clone(), <[f32]>::to_vec),
        });
        rows.collect::<Vec<_>>().concat()
    }

    /// A label other than the sample's, drawn from the seed and the text. None if the sample does not ask for a
    /// label, or if there is no other.
    fn other_label(&self, sample: &Sample) -> Option<usize> {
        let label = sample.label()?;
        let others = self
            .model
            .transformer
            .config()
            .labels
            .len()
            .checked_sub(1)?;
        if others == 0 {
            return None;
        }
        let ids = sample.text.tokens.iter().map(|token| u64::from(token.id));
        let mixed = ids.fold(self.seed, |mixed, id| {
            (mixed ^ id)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
        });
        let drawn = (mixed % others as u64) as usize;
        Some(drawn + usize::from(drawn >= label))
    }
}

/// The relevance of every sample's tokens.
#[derive(Default)]
struct Relevance {
    of_target: Vec<Vec<f32>>,
    of_other: Vec<Vec<f32>>,
    /// `[sample][stage]`.
    randomized: Vec<Vec<Vec<f32>>>,
}

impl Relevance {
    fn case<'a>(&'a self, model: &'a Model, of: usize, sample: &'a Sample) -> Case<'a> {
        Case {
            sample,
            model,
            relevance: &self.of_target[of],
            other_label: self.of_other.get(of).map(Vec::as_slice),
            randomized: self.randomized.get(of).map_or(&[], Vec::as_slice),
        }
    }
}
