//! A user's own rules, from TOML to relevance.

use burn::tensor::Tensor;
use relprop_rules::algebra::share;
use relprop_rules::operations::{Norm, NormScale};
use relprop_rules::{Operation, Registry, Rule, RuleSet};
use serde::Deserialize;

use super::support::{NormCase, Place, explain, explain_by, numbers};

/// Passes on a fraction of a norm's plain gradient.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fraction {
    fraction: f64,
}

impl Rule<Norm> for Fraction {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        norm.forward(share(x, self.fraction))
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register::<Norm, Fraction>("fraction");
    registry
}

fn rules(entry: &str) -> RuleSet {
    RuleSet::from_toml(&format!("name = \"mine\"\n[[rules]]\n{entry}")).unwrap()
}

fn case() -> NormCase {
    NormCase::draw(4, 5, NormScale::InsideRoot(0.1), 0)
}

#[test]
fn a_users_rule_is_used_with_its_parameter() {
    let case = case();
    let rules = rules("operation = \"norm\"\nrule = \"fraction\"\nfraction = 0.25");
    let mut mine = explain(&rules, &registry(), &["x"], |pass| {
        case.forward(Place::F32, pass)
    });
    let mut plain = explain_by("gradient-x-input", &["x"], |pass| {
        case.forward(Place::F32, pass)
    });
    // A quarter is a power of two, so the products are exact.
    let plain = numbers::<3>(plain.take("x").unwrap());
    let quarter: Vec<f64> = plain.iter().map(|r| 0.25 * r).collect();
    assert_eq!(numbers::<3>(mine.take("x").unwrap()), quarter);
    assert!(quarter.iter().any(|r| *r != 0.0));
}

#[test]
fn a_parameter_of_a_users_rule_survives_writing_and_reading() {
    let rules = rules("rule = \"fraction\"\nfraction = 0.25");
    assert_eq!(
        RuleSet::from_toml(&rules.to_toml().unwrap()).unwrap(),
        rules
    );
}

#[test]
fn a_users_rule_is_listed_beside_the_crates_own() {
    let registry = registry();
    let names: Vec<&str> = registry.rules("norm").collect();
    assert!(names.contains(&"fraction") && names.contains(&"detach-scale"));
    assert!(
        !Registry::default()
            .rules("norm")
            .any(|name| name == "fraction")
    );
}

#[test]
fn a_rule_of_the_same_name_is_replaced() {
    let mut registry = Registry::default();
    registry.register::<Norm, Fraction>("gradient");
    let case = case();
    let rules = rules("rule = \"gradient\"\nfraction = 0");
    let mut relevance = explain(&rules, &registry, &["x"], |pass| {
        case.forward(Place::F32, pass)
    });
    assert!(
        numbers::<3>(relevance.take("x").unwrap())
            .iter()
            .all(|r| *r == 0.0)
    );
}

/// What a user sees who forgets a parameter, misspells it or gives it as text.
#[test]
fn wrong_parameters_name_rule_site_and_parameter() {
    let message = |entry: &str| {
        let site = relprop_rules::Site::new("encoder.0.norm", Some("norm"), [1, 2, 5]);
        let error = rules(&format!("rule = \"fraction\"\n{entry}")).bind(&[site], &registry());
        error.unwrap_err().to_string()
    };
    for (entry, reason) in [
        ("", "missing field `fraction`"),
        (
            "fractoin = 0.5",
            "unknown field `fractoin`, expected `fraction`",
        ),
        (
            "fraction = \"half\"",
            "invalid type: string \"half\", expected f64",
        ),
    ] {
        let message = message(entry);
        assert!(
            message.starts_with("the rule `fraction` at site `encoder.0.norm`: ")
                && message.contains(reason),
            "{message}"
        );
    }
}
