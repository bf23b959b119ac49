//! Rules that are Rust values, and what binding refuses so that no run finds it out.

use burn::tensor::Tensor;
use relprop_rules::algebra::share;
use relprop_rules::operations::{Linear, Norm, NormScale};
use relprop_rules::rules::Gradient;
use relprop_rules::{Operation, Pass, Registry, Rule, RuleError, RuleSet, Site};

use super::rule_sets::sites;
use super::support::{NormCase, Place, explain, explain_by, numbers};

/// Passes on a fraction of a norm's plain gradient.
#[derive(Debug)]
struct Fraction(f64);

impl Rule<Norm> for Fraction {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        norm.forward(share(x, self.0))
    }
}

/// An operation of a user, with the name of one of the crate's.
#[derive(Clone)]
struct AlsoNorm;

impl Operation for AlsoNorm {
    const NAME: &'static str = "norm";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        x * 2.0
    }
}

impl Rule<AlsoNorm> for Fraction {
    fn apply(&self, operation: &AlsoNorm, x: Tensor<3>) -> Tensor<3> {
        operation.forward(share(x, self.0))
    }
}

fn preset() -> RuleSet {
    RuleSet::preset("gradient-x-input").unwrap()
}

fn quarter() -> RuleSet {
    preset().first::<Norm>("norm", Fraction(0.25))
}

#[test]
fn a_rule_put_first_decides_before_all_others() {
    let case = NormCase::draw(4, 5, NormScale::InsideRoot(0.1), 0);
    let run = |pass: &mut Pass| case.forward(Place::F32, pass);
    let mut mine = explain(&quarter(), &Registry::default(), &["x"], run);
    let plain = explain_by("gradient-x-input", &["x"], run).take::<3>("x");
    // A quarter is a power of two, so the products are exact.
    let expected: Vec<f64> = numbers(plain.unwrap()).iter().map(|r| 0.25 * r).collect();
    assert_eq!(numbers(mine.take::<3>("x").unwrap()), expected);
    assert!(expected.iter().any(|r| *r != 0.0));
}

#[test]
fn a_rule_put_first_leaves_other_sites_alone() {
    let rules = preset().first::<Norm>("encoder.3.*", Fraction(0.5));
    let bound = rules.bind(&sites(), &Registry::default()).unwrap();
    assert_eq!(bound.name("encoder.3.attention.norm"), Some("Fraction"));
    assert_eq!(bound.name("encoder.3.attention.query"), Some("gradient"));
    assert_eq!(bound.name("encoder.4.attention.norm"), Some("gradient"));
}

#[test]
fn a_pattern_of_a_rule_put_first_must_match_its_operation() {
    let message = |site: &str| {
        let rules = preset().first::<Norm>(site, Fraction(0.5));
        let bound = rules.bind(&sites(), &Registry::default());
        bound.unwrap_err().to_string()
    };
    assert_eq!(
        message("classifier"),
        "`classifier` matches no site where the operation `norm` stands"
    );
    assert!(message("decoder.*").starts_with("`decoder.*` matches no site"));
}

#[test]
fn a_rule_set_with_a_rust_value_has_no_text_in_any_format() {
    let error = quarter().to_toml().unwrap_err();
    assert!(matches!(error, RuleError::NoText { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the rule `Fraction` for `norm` is a Rust value, which cannot be written as text; a \
         rule that is registered under a name can be"
    );
    assert!(toml::Value::try_from(quarter()).is_err());
    // Without the value it is written as before.
    let mut rules = quarter();
    rules.rules.remove(0);
    assert_eq!(rules.to_toml().unwrap(), preset().to_toml().unwrap());
}

#[test]
fn a_copy_of_a_rule_set_with_a_rust_value_is_equal_and_another_value_is_not() {
    let rules = quarter();
    assert_eq!(rules.clone(), rules);
    assert_ne!(quarter(), rules);
    assert!(format!("{rules:?}").contains("Fraction"));
}

#[test]
fn a_parameter_called_value_is_a_parameter() {
    let text = "name = \"mine\"\n[[rules]]\nrule = \"mine\"\nvalue = 3\n";
    let rules = RuleSet::from_toml(text).unwrap();
    assert_eq!(rules.rules[0].parameters["value"].as_integer(), Some(3));
    assert_eq!(
        RuleSet::from_toml(&rules.to_toml().unwrap()).unwrap(),
        rules
    );
}

fn traced(operation: &impl Operation<Input = Tensor<3>>) -> Vec<Site> {
    let mut pass = Pass::trace();
    pass.apply("norm", operation, Place::F32.draw([1, 1, 2], 0));
    pass.into_sites()
}

#[test]
fn an_operation_with_the_name_of_another_is_refused_when_bound() {
    let bind = |rules: RuleSet| rules.bind(&traced(&AlsoNorm), &Registry::default());
    for rules in [preset(), quarter()] {
        let error = bind(rules).unwrap_err();
        assert!(matches!(error, RuleError::SameName { .. }), "{error:?}");
    }
    // With rules of its own it has them.
    let mut registry = Registry::default();
    registry.register::<AlsoNorm, Gradient>("gradient");
    assert!(preset().bind(&traced(&AlsoNorm), &registry).is_ok());
    assert!(bind(preset().first::<AlsoNorm>("norm", Fraction(0.5))).is_ok());
}

#[test]
fn two_operations_at_one_site_are_refused_when_bound() {
    let [a, b] = ["linear", "norm"].map(|operation| Site::new("twice", Some(operation), []));
    let error = preset().bind(&[a.clone(), b], &Registry::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        "two operations stand at site `twice`: `linear` and `norm`; a site has one"
    );
    // One operation that runs twice under one name has one rule.
    assert!(preset().bind(&[a.clone(), a], &Registry::default()).is_ok());
}

#[test]
fn a_rule_is_set_only_where_its_operation_stands() {
    let mut bound = preset().bind(&sites(), &Registry::default()).unwrap();
    let error = bound.set::<Norm>("clasifier", "half", Fraction(0.5));
    assert_eq!(
        error.unwrap_err().to_string(),
        "`clasifier` matches no site; did you mean `classifier`?"
    );
    let error = bound.set::<Norm>("classifier", "half", Fraction(0.5));
    assert!(matches!(error, Err(RuleError::OperationElsewhere { .. })));
    assert!(bound.set::<Norm>("blocks", "half", Fraction(0.5)).is_err());
    assert_eq!(bound.name("classifier"), Some("gradient"));
    bound
        .set::<Linear>("classifier", "mine", Gradient {})
        .unwrap();
    assert_eq!(bound.name("classifier"), Some("mine"));
}
