//! Compares a rule set with the best so far, and stops early if it is clearly worse.

use relprop_checkpoints::Model;

use crate::{Candidate, Evaluation, Method, Metric, Sample, Scope, Versions, metrics};
use relprop_explain::ExplainError;
use relprop_explain::methods::Propagation;

/// How many texts are measured at once.
const TEXTS: usize = 16;
/// The number of texts before which no rule set is given up.
const FEWEST: usize = 2 * TEXTS;

/// What a rule set reached, text by text.
#[derive(Clone, Debug, Default)]
pub(super) struct Scores {
    pub auac: Vec<f64>,
    pub au_mse: Vec<f64>,
}

/// Measures rule sets on the same texts.
pub(super) struct Judge<'a> {
    model: &'a Model,
    texts: &'a [Sample],
    mask_token: u32,
    metrics: [Box<dyn Metric>; 2],
    /// The versions that the model has read, for each chunk of texts. Similar rule sets need many
    /// of the same versions.
    known: Vec<Versions>,
    /// The values of 1 - AUAC and of AU-MSE that count as 1.
    units: (f64, f64),
}

impl<'a> Judge<'a> {
    pub fn new(model: &'a Model, texts: &'a [Sample], mask_token: u32) -> Self {
        Self {
            model,
            texts,
            mask_token,
            metrics: [
                Box::new(metrics::Auac(Scope::All)),
                Box::new(metrics::AuMse(Scope::All)),
            ],
            known: texts.chunks(TEXTS).map(|_| Versions::default()).collect(),
            units: (1.0, 1.0),
        }
    }

    /// Measures the rule set that sets the units.
    pub fn first(&mut self, rules: Propagation) -> Result<Scores, ExplainError> {
        let mut scores = Scores::default();
        let candidate = candidate(rules);
        for chunk in 0..self.known.len() {
            self.measure(&candidate, chunk, &mut scores)?;
        }
        let count = scores.auac.len() as f64;
        let lacking: f64 = scores.auac.iter().map(|auac| 1.0 - auac).sum();
        let unit = |sum: f64| if sum > 0.0 { sum / count } else { 1.0 };
        self.units = (unit(lacking), unit(scores.au_mse.iter().sum()));
        Ok(scores)
    }

    /// Measures a rule set until it is behind `best` by more than two standard errors; None if so.
    pub fn race(
        &mut self,
        rules: Propagation,
        best: &Scores,
    ) -> Result<Option<Scores>, ExplainError> {
        let mut scores = Scores::default();
        let candidate = candidate(rules);
        for chunk in 0..self.known.len() {
            self.measure(&candidate, chunk, &mut scores)?;
            let (difference, error) = self.difference(&scores, best);
            let so_far = scores.auac.len();
            if so_far >= FEWEST && so_far < self.texts.len() && difference > 2.0 * error {
                return Ok(None);
            }
        }
        Ok(Some(scores))
    }

    /// The mean score.
    pub fn score(&self, scores: &Scores) -> f64 {
        let of_texts = self.of_texts(scores);
        of_texts.iter().sum::<f64>() / of_texts.len() as f64
    }

    /// Whether `found` is lower than `best` by more than one standard error.
    pub fn is_better(&self, found: &Scores, best: &Scores) -> bool {
        let (difference, error) = self.difference(found, best);
        difference < -error
    }

    /// The mean difference to the best on the same texts, and its standard error.
    fn difference(&self, found: &Scores, best: &Scores) -> (f64, f64) {
        let pairs = self.of_texts(found).into_iter().zip(self.of_texts(best));
        let differences: Vec<f64> = pairs.map(|(found, best)| found - best).collect();
        let count = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / count;
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
    }

    fn of_texts(&self, scores: &Scores) -> Vec<f64> {
        let (auac, au_mse) = self.units;
        let of_text = |(a, e): (&f64, &f64)| (1.0 - a) / auac + e / au_mse;
        scores
            .auac
            .iter()
            .zip(&scores.au_mse)
            .map(of_text)
            .collect()
    }

    /// Adds what the candidate reaches on one chunk of the texts.
    fn measure(
        &mut self,
        candidate: &[Candidate],
        chunk: usize,
        scores: &mut Scores,
    ) -> Result<(), ExplainError> {
        let evaluation = Evaluation {
            model: self.model,
            metrics: &self.metrics,
            mask_token: self.mask_token,
            hops: 0,
            seed: 0,
        };
        let first = chunk * TEXTS;
        let texts = &self.texts[first..self.texts.len().min(first + TEXTS)];
        let known = &mut self.known[chunk];
        let found = evaluation.measure_knowing(known, candidate, texts, |_| {})?;
        for readings in found.into_iter().flatten() {
            // Relevance that overflows counts as the worst explanation.
            let value = |index: usize, worst: f64| {
                readings[index]
                    .as_ref()
                    .map_or(worst, |reading| reading.value)
            };
            scores.auac.push(value(0, 0.0));
            scores.au_mse.push(value(1, f64::MAX.sqrt()));
        }
        Ok(())
    }
}

fn candidate(rules: Propagation) -> [Candidate; 1] {
    let method: Box<dyn Method> = Box::new(rules);
    [Candidate::from(method)]
}
