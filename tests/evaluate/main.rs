//! The metrics, against their definitions written out: one text at a time, one pass for each version
//! of it, plain loops.

mod pairs;
mod pictures;
mod properties;
mod randomized;
mod reference;
mod targets;
mod tune;
mod twins;

use relprop_checkpoints::Model;
use relprop_evaluate::{Candidate, Evaluation, Method, Metric, Polarity, Reading, Sample, metric};
use relprop_explain::ExplainError;
use relprop_testing::texts;
use relprop_transformer::TokenizedText;

/// The texts of the other tests, with labels; of their words, some are evidence and all are judged.
fn samples(model: &Model) -> Vec<Sample> {
    let texts = texts();
    let samples = texts.iter().enumerate().map(|(index, text)| {
        let encoded = model
            .tokenizer()
            .unwrap()
            .encode(text, 64, Default::default());
        let mut sample = Sample::new(encoded.unwrap(), index % 3);
        let mut place = 0;
        for (number, word) in text.split(' ').enumerate() {
            let end = place + word.chars().count();
            if number % 3 == 0 {
                sample.evidence.push(place..end);
            }
            sample.polarity.push(Polarity {
                place: place..end,
                value: [0.0, 2.0, -1.0, 1.0][number * 7 % 4],
            });
            place = end + 1;
        }
        sample
    });
    samples.collect()
}

/// Relevance that is given, of texts that are known by their tokens.
#[derive(Debug)]
struct Given(Vec<(TokenizedText, Vec<f32>)>);

impl Method for Given {
    fn name(&self) -> &str {
        "given"
    }

    fn relevance(&self, texts: &[&TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        let find = |text: &TokenizedText| self.0.iter().find(|(known, _)| known == text);
        Ok(texts
            .iter()
            .map(|text| find(text).unwrap().1.clone())
            .collect())
    }
}

/// What `names` read for each sample under `method`, `[sample][metric]`.
fn measure(
    model: &Model,
    method: impl Method + 'static,
    names: &[&str],
    samples: &[Sample],
) -> Vec<Vec<Option<Reading>>> {
    let candidate = Candidate::from(Box::new(method) as Box<dyn Method>);
    measure_candidate(model, candidate, names, samples)
}

fn measure_candidate(
    model: &Model,
    candidate: Candidate,
    names: &[&str],
    samples: &[Sample],
) -> Vec<Vec<Option<Reading>>> {
    let metrics: Vec<Box<dyn Metric>> = names.iter().map(|name| metric(name).unwrap()).collect();
    let evaluation = Evaluation {
        model,
        metrics: &metrics,
        mask_token: model.tokenizer().unwrap().id("[UNK]").unwrap(),
        hops: 0,
        seed: 0,
    };
    let mut shares = Vec::new();
    let mut found = evaluation
        .measure(&[candidate], samples, |share| shares.push(share))
        .unwrap();
    assert!(shares.is_sorted() && shares.last().is_none_or(|last| *last == 1.0));
    found.remove(0)
}
