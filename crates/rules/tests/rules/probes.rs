//! Reading relevance, and asking for it where there is none.

use burn::tensor::Tensor;
use relprop_rules::algebra::surrogate;
use relprop_rules::operations::{AttentionWeights, Linear, Norm};
use relprop_rules::{Operation, Pass, Registry, Rows, Rule, RuleError, RuleSet};

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

/// Of two texts of three tokens, the last of the first and the second of the other are computed: what is read has
/// their places, and what is put in the place of a signal is taken from them.
#[test]
fn what_is_read_of_some_rows_has_the_layout_of_the_batch() {
    for &place in PLACES {
        let device = place.device();
        let rows = Rows {
            batch: [2, 3],
            tokens: Tensor::from_data([2, 4], &device.clone().without_autodiff()),
        };
        let x: Tensor<3> = place.tensor(&[1.0, 2.0, 3.0, 4.0], [1, 2, 2]);
        let run = |pass: Pass| {
            let mut pass = pass.with_probe("some.y");
            let y = pass.within("some", |pass| {
                pass.within_rows(&rows, |pass| pass.signal("y", x.clone()))
            });
            // Outside, signals are as they are.
            let z = pass.signal("z", y.clone() * 2.0);
            assert_eq!(z.dims(), [1, 2, 2]);
            let of_y = pass.backward((z.clone() * z.clone()).sum());
            (numbers(z), of_y)
        };
        let (z, mut found) = run(Pass::plain());
        assert_eq!(z, [2.0, 4.0, 6.0, 8.0]);
        let reading = found.read::<3>("some.y").unwrap();
        assert_eq!(reading.signal.dims(), [2, 3, 2]);
        let signal = [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0];
        assert_eq!(numbers(reading.signal), signal);
        // d (2 y)^2 / dy = 8 y
        assert_eq!(numbers(reading.gradient), signal.map(|y| 8.0 * y));

        let all: Vec<f64> = (0..12).map(f64::from).collect();
        let other: Tensor<3> = place.tensor(&all, [2, 3, 2]);
        let (z, _) = run(Pass::plain().with_signal("some.y", other));
        assert_eq!(z, [8.0, 10.0, 16.0, 18.0]);
    }
    let mut trace = Pass::trace();
    let rows = Rows {
        batch: [1, 2],
        tokens: Tensor::from_data([0], &Place::F32.device()),
    };
    let x: Tensor<3> = Place::F32.tensor(&[1.0], [1, 1, 1]);
    trace.within_rows(&rows, |pass| pass.signal("y", x));
    assert_eq!(trace.into_sites()[0].shape, [1, 2, 1]);
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
fn a_reading_is_the_signal_its_gradient_and_what_was_added() {
    for &place in PLACES {
        let map = Linear {
            weight: place.tensor(&[3.0, -1.0], [2, 1]),
            bias: Some(place.tensor(&[0.5], [1])),
        };
        let model = |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor::<3>(&[2.0, 1.0, 0.0, 4.0], [1, 2, 2]));
            pass.apply("map", &map, x)
        };
        // f = y_0 ^ 2 + y_1 ^ 2
        let mut pass = Pass::plain().with_probe("x").with_probe("map");
        let target = model(&mut pass).square().sum();
        let mut found = pass.backward(target);
        let at_map = found.read::<3>("map").unwrap();
        assert_eq!(numbers(at_map.signal.clone()), [5.5, -3.5]);
        assert_eq!(numbers(at_map.gradient.clone()), [11.0, -7.0]);
        assert_eq!(at_map.added.clone().map(numbers), Some(vec![0.5]));
        assert_eq!(numbers(at_map.relevance()), [60.5, 24.5]);
        let at_x = found.read::<3>("x").unwrap();
        assert_eq!(numbers(at_x.gradient), [33.0, -11.0, -21.0, 7.0]);
        assert!(at_x.added.is_none());

        // The forward pass alone.
        let mut pass = Pass::plain().with_probe("x");
        model(&mut pass);
        let at_x = pass.into_readings().read::<3>("x").unwrap();
        assert_eq!(numbers(at_x.signal), [2.0, 1.0, 0.0, 4.0]);
        assert_eq!(numbers(at_x.gradient), [0.0; 4]);
    }
}

#[test]
fn a_substitute_takes_the_place_of_the_signal() {
    for &place in PLACES {
        let model = |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor::<3>(&[1.0, 2.0], [1, 1, 2]));
            let y = pass.signal("y", x * 2.0);
            y.square()
        };
        let other = place.tensor::<3>(&[3.0, 5.0], [1, 1, 2]);
        let mut pass = Pass::plain()
            .with_signal("y", other)
            .with_probe("x")
            .with_probe("y");
        let z = model(&mut pass);
        assert_eq!(numbers(z.clone()), [9.0, 25.0]);
        let mut found = pass.backward(z.sum());
        assert_eq!(numbers(found.read::<3>("y").unwrap().gradient), [6.0, 10.0]);
        // Nothing flows back to what was replaced.
        assert_eq!(numbers(found.read::<3>("x").unwrap().gradient), [0.0; 2]);
    }
}

#[test]
#[should_panic(expected = "the signal at `x` has another rank than its substitute")]
fn a_substitute_of_another_rank_panics_and_says_so() {
    let x = Place::F32.tensor::<3>(&[1.0, 2.0], [1, 1, 2]);
    let substitute = Place::F32.tensor::<2>(&[1.0, 2.0], [1, 2]);
    Pass::plain().with_signal("x", substitute).signal("x", x);
}

/// A rule that holds a tensor has no TOML form; it can be set at a site all the same.
#[test]
fn a_rule_can_be_set_at_a_site() {
    #[derive(Debug)]
    struct Scaled(Tensor<3>);
    impl Rule<Norm> for Scaled {
        fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
            surrogate(norm.forward(x.clone()), x, self.0.clone())
        }
    }
    let model = |pass: &mut Pass| {
        let x = pass.signal("x", Place::F32.tensor::<3>(&[1.0, 2.0], [1, 1, 2]));
        pass.apply("norm", &Norm::plain(1e-5), x).sum()
    };
    let mut trace = Pass::trace();
    model(&mut trace);
    let rules = RuleSet::preset("ln").unwrap();
    let mut rules = rules
        .bind(&trace.into_sites(), &Registry::default())
        .unwrap();
    let scale = Place::F32.tensor(&[3.0, 7.0], [1, 1, 2]);
    rules.set::<Norm>("norm", "scaled", Scaled(scale)).unwrap();
    assert_eq!(rules.name("norm"), Some("scaled"));
    let mut pass = Pass::new(&rules).with_probe("x");
    let target = model(&mut pass);
    let mut found = pass.backward(target);
    assert_eq!(numbers(found.read::<3>("x").unwrap().gradient), [3.0, 7.0]);
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
    Pass::new(&rules).apply(
        "here",
        &AttentionWeights {
            hidden: None,
            sinks: None,
        },
        scores,
    );
}
