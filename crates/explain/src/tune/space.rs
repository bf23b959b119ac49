//! What can be changed in a rule set.

use std::fmt;

use relprop_rules::operations::{
    Activation, AttentionMix, AttentionScores, AttentionWeights, Linear, Residual,
};
use relprop_rules::{Assignment, Operation, Pattern, Site};

/// The values of gamma and epsilon that a search begins with; it goes on by factors of three.
const GAMMAS: [f64; 2] = [0.1, 0.01];
const EPSILONS: [f64; 1] = [0.1];
/// By how much a parameter is changed at once.
const FACTOR: f64 = 3.0;

/// One change of a rule set: these operations at these sites get this rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Which sites.
    site: String,
    /// What they get.
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// Attention weights are constants; its products keep their gradient.
    DetachWeights,
    /// Attention weights keep their gradient; its products share evenly.
    HalfProducts,
    /// One operation has a rule without parameters.
    Rule(&'static str, &'static str),
    /// Linear maps have the gamma rule.
    Gamma(f64),
    /// Linear maps have the epsilon rule.
    Epsilon(f64),
}

impl Change {
    fn new(site: &str, what: What) -> Self {
        let site = site.to_owned();
        Self { site, what }
    }

    /// The lines of a rule set that make it.
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let plain = |operation: &str, rule: &str| {
            Assignment::new(Pattern::from(self.site.as_str()), operation, rule)
        };
        let with = |rule: &str, value: f64| {
            let mut assignment = plain(Linear::NAME, rule);
            assignment.parameters.insert(rule.to_owned(), value.into());
            vec![assignment]
        };
        match self.what {
            What::DetachWeights => vec![
                plain(AttentionWeights::NAME, "detach"),
                plain(AttentionScores::NAME, "gradient"),
                plain(AttentionMix::NAME, "gradient"),
            ],
            What::HalfProducts => vec![
                plain(AttentionWeights::NAME, "gradient"),
                plain(AttentionScores::NAME, "half"),
                plain(AttentionMix::NAME, "half"),
            ],
            What::Rule(operation, rule) => vec![plain(operation, rule)],
            What::Gamma(value) => with("gamma", value),
            What::Epsilon(value) => with("epsilon", value),
        }
    }

    /// Whether nothing is left of `earlier` after this change.
    pub(super) fn replaces(&self, earlier: &Self) -> bool {
        let operations = |change: &Self| {
            let assignments = change.assignments().into_iter();
            assignments
                .map(|assignment| assignment.operation)
                .collect::<Vec<_>>()
        };
        self.site == earlier.site && operations(self) == operations(earlier)
    }

    /// The same with the parameter a step up and a step down, if it has one.
    fn neighbours(&self) -> Vec<Self> {
        let step = |make: fn(f64) -> What, value: f64| {
            let values = [value * FACTOR, value / FACTOR];
            // Two digits: what is written must be readable.
            let rounded = values.map(|value| format!("{value:.1e}").parse().unwrap_or(value));
            rounded
                .map(|value| Self::new(&self.site, make(value)))
                .to_vec()
        };
        match self.what {
            What::Gamma(value) => step(What::Gamma, value),
            What::Epsilon(value) => step(What::Epsilon, value),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = &self.site;
        match self.what {
            What::DetachWeights => write!(f, "detached attention weights at {site}"),
            What::HalfProducts => write!(f, "halved attention products at {site}"),
            What::Rule(operation, rule) => write!(f, "{operation} {rule} at {site}"),
            What::Gamma(value) => write!(f, "gamma {value} at {site}"),
            What::Epsilon(value) => write!(f, "epsilon {value} at {site}"),
        }
    }
}

/// The changes to try after those that were kept: first the parameters of these, then every rule at
/// all depths, then at each third of the blocks.
pub(super) fn changes(sites: &[Site], kept: &[Change]) -> Vec<Change> {
    let depths = depths(sites);
    let mut changes: Vec<Change> = kept.iter().flat_map(Change::neighbours).collect();
    for depth in &depths {
        changes.extend(at(depth, sites));
    }
    for site in ["pooler.*", "classifier"] {
        changes.extend(
            GAMMAS[..1]
                .iter()
                .map(|&gamma| Change::new(site, What::Gamma(gamma))),
        );
    }
    // Only what changes something: the model has the sites, and it is not so already.
    changes.retain(|change| {
        let pattern = Pattern::from(change.site.as_str());
        let assignments = change.assignments();
        let operation = assignments
            .first()
            .and_then(|first| first.operation.as_deref());
        let exists = |site: &Site| pattern.matches(&site.name) && site.operation == operation;
        sites.iter().any(exists) && !kept.contains(change)
    });
    changes
}

/// Every change of the blocks that `depth` matches.
fn at(depth: &str, sites: &[Site]) -> Vec<Change> {
    let inside = |part: &str| format!("{depth}.{part}");
    let mut changes = Vec::new();
    for map in maps(sites) {
        let gammas = GAMMAS.map(What::Gamma);
        let epsilons = EPSILONS.map(What::Epsilon);
        let rules = gammas.into_iter().chain(epsilons);
        changes.extend(rules.map(|rule| Change::new(&inside(&map), rule)));
    }
    for what in [What::DetachWeights, What::HalfProducts] {
        changes.push(Change::new(&inside("*"), what));
    }
    for (operation, rule) in [
        (Residual::NAME, "ratio"),
        (Activation::NAME, "identity"),
        (Activation::NAME, "gradient"),
    ] {
        changes.push(Change::new(&inside("*"), What::Rule(operation, rule)));
    }
    changes
}

/// What the linear maps of a block are called within it, those of the feed-forward part first: they
/// hold most of the parameters.
fn maps(sites: &[Site]) -> Vec<String> {
    let linear = sites
        .iter()
        .filter(|site| site.operation == Some(Linear::NAME));
    let within = linear.filter_map(|site| {
        let rest = site.name.strip_prefix("encoder.")?;
        Some(rest.split_once('.')?.1.to_owned())
    });
    let mut maps: Vec<String> = Vec::new();
    for map in within {
        if !maps.contains(&map) {
            maps.push(map);
        }
    }
    maps.sort_by_key(|map| !map.starts_with("feed-forward"));
    maps
}

/// Patterns over the blocks: all of them, then thirds (of fewer blocks than three, each).
fn depths(sites: &[Site]) -> Vec<String> {
    let numbers = sites.iter().filter_map(|site| {
        let rest = site.name.strip_prefix("encoder.")?;
        rest.split('.').next()?.parse::<usize>().ok()
    });
    let blocks = numbers.max().map_or(0, |last| last + 1);
    let mut depths = vec!["encoder.*".to_owned()];
    let parts = blocks.min(3);
    if parts > 1 {
        let bounds = (0..parts).map(|part| (part * blocks / parts, (part + 1) * blocks / parts));
        depths.extend(bounds.map(|(first, end)| format!("encoder.{first}-{}", end - 1)));
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str, operation: &'static str) -> Site {
        Site {
            name: name.to_owned(),
            operation: Some(operation),
            shape: vec![],
        }
    }

    fn sites(blocks: usize) -> Vec<Site> {
        let of_block = |block: usize| {
            [
                site(&format!("encoder.{block}.attention.query"), Linear::NAME),
                site(
                    &format!("encoder.{block}.attention.weights"),
                    AttentionWeights::NAME,
                ),
                site(&format!("encoder.{block}.feed-forward.up"), Linear::NAME),
            ]
        };
        (0..blocks).flat_map(of_block).collect()
    }

    #[test]
    fn blocks_are_cut_into_thirds() {
        assert_eq!(depths(&sites(1)), ["encoder.*"]);
        assert_eq!(
            depths(&sites(2)),
            ["encoder.*", "encoder.0-0", "encoder.1-1"]
        );
        let seven = depths(&sites(7));
        assert_eq!(seven[1..], ["encoder.0-1", "encoder.2-3", "encoder.4-6"]);
    }

    #[test]
    fn every_change_is_of_a_site_that_the_model_has() {
        let sites = sites(6);
        let changes = changes(&sites, &[]);
        let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert!(
            texts.contains(&"gamma 0.1 at encoder.*.feed-forward.up".to_owned()),
            "{texts:?}"
        );
        assert!(texts.contains(&"detached attention weights at encoder.4-5.*".to_owned()));
        assert!(
            !texts
                .iter()
                .any(|text| text.contains("residual") || text.contains("pooler"))
        );
    }

    #[test]
    fn what_was_kept_is_refined_first_and_not_tried_again() {
        let kept = [Change::new("encoder.*.feed-forward.up", What::Gamma(0.1))];
        let changes = changes(&sites(6), &kept);
        assert_eq!(
            changes[0].to_string(),
            "gamma 0.3 at encoder.*.feed-forward.up"
        );
        assert_eq!(
            changes[1].to_string(),
            "gamma 0.033 at encoder.*.feed-forward.up"
        );
        assert!(!changes.contains(&kept[0]));
        assert!(changes[0].replaces(&kept[0]) && !changes[5].replaces(&kept[0]));
    }
}
