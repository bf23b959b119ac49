//! The search for a rule set: what it finds is better, fits the model, and is the same every time.

use relprop_checkpoints::Model;
use relprop_evaluate::Candidate;
use relprop_evaluate::{Evaluation, Interval, Metric, Sample, metric};
use relprop_evaluate::{
    tune::Comparison, tune::Faithfulness, tune::Search, tune::Tuned, tune::tune,
};
use relprop_explain::methods::Propagation;
use relprop_rules::{Registry, RuleSet};
use relprop_testing::{Architecture, model, nine_words};
use rstest::rstest;

/// Texts of 9 words, no two alike, with any labels.
fn samples(model: &Model, count: usize) -> Vec<Sample> {
    let samples = (0..count).map(|index| {
        let text = model
            .tokenizer()
            .unwrap()
            .encode(&nine_words(index), 64, Default::default());
        Sample::new(text.unwrap(), index % 3)
    });
    samples.collect()
}

fn presets(names: &[&str]) -> Vec<RuleSet> {
    names
        .iter()
        .map(|name| RuleSet::preset(name).unwrap())
        .collect()
}

fn search(
    model: &Model,
    starts: &[&str],
    tries: usize,
) -> (Tuned, Vec<(String, Option<f64>, f64)>) {
    let all = samples(model, 60);
    let starts = presets(starts);
    let plan = Search {
        model: &relprop_testing::shared(model),
        starts: &starts,
        texts: &all[..40],
        held_out: &all[40..],
        tries,
        mask_token: model.tokenizer().unwrap().id("[UNK]").unwrap(),
    };
    let mut attempts = Vec::new();
    let tuned = tune(&plan, |attempt| {
        assert_eq!(attempt.number, attempts.len() + 1);
        attempts.push((attempt.what.to_owned(), attempt.score, attempt.best));
        Ok(())
    });
    (tuned.unwrap(), attempts)
}

/// The mean of a metric, measured by itself.
fn mean(model: &Model, rules: &RuleSet, name: &str, samples: &[Sample]) -> f64 {
    let metrics: [Box<dyn Metric>; 1] = [metric(name).unwrap()];
    let evaluation = Evaluation {
        model,
        metrics: &metrics,
        mask_token: model.tokenizer().unwrap().id("[UNK]").unwrap(),
        hops: 0,
        seed: 0,
    };
    let model = &relprop_testing::shared(model);
    let rules = Propagation::new(model, rules, &Registry::default()).unwrap();
    let method: Box<dyn relprop_evaluate::Method> = Box::new(rules);
    let found = evaluation
        .measure(&[Candidate::from(method)], samples, |_| {})
        .unwrap();
    let values = found[0].iter().map(|text| text[0].as_ref().unwrap().value);
    values.sum::<f64>() / samples.len() as f64
}

#[rstest]
#[case(Architecture::PostNorm)]
#[case(Architecture::AttentionOnly)]
fn what_is_found_scores_better_and_is_what_it_is_said_to_be(#[case] architecture: Architecture) {
    let model = model(&architecture.config());
    let (tuned, attempts) = search(&model, &["gradient-x-input", "ah-ln"], 25);
    assert!(attempts.len() <= 25 && tuned.tries == attempts.len());
    assert_eq!(attempts[0].0, "gradient-x-input");
    assert!(
        (attempts[0].1.unwrap() - 2.0).abs() < 1e-9,
        "the first start counts 1 + 1"
    );
    assert!(
        attempts.windows(2).all(|pair| pair[1].2 <= pair[0].2),
        "the best only gets better"
    );
    // Attention alone has few rules to choose from; else a random model has much to gain.
    assert!(architecture == Architecture::AttentionOnly || !tuned.kept.is_empty());
    assert_eq!(
        attempts.last().unwrap().2 < attempts[1].2,
        !tuned.kept.is_empty()
    );

    let all = samples(&model, 60);
    for (texts, comparison) in [(&all[..40], tuned.search), (&all[40..], tuned.held_out)] {
        assert_eq!(comparison.texts, texts.len());
        let auac = |rules| mean(&model, rules, "auac", texts);
        let au_mse = |rules| mean(&model, rules, "au-mse", texts);
        assert!((comparison.start.auac.mean - auac(&tuned.start)).abs() < 1e-5);
        assert!((comparison.found.auac.mean - auac(&tuned.rules)).abs() < 1e-5);
        let (start, found) = (au_mse(&tuned.start), au_mse(&tuned.rules));
        assert!((comparison.start.au_mse.mean - start).abs() < 1e-4 * start);
        assert!((comparison.found.au_mse.mean - found).abs() < 1e-4 * found);
        let gain = comparison.found.auac.mean - comparison.start.auac.mean;
        assert!((comparison.difference.auac.mean - gain).abs() < 1e-9);
    }
    // It is read back as it was found.
    assert_eq!(
        RuleSet::from_toml(&tuned.rules.to_toml().unwrap()).unwrap(),
        tuned.rules
    );
}

#[test]
fn one_try_measures_the_start_alone_and_the_same_search_finds_the_same() {
    let model = model(&Architecture::PostNorm.config());
    let (tuned, attempts) = search(&model, &["ah-ln"], 1);
    assert_eq!((attempts.len(), tuned.kept.len()), (1, 0));
    assert_eq!(tuned.rules, tuned.start);
    assert_eq!(tuned.held_out.difference.auac.mean, 0.0);
    assert!(!tuned.held_out.confirmed());
    assert_eq!(
        search(&model, &["ah-ln"], 12).1,
        search(&model, &["ah-ln"], 12).1
    );
}

#[rstest]
#[case([0.02, 0.01, 0.03], [-0.1, -0.2, 0.0], true)]
#[case([0.02, 0.0, 0.04], [-0.1, -0.2, -0.05], true)]
#[case([0.02, -0.01, 0.05], [-0.1, -0.3, 0.1], false)]
#[case([0.02, 0.01, 0.03], [0.1, -0.2, 0.3], false)]
#[case([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], false)]
fn confirmed_is_better_beyond_chance(
    #[case] auac: [f64; 3],
    #[case] au_mse: [f64; 3],
    #[case] expected: bool,
) {
    let interval = |[mean, low, high]: [f64; 3]| Interval { mean, low, high };
    let difference = Faithfulness {
        auac: interval(auac),
        au_mse: interval(au_mse),
    };
    let comparison = Comparison {
        texts: 9,
        start: difference,
        found: difference,
        difference,
    };
    assert_eq!(comparison.confirmed(), expected);
}
