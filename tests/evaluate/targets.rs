//! Metrics of other targets than a label: differences, and answers of language models, against plain loops.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use relprop_checkpoints::Model;
use relprop_engine::measure::{Measured, Samples, TextColumns};
use relprop_evaluate::{Candidate, Evaluation, Metric, Sample, metric};
use relprop_explain::methods::Method;
use relprop_explain::{Explainer, Plan, Scalar, Score, Target, answer_start};
use relprop_testing::{
    Architecture, LanguageModel, model, numbers, propagation, relevance, shared,
};
use relprop_transformer::{Batch, PaddingSide, TokenizedText};
use rstest::rstest;

use crate::samples;

/// The id of what hides others: an unknown token, or a patch that is not seen.
fn unknown(model: &Model) -> u32 {
    if model.tokenizer().is_some() { 3 } else { 1 }
}

fn measured(model: &Model, preset: &str, names: &[&str], sample: &Sample, hops: usize) -> Vec<f64> {
    let metrics: Vec<Box<dyn Metric>> = names.iter().map(|name| metric(name).unwrap()).collect();
    let evaluation = Evaluation {
        model,
        metrics: &metrics,
        mask_token: unknown(model),
        hops,
        seed: 0,
    };
    let method = Box::new(propagation(model, preset)) as Box<dyn Method>;
    let sample = std::slice::from_ref(sample);
    let found = evaluation.measure(&[Candidate::from(method)], sample, |_| ());
    let found = found.unwrap().remove(0).remove(0);
    found
        .into_iter()
        .map(|reading| reading.unwrap().value)
        .collect()
}

/// Every number that the head gives, where some tokens are unknown.
fn hiding(model: &Model, text: &TokenizedText, hidden: &[usize]) -> Vec<f64> {
    let mut text = text.clone();
    hidden
        .iter()
        .for_each(|&place| text.tokens[place].id = unknown(model));
    let device = model.transformer.device();
    let batch = Batch::new([&text], 0, PaddingSide::Right, &device);
    let mut pass = relprop_rules::Pass::plain();
    numbers(model.transformer.forward(&batch, &mut pass))
}

/// The places by relevance, the highest first.
fn order(relevance: &[f64], of: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevance.len()).filter(|&place| of(place)).collect();
    order.sort_by(|&a, &b| relevance[b].total_cmp(&relevance[a]));
    order
}

fn area(points: &[f64]) -> f64 {
    let mut sum = 0.0;
    for pair in points.windows(2) {
        sum += (pair[0] + pair[1]) / 2.0;
    }
    sum / (points.len() - 1) as f64
}

#[rstest]
fn a_difference_is_measured_by_its_value(
    #[values(Score::Logit, Score::LogProbability)] score: Score,
) {
    let mut model = model(&Architecture::PostNorm.config());
    model.transformer = model.transformer.cast(DType::F64);
    for sample in samples(&model) {
        let target = Target::Contrast(2, 0);
        let sample = Sample {
            target,
            score,
            ..sample
        };
        let plan = Plan {
            target: Scalar {
                of: target,
                score,
                place: None,
            },
            ..Plan::default()
        };
        let explainer = Explainer::new(&shared(&model), &plan).unwrap();
        let explained = explainer.explain_batch(std::slice::from_ref(&sample.text));
        let relevance = relevance(&explained.unwrap()[0]);
        let value = |hidden: &[usize]| {
            let logits = hiding(&model, &sample.text, hidden);
            logits[2] - logits[0]
        };
        let order = order(&relevance, |place| !sample.text.tokens[place].special);
        let points: Vec<f64> = (0..=10)
            .map(|step| {
                let changed = (f64::from(step) * 0.1 * order.len() as f64).ceil() as usize;
                value(&order[..changed.min(order.len())])
            })
            .collect();
        let held: f64 = relevance.iter().sum();
        let expected = [area(&points), (value(&[]) - held).abs()];
        let found = measured(&model, "ah-ln", &["morf", "conservation"], &sample, 0);
        for (found, expected) in found.iter().zip(expected) {
            let close = (found - expected).abs() < 1e-5 * expected.abs().max(1.0);
            assert!(close, "{found} instead of {expected}");
        }
    }
}

/// The patches of the pictures of a folder are hidden, those that are most relevant first.
#[test]
fn a_picture_is_measured_patch_by_patch() {
    let fixtures = relprop_testing::fixtures::folder;
    let mut model = Model::load(&fixtures("vit"), &Device::flex()).unwrap();
    model.transformer = model.transformer.cast(DType::F64);
    let labels = model.transformer.config().labels.clone();
    let folder = tempfile::tempdir().unwrap();
    for label in &labels {
        for (part, count) in [("train", 4), ("test", 1)] {
            let place = folder.path().join(part).join(label);
            fs::create_dir_all(&place).unwrap();
            for number in 0..count {
                let file = place.join(format!("{number}.png"));
                fs::copy(fixtures("pictures/small.png"), file).unwrap();
            }
        }
    }
    let shared = shared(&model);
    let open = |path: &Path, more| {
        Samples::open(path, more, None, 0, &Measured::True, &shared, |line| {
            panic!("{line}")
        })
    };
    let samples = open(folder.path(), Default::default()).unwrap();
    assert_eq!(samples.samples.len(), labels.len());
    assert!(samples.sha256.is_some());
    for sample in &samples.samples {
        let label = sample.label().unwrap();
        let places = sample.text.text.rsplit_once("picture ").unwrap().1;
        assert_eq!(
            places.parse::<usize>().unwrap(),
            label + 1,
            "in the order of labels"
        );
        let plan = Plan {
            target: Target::Label(label).into(),
            ..Plan::default()
        };
        let explainer = Explainer::new(&shared, &plan).unwrap();
        let explained = explainer.explain_batch(std::slice::from_ref(&sample.text));
        let relevance = relevance(&explained.unwrap()[0]);
        let probability = |hidden: &[usize]| {
            let logits = hiding(&model, &sample.text, hidden);
            logits[label].exp() / logits.iter().map(|logit| logit.exp()).sum::<f64>()
        };
        let first = order(&relevance, |place| !sample.text.tokens[place].special);
        assert!(first.len() > 4);
        let curve = |order: &[usize]| {
            // In ten steps.
            let counts = (0..=10).map(|step| (step * order.len()).div_ceil(10));
            let points = counts.map(|count| probability(&order[..count]));
            area(&points.collect::<Vec<_>>())
        };
        let last: Vec<usize> = first.iter().rev().copied().collect();
        let (morf, lerf) = (curve(&first), curve(&last));
        let found = measured(&model, "ah-ln", &["morf", "lerf", "srg"], sample, 0);
        for (found, expected) in found.iter().zip([morf, lerf, lerf - morf]) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{found} instead of {expected}"
            );
        }
    }

    let refused = open(Path::new("reviews"), Default::default()).unwrap_err();
    assert!(
        refused.to_string().contains("a folder of pictures"),
        "{refused}"
    );
    let more = TextColumns {
        evidence: Some("box"),
        ..TextColumns::default()
    };
    assert!(open(folder.path(), more).is_err());
    let texts = Arc::new(Model::load(&fixtures("bert"), &Device::flex()).unwrap());
    let refused = Samples::open(
        folder.path(),
        Default::default(),
        None,
        0,
        &Measured::True,
        &texts,
        |_| (),
    );
    assert!(refused.unwrap_err().to_string().contains("reads texts"));
}

/// A random order is a baseline for any target: it has the value that propagation finds, and ranks of tokens.
#[rstest]
fn a_random_order_answers_any_question(
    #[values(
        "id:2-id:0",
        "id:1-mean()",
        "log-probability(id:1)",
        "entropy()",
        "norm()"
    )]
    target: &str,
) {
    let model = shared(&model(&Architecture::PostNorm.config()));
    let plan = Plan {
        target: target.parse().unwrap(),
        ..Plan::default()
    };
    let random = Plan {
        method: Some("random".to_owned()),
        ..plan.clone()
    };
    let texts: Vec<_> = samples(&model).into_iter().map(|s| s.text).collect();
    let [expected, found] = [plan, random].map(|plan| {
        let explainer = Explainer::new(&model, &plan).unwrap();
        explainer.explain_batch(&texts).unwrap()
    });
    for (expected, found) in expected.iter().zip(&found) {
        let (expected, value) = (expected.target.value, found.target.value);
        assert!(
            (expected - value).abs() < 1e-5 * expected.abs().max(1.0),
            "{value}"
        );
        let mut ranks = relevance(found);
        ranks.sort_by(f64::total_cmp);
        let all: Vec<f64> = (1..=ranks.len()).map(|rank| rank as f64).collect();
        assert_eq!(ranks, all);
    }
}

/// The answer stays while the prompt is hidden, and it is measured by the probability of all of its tokens.
#[rstest]
fn an_answer_is_measured_by_its_probability(
    #[values(LanguageModel::Gpt2, LanguageModel::Llama3)] family: LanguageModel,
    #[values(0, 2)] hops: usize,
) {
    let mut model = model(&family.config());
    model.transformer = model.transformer.cast(DType::F64);
    let plan = Plan {
        target: Target::Given.into(),
        hops,
        ..Plan::default()
    };
    let explainer = Explainer::new(&shared(&model), &plan).unwrap();
    let prompt =
        "a warm , funny film that never gets dull and a dull plot with warm jokes , never funny";
    let text = explainer
        .tokenize_answer(prompt, " a funny warm film")
        .unwrap();
    let answer = answer_start(&text);
    assert!(answer > 15 && answer < text.tokens.len(), "{answer}");
    let explained = explainer
        .explain_batch(std::slice::from_ref(&text))
        .unwrap();
    let relevance = relevance(&explained[0]);

    let outputs = model.transformer.config().logits();
    let log_probability = |hidden: &[usize]| -> f64 {
        let all = hiding(&model, &text, hidden);
        let rows = all.chunks(outputs).zip(&text.asked);
        let logarithm = |(row, asked): (&[f64], &usize)| {
            let sum: f64 = row.iter().map(|z| z.exp()).sum();
            row[text.tokens[asked + 1].id as usize] - sum.ln()
        };
        rows.map(logarithm).sum()
    };
    let order = order(&relevance, |place| {
        place < answer && !text.tokens[place].special
    });
    let (steps, mut hidden) = (20.min(order.len()), 0);
    let mut scores = vec![log_probability(&[])];
    for step in 0..steps {
        hidden += order.len() / steps + usize::from(step < order.len() % steps);
        scores.push(log_probability(&order[..hidden]));
    }
    assert_eq!(hidden, order.len());
    let (first, last) = (scores[0], scores[steps]);
    let mut least = 1.0;
    let points: Vec<f64> = scores
        .iter()
        .map(|score| {
            least = f64::min(
                least,
                ((score - last) / (first - last).abs()).clamp(0.0, 1.0),
            );
            least
        })
        .collect();
    let lost: Vec<f64> = [0.01, 0.05, 0.1, 0.2, 0.5]
        .iter()
        .map(|share| {
            // Tokens of the prompt are removed, and what is asked moves with its tokens.
            let gone = &order[..(share * order.len() as f64).ceil() as usize];
            let left = |place: &usize| !gone.contains(place);
            let places: Vec<usize> = (0..text.tokens.len()).filter(left).collect();
            let at = |place: usize| places.iter().rposition(|&left| left <= place).unwrap();
            let shorter = TokenizedText {
                tokens: places
                    .iter()
                    .map(|&place| text.tokens[place].clone())
                    .collect(),
                types: vec![0; places.len()],
                // Where the token before the answer is gone, the one before that is asked for its first one.
                asked: text.asked.iter().map(|&asked| at(asked)).collect(),
                ..text.clone()
            };
            let all = hiding(&model, &shorter, &[]);
            let rows = all.chunks(outputs).zip(&text.asked);
            let logarithms = rows.map(|(row, asked)| {
                let sum: f64 = row.iter().map(|z| z.exp()).sum();
                row[text.tokens[asked + 1].id as usize] - sum.ln()
            });
            first.exp() - logarithms.sum::<f64>().exp()
        })
        .collect();
    let removed = lost.iter().sum::<f64>() / lost.len() as f64;

    // A word of the prompt is evidence; the answer's words are none.
    let end = text.tokens[3].end;
    let sample = Sample {
        answer: Some(answer),
        evidence: std::iter::once(text.tokens[2].start..end).collect(),
        ..Sample::asking(text.clone(), Target::Given, Score::Logit)
    };
    let tenth = order.len().div_ceil(10);
    let known = |place: &&usize| (2..=3).contains(*place);
    let recovery = order[..tenth].iter().filter(known).count() as f64 / 2.0;
    let names = ["rise", "recovery", "comprehensiveness"];
    let found = measured(&model, "ah-ln", &names, &sample, hops);
    for (found, expected) in found.iter().zip([area(&points), recovery, removed]) {
        let close = (found - expected).abs() < 1e-6 * expected.abs().max(1.0);
        assert!(close, "{found} instead of {expected}");
    }
}
