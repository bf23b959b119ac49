//! Rule sets: which rule a site gets, and what a user is told who asks for what is not there.

use relprop_rules::{Assignment, BoundRules, Registry, RuleError, RuleSet, Site, find_site};
use rstest::rstest;

/// The sites of a small encoder, by name.
pub fn sites() -> Vec<Site> {
    let site = |name: &str, operation| Site::new(name, operation, [1, 2, 8]);
    let mut sites = vec![site("blocks", None)];
    for block in 0..12 {
        for (part, operation) in [
            ("attention.query", "linear"),
            ("attention.weights", "attention-weights"),
            ("attention.norm", "norm"),
        ] {
            sites.push(site(&format!("encoder.{block}.{part}"), Some(operation)));
        }
    }
    sites.push(site("classifier", Some("linear")));
    sites
}

fn bind(toml: &str) -> Result<BoundRules, RuleError> {
    RuleSet::from_toml(&format!("name = \"mine\"\n{toml}"))?.bind(&sites(), &Registry::default())
}

fn message(toml: &str) -> String {
    bind(toml).unwrap_err().to_string()
}

#[test]
fn presets_read_and_write_back_equal() {
    for name in RuleSet::presets() {
        let rules = RuleSet::preset(name).unwrap();
        assert_eq!(rules.name, name);
        let text = rules.to_toml().unwrap();
        assert_eq!(RuleSet::from_toml(&text).unwrap(), rules, "{text}");
    }
    assert!(RuleSet::presets().count() >= 4);
}

#[test]
fn every_preset_gives_every_operation_a_rule() {
    let registry = Registry::default();
    let sites: Vec<Site> = registry
        .operations()
        .map(|operation| {
            let name = format!("encoder.0.attention.{operation}");
            Site::new(name, Some(operation), [])
        })
        .collect();
    for preset in RuleSet::presets() {
        let bound = RuleSet::preset(preset)
            .unwrap()
            .bind(&sites, &registry)
            .unwrap();
        assert!(
            sites.iter().all(|site| bound.name(&site.name).is_some()),
            "{preset}"
        );
    }
}

#[test]
fn an_optional_assignment_may_have_no_site() {
    let registry = Registry::default();
    let sites = [Site::new("encoder.0.attention.query", Some("linear"), [])];
    let rules = |optional: &str| {
        let text = format!(
            "name = \"mine\"\n[[rules]]\nsite = \"*.feed-forward.*\"\nrule = \"z-plus\"\n{optional}\n\
             [[rules]]\nrule = \"gradient\""
        );
        RuleSet::from_toml(&text).unwrap()
    };
    let bound = rules("optional = true").bind(&sites, &registry).unwrap();
    assert_eq!(bound.name("encoder.0.attention.query"), Some("gradient"));
    let error = rules("").bind(&sites, &registry).unwrap_err();
    assert!(matches!(error, RuleError::UnknownSite { .. }), "{error}");
    // It is read back as it was written.
    let text = rules("optional = true").to_toml().unwrap();
    assert!(text.contains("optional = true"), "{text}");
    assert_eq!(RuleSet::from_toml(&text).unwrap(), rules("optional = true"));
}

#[rstest]
#[case("gradient-x-input", "gradient", "gradient")]
#[case("ah", "detach", "gradient")]
#[case("ln", "gradient", "detach-scale")]
#[case("ah-ln", "detach", "detach-scale")]
fn presets_differ_in_attention_weights_and_norms(
    #[case] preset: &str,
    #[case] weights: &str,
    #[case] norm: &str,
) {
    let bound = RuleSet::preset(preset)
        .unwrap()
        .bind(&sites(), &Registry::default())
        .unwrap();
    assert_eq!(bound.name("encoder.7.attention.weights"), Some(weights));
    assert_eq!(bound.name("encoder.7.attention.norm"), Some(norm));
    assert_eq!(bound.name("classifier"), Some("gradient"));
    // A signal between operations has no rule.
    assert_eq!(bound.name("blocks"), None);
}

#[test]
fn the_first_match_wins() {
    let bound = bind(
        r#"rules = [
            { site = "encoder.2.*", rule = "gradient" },
            { operation = "norm", rule = "detach-scale" },
            { operation = "norm", rule = "gradient" },
            { rule = "gradient" },
        ]"#,
    )
    .unwrap();
    assert_eq!(bound.name("encoder.2.attention.norm"), Some("gradient"));
    assert_eq!(bound.name("encoder.3.attention.norm"), Some("detach-scale"));
}

#[test]
fn an_assignment_put_before_a_preset_changes_it_there() {
    let mut rules = RuleSet::preset("ah-ln").unwrap();
    rules.rules.insert(
        0,
        Assignment::new("encoder.0.attention.norm", "norm", "gradient"),
    );
    let bound = rules.bind(&sites(), &Registry::default()).unwrap();
    assert_eq!(bound.name("encoder.0.attention.norm"), Some("gradient"));
    assert_eq!(bound.name("encoder.1.attention.norm"), Some("detach-scale"));
}

#[test]
fn ranges_take_in_both_ends_and_nothing_else() {
    let bound = bind(
        r#"rules = [
            { site = "encoder.9-11.attention.weights", rule = "detach" },
            { site = "encoder.1-1.attention.weights", rule = "detach" },
            { rule = "gradient" },
        ]"#,
    )
    .unwrap();
    let detached: Vec<usize> = (0..12)
        .filter(|n| bound.name(&format!("encoder.{n}.attention.weights")) == Some("detach"))
        .collect();
    assert_eq!(detached, [1, 9, 10, 11]);
}

#[rstest]
#[case::backwards("encoder.3-1.*")]
#[case::beyond_the_last_block("encoder.12-20.*")]
#[case::no_number("encoder.a-b.*")]
#[case::open("encoder.3-.*")]
fn a_range_that_holds_no_block_is_refused(#[case] pattern: &str) {
    let message = message(&format!(
        "rules = [{{ site = \"{pattern}\", rule = \"gradient\" }}]"
    ));
    assert!(
        message.starts_with(&format!("`{pattern}` matches no site")),
        "{message}"
    );
}

#[test]
fn an_unknown_preset_names_the_presets() {
    let known: Vec<&str> = RuleSet::presets().collect();
    let expected = format!(
        "there is no preset `ahln`; the presets are: {}",
        known.join(", ")
    );
    assert_eq!(RuleSet::preset("ahln").unwrap_err().to_string(), expected);
    assert_eq!(
        RuleSet::preset_toml("ahln").unwrap_err().to_string(),
        expected
    );
}

#[test]
fn an_unknown_operation_names_the_operations() {
    let known: Vec<&str> = Registry::default().operations().collect();
    assert_eq!(
        message("rules = [{ operation = \"nrom\", rule = \"gradient\" }]"),
        format!(
            "there is no operation `nrom`; the operations are: {}",
            known.join(", ")
        )
    );
}

#[test]
fn an_unknown_rule_names_the_rules_of_the_operation() {
    assert_eq!(
        message("rules = [{ rule = \"detach\" }]"),
        "there is no rule `detach` for the operation `linear` (site `encoder.0.attention.query`); \
         its rules are: alpha-beta, epsilon, flat, gamma, gamma-positive, gradient, w-squared, z-plus"
    );
    let message =
        message("rules = [{ operation = \"norm\", rule = \"detahc\" }, { rule = \"x\" }]");
    assert!(message.contains("there is no rule"), "{message}");
}

#[test]
fn a_parameter_that_a_rule_does_not_have_is_refused() {
    assert_eq!(
        message("rules = [{ rule = \"gradient\", epsilon = 1e-6 }]"),
        "the rule `gradient` at site `encoder.0.attention.query`: unknown field `epsilon`, there \
         are no fields"
    );
    // So is a misspelt key of the entry itself.
    let message = message("rules = [{ opreation = \"norm\", rule = \"gradient\" }]");
    assert!(message.contains("unknown field `opreation`"), "{message}");
}

#[test]
fn a_pattern_that_matches_no_site_names_near_misses() {
    let message = message("rules = [{ site = \"encoder.0.atention.norm\", rule = \"gradient\" }]");
    assert!(
        message.starts_with(
            "`encoder.0.atention.norm` matches no site; did you mean `encoder.0.attention.norm`"
        ),
        "{message}"
    );
}

#[test]
fn a_pattern_like_no_site_names_none() {
    assert_eq!(
        message("rules = [{ site = \"%%%\", rule = \"gradient\" }]"),
        "`%%%` matches no site"
    );
}

#[test]
fn an_operation_without_a_rule_names_site_and_operation() {
    assert_eq!(
        message("rules = [{ operation = \"linear\", rule = \"gradient\" }]"),
        "no rule for the operation `attention-weights` at site `encoder.0.attention.weights`; add \
         an entry for it, or one with `rule = \"gradient\"` at the end for everything that is left"
    );
    assert!(message("rules = []").starts_with("no rule for the operation `linear`"));
}

#[rstest]
#[case::no_toml("rules = [", "TOML parse error at line 2")]
#[case::no_rule("[[rules]]\noperation = \"norm\"", "missing field `rule`")]
#[case::no_rules("", "missing field `rules`")]
#[case::wrong_key("rule = []", "unknown field `rule`")]
#[case::wrong_type(
    "rules = [{ rule = 3 }]",
    "invalid type: integer `3`, expected a string"
)]
fn what_is_no_rule_set_says_where_and_why(#[case] toml: &str, #[case] reason: &str) {
    let message = message(toml);
    assert!(
        message.starts_with("the rule set cannot be read: "),
        "{message}"
    );
    assert!(message.contains(reason), "{message}");
}

#[test]
fn a_site_is_found_by_its_name_or_named_by_its_like() {
    let sites = sites();
    assert_eq!(find_site(&sites, "blocks").unwrap().operation, None);
    let message = find_site(&sites, "block").unwrap_err().to_string();
    assert!(
        message.starts_with("`block` matches no site; did you mean `blocks`"),
        "{message}"
    );
    // Patterns are not names.
    assert!(find_site(&sites, "encoder.*").is_err());
}

#[test]
fn an_operation_that_stands_elsewhere_is_refused() {
    let toml = "[[rules]]\nsite = \"classifier\"\noperation = \"norm\"\nrule = \"detach-scale\"\n\
                [[rules]]\nrule = \"gradient\"";
    assert_eq!(
        message(toml),
        "`classifier` matches no site where the operation `norm` stands"
    );
}

#[test]
fn a_rule_that_comes_too_late_to_decide_anything_is_checked_all_the_same() {
    let late = |rule: &str| {
        let late = format!("[[rules]]\noperation = \"norm\"\nrule = \"{rule}\"");
        format!("[[rules]]\nrule = \"gradient\"\n{late}")
    };
    assert!(bind(&late("detach-scale")).is_ok());
    assert!(message(&late("no-such-rule")).starts_with("there is no rule `no-such-rule`"));
}
