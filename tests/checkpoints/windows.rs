//! Texts that are longer than the model reads, in windows, against windows that are cut and added up here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use burn::tensor::Device;
use relprop_checkpoints::{Model, Truncation};
use relprop_explain::batching::Passes;
use relprop_explain::{ExplainError, Explainer, Explanation, Plan, Target};
use relprop_testing::fixtures::folder;
use relprop_transformer::TokenizedText;
use rstest::rstest;

fn load(name: &str) -> Arc<Model> {
    Arc::new(Model::load(&folder(name), &Device::flex()).unwrap())
}

fn plan() -> Plan {
    Plan {
        truncation: Truncation::Windows,
        ledger: true,
        ..Plan::default()
    }
}

/// So many words.
fn words(count: usize) -> String {
    let words = [
        "the", "film", "is", "warm", "but", "dull", "and", "never", "funny",
    ];
    (0..count)
        .map(|index| words[index * index % 9])
        .collect::<Vec<_>>()
        .join(" ")
}

fn relevance(explanation: &Explanation) -> Vec<f64> {
    explanation
        .tokens
        .iter()
        .map(|token| f64::from(token.relevance))
        .collect()
}

/// BERT's tokens around a text, and half a window of others after those of the window before.
#[rstest]
#[case("bert", 63)]
#[case("bert", 64)]
#[case("bert", 150)]
#[case("bert", 201)]
#[case("distilbert", 150)]
fn a_long_text_has_the_mean_of_its_windows(#[case] name: &str, #[case] count: usize) {
    let model = load(name);
    let explainer = Explainer::new(&model, &plan()).unwrap();
    let long = explainer.tokenize(&words(count)).unwrap();
    let (tokens, positions) = (long.tokens.len(), model.longest());
    assert!(tokens > positions && long.dropped == 0);

    let inner = positions - 2;
    let mut starts: Vec<usize> = (1..tokens - 1 - inner).step_by(inner / 2).collect();
    starts.push(tokens - 1 - inner);
    let cut = |start: &usize| {
        let places = [0]
            .into_iter()
            .chain(*start..start + inner)
            .chain([tokens - 1]);
        let places: Vec<usize> = places.collect();
        let text = TokenizedText {
            tokens: places
                .iter()
                .map(|place| long.tokens[*place].clone())
                .collect(),
            types: vec![0; places.len()],
            ..long.clone()
        };
        (places, text)
    };
    let (places, texts): (Vec<_>, Vec<_>) = starts.iter().map(cut).unzip();

    let found = explainer
        .explain_batch(std::slice::from_ref(&long))
        .unwrap()
        .remove(0);
    assert_eq!((found.windows, found.tokens.len()), (starts.len(), tokens));
    assert_eq!(found.dropped_tokens, 0);
    let label = found
        .labels
        .iter()
        .position(|label| *label == found.prediction)
        .unwrap();
    let of_label = explainer.target(Target::Label(label)).unwrap();
    let of_windows = of_label.explain_batch(&texts).unwrap();
    let share = 1.0 / starts.len() as f64;
    let mut expected = vec![0.0; tokens];
    let mut logits = vec![0.0; found.logits.len()];
    for (window, places) in of_windows.iter().zip(&places) {
        for (place, relevance) in places.iter().zip(relevance(window)) {
            expected[*place] += share * relevance;
        }
        for (sum, logit) in logits.iter_mut().zip(&window.logits) {
            *sum += share * f64::from(*logit);
        }
    }
    let largest = logits.iter().copied().fold(f64::MIN, f64::max);
    assert!(
        (logits[label] - largest).abs() < 1e-12,
        "what is predicted of the text"
    );
    assert!((f64::from(found.target.value) - logits[label]).abs() < 1e-5);
    for (found, expected) in relevance(&found).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
    }

    let ledger = found.ledger().unwrap();
    assert!(ledger.closes(), "{}", ledger.unaccounted);
    let absorbed: f64 = ledger.absorbed.iter().map(|entry| entry.relevance).sum();
    assert!((ledger.tokens + absorbed - ledger.target).abs() < 1e-4);
    assert!((ledger.tokens - relevance(&found).iter().sum::<f64>()).abs() < 1e-4);
    for layer in &ledger.layers {
        assert_eq!(layer.tokens.len(), tokens);
        assert!(layer.unaccounted.abs() < 1e-4);
    }
    let sites: Vec<_> = ledger
        .absorbed
        .iter()
        .map(|e| (&e.site, &e.operation, &e.kind))
        .collect();
    let mut once = sites.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), sites.len(), "each site once");
}

#[test]
fn a_text_that_fits_is_read_at_once_and_among_others() {
    let model = load("bert");
    let explainer = Explainer::new(&model, &plan()).unwrap();
    let cutting = Explainer::new(
        &model,
        &Plan {
            ledger: true,
            ..Plan::default()
        },
    )
    .unwrap();
    let texts = [words(5), words(150), words(9)];
    let tokenized = texts
        .each_ref()
        .map(|text| explainer.tokenize(text).unwrap());
    let together = explainer.explain_batch(&tokenized).unwrap();
    for (index, text) in texts.iter().enumerate() {
        assert_eq!(explainer.explain(text).unwrap(), together[index]);
        assert_eq!(together[index].windows > 0, index == 1);
        assert_eq!(
            cutting.explain(text).unwrap() == together[index],
            index != 1
        );
    }
}

/// A long text counts as one, and stops where its windows are told to.
#[test]
fn windows_count_as_their_text_and_stop_with_it() {
    let model = load("bert");
    let explainer = Explainer::new(&model, &plan()).unwrap();
    let texts = [words(150), words(5), words(200)];
    let texts = texts
        .each_ref()
        .map(|text| explainer.tokenize(text).unwrap());
    let texts: Vec<&TokenizedText> = texts.iter().collect();
    let done = Arc::new(AtomicUsize::new(0));
    let mut passes = Passes::default().counting(Arc::clone(&done));
    let found = explainer.explain_in(&mut passes, &texts, |_| ()).unwrap();
    assert_eq!((found.len(), done.load(Ordering::Relaxed)), (3, 3));
    let mut passes = Passes::until(Arc::new(AtomicBool::new(true)));
    let stopped = explainer.explain_in(&mut passes, &texts[..1], |_| ());
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}

/// Where the mean over windows has no meaning.
#[rstest]
#[case("bert", "log-probability(predicted)")]
#[case("bert", "entropy()")]
#[case("bert", "predicted-mean(2)")]
#[case("heads/bert-tokens", "predicted")]
#[case("heads/bert-masks", "predicted")]
#[case("gpt2", "predicted")]
fn windows_are_for_labels_of_texts(#[case] name: &str, #[case] target: &str) {
    let model = load(name);
    let plan = Plan {
        target: target.parse().unwrap(),
        ledger: false,
        ..plan()
    };
    let refused = Explainer::new(&model, &plan).unwrap_err();
    assert!(matches!(refused, ExplainError::Windows), "{refused}");
}

#[test]
fn a_pair_that_is_too_long_is_refused() {
    let explainer = Explainer::new(&load("bert"), &plan()).unwrap();
    let refused = explainer.tokenize_pair(&words(50), &words(50)).unwrap_err();
    assert!(refused.to_string().contains("reads at most"), "{refused}");
}
