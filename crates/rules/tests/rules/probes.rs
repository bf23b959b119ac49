//! Reading relevance, and asking for it where there is none.

use burn::tensor::Tensor;
use relprop_rules::operations::{AttentionWeights, Norm};
use relprop_rules::{Pass, Registry, RuleError, RuleSet};

use super::support::{Head, Hide, NormCase, PLACES, Place, explain_by, numbers};

#[test]
fn a_probe_where_nothing_flows_back_gives_zeros() {
    for &place in PLACES {
        // Under `ah` the target does not depend on the query at all: nothing is tracked.
        let head = Head::draw([1, 2, 3, 4, 2], Hide::Nothing, 0);
        let mut relevance = explain_by("ah", &["query"], |pass| head.forward(place, pass));
        let relevance: Tensor<4> = relevance.take("query").unwrap();
        assert_eq!(relevance.dims(), [1, 2, 3, 2]);
        assert_eq!(numbers(relevance), [0.0; 12]);
    }
}

#[test]
fn a_probe_beside_others_where_nothing_flows_back_gives_zeros_too() {
    for &place in PLACES {
        let head = Head::draw([1, 1, 2, 2, 2], Hide::Nothing, 0);
        let mut relevance = explain_by("ah", &["query", "value"], |pass| head.forward(place, pass));
        assert_eq!(numbers::<4>(relevance.take("query").unwrap()), [0.0; 4]);
        assert!(
            numbers::<4>(relevance.take("value").unwrap())
                .iter()
                .all(|r| *r != 0.0)
        );
    }
}

#[test]
fn a_site_that_the_model_does_not_have_gives_an_error_that_names_it() {
    let case = NormCase::draw(
        2,
        4,
        relprop_rules::operations::NormScale::InsideRoot(0.1),
        0,
    );
    let mut relevance = explain_by("ln", &["nrom", "x"], |pass| case.forward(Place::F32, pass));
    let error = relevance.take::<3>("nrom").unwrap_err();
    assert!(matches!(error, RuleError::NoProbe { .. }));
    assert_eq!(
        error.to_string(),
        "no relevance of rank 3 was recorded at site `nrom`"
    );
    // Nor is there any where no probe was asked for.
    assert!(matches!(
        relevance.take::<3>("norm"),
        Err(RuleError::NoProbe { .. })
    ));
    assert!(relevance.take::<3>("x").is_ok());
}

#[test]
fn a_signal_of_another_rank_gives_an_error_that_names_the_rank() {
    let case = NormCase::draw(
        2,
        4,
        relprop_rules::operations::NormScale::InsideRoot(0.1),
        0,
    );
    let mut relevance = explain_by("ln", &["x"], |pass| case.forward(Place::F32, pass));
    let error = relevance.take::<4>("x").unwrap_err().to_string();
    assert_eq!(error, "no relevance of rank 4 was recorded at site `x`");
}

/// A probe in the middle must not disturb what the ones before it read.
#[test]
fn relevance_at_a_site_does_not_depend_on_other_probes() {
    for &place in PLACES {
        let head = Head::draw([2, 2, 4, 4, 3], Hide::PerText, 7);
        let run = |probes: &[&str]| {
            let mut relevance =
                explain_by("gradient-x-input", probes, |pass| head.forward(place, pass));
            numbers::<4>(relevance.take("x").unwrap())
        };
        assert_eq!(
            run(&["x"]),
            run(&["x", "asking", "query", "key", "scores", "weights", "mix"])
        );
    }
}

#[test]
fn scopes_prefix_the_names_of_sites() {
    let x = Place::F32.tensor::<3>(&[1.0, 2.0], [1, 1, 2]);
    let mut pass = Pass::trace();
    pass.within("encoder", |pass| {
        pass.within(3, |pass| pass.apply("norm", &Norm::plain(1e-5), x.clone()));
        pass.signal("end", x.clone())
    });
    pass.signal("logits", x);
    let sites = pass.into_sites();
    let names: Vec<_> = sites
        .iter()
        .map(|site| (site.name.as_str(), site.operation))
        .collect();
    assert_eq!(
        names,
        [
            ("encoder.3.norm", Some("norm")),
            ("encoder.end", None),
            ("logits", None)
        ]
    );
    assert!(sites.iter().all(|site| site.shape == [1, 1, 2]));
}

/// Rules are looked up by site, so those of another model cannot quietly be used.
#[test]
#[should_panic(
    expected = "the operation `norm` at site `second` has no rule: these rules were \
                           bound to the sites of another model"
)]
fn rules_of_another_model_panic_and_say_so() {
    let model = |site: &str, pass: &mut Pass| {
        let x = Place::F32.tensor::<3>(&[1.0, 2.0], [1, 1, 2]);
        pass.apply(site, &Norm::plain(1e-5), x);
    };
    let mut trace = Pass::trace();
    model("first", &mut trace);
    let rules = RuleSet::preset("ln").unwrap();
    let rules = rules
        .bind(&trace.into_sites(), &Registry::default())
        .unwrap();
    model("second", &mut Pass::new(&rules));
}

/// The same name for another operation is another model, too.
#[test]
#[should_panic(expected = "the operation `attention-weights` at site `here` has no rule")]
fn rules_of_another_operation_panic_and_say_so() {
    let mut trace = Pass::trace();
    trace.apply(
        "here",
        &Norm::plain(1e-5),
        Place::F32.tensor(&[1.0, 2.0], [1, 1, 2]),
    );
    let rules = RuleSet::preset("ln").unwrap();
    let rules = rules
        .bind(&trace.into_sites(), &Registry::default())
        .unwrap();
    let scores = Place::F32.tensor(&[1.0, 2.0], [1, 1, 1, 2]);
    Pass::new(&rules).apply("here", &AttentionWeights { hidden: None }, scores);
}
