//! What can be changed in a rule set.

use std::fmt;

use relprop_rules::operations::{
    Activation, AttentionMix, AttentionScores, AttentionWeights, Linear, Residual,
};
use relprop_rules::{Assignment, Operation, Pattern, Site};

/// The first rules to try on linear maps. Their parameters are then changed by factors of
/// [`FACTOR`].
const LINEAR: [What; 2] = [What::Gamma(0.1), What::Epsilon(0.1)];
/// The factor by which a parameter is changed.
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
    fn neighbors(&self) -> Vec<Self> {
        let step = |make: fn(f64) -> What, value: f64| {
            let values = [value * FACTOR, value / FACTOR];
            // Two digits, so that the written rule set is readable.
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
/// all depths, then at each third of the blocks from the last, then after the blocks.
pub(super) fn changes(sites: &[Site], kept: &[Change]) -> Vec<Change> {
    let mut changes: Vec<Change> = kept.iter().flat_map(Change::neighbors).collect();
    let [feed_forward, attention] = ["feed-forward.", "attention."].map(|part| {
        let maps = maps(sites).into_iter();
        maps.filter(|map| map.starts_with(part)).collect::<Vec<_>>()
    });
    changes.extend(linear("encoder.*", &feed_forward));
    changes.extend(others("encoder.*"));
    changes.extend(linear("encoder.*", &attention));
    for third in thirds(sites) {
        changes.extend(others(&third));
        changes.extend(linear(&third, &["feed-forward.*", "attention.*"]));
    }
    changes.extend(LINEAR.map(|rule| Change::new("pooler.*", rule)));
    changes.extend(LINEAR.map(|rule| Change::new("classifier", rule)));
    // The model must have the sites, and changes that were kept need not be tried again.
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

/// Every rule for these linear maps of the blocks that `depth` matches.
fn linear(depth: &str, maps: &[impl AsRef<str>]) -> Vec<Change> {
    let of_map = |map: &dyn AsRef<str>| {
        let site = format!("{depth}.{}", map.as_ref());
        LINEAR.map(|rule| Change::new(&site, rule))
    };
    maps.iter().flat_map(|map| of_map(map)).collect()
}

/// Every rule for the other operations of the blocks that `depth` matches.
fn others(depth: &str) -> Vec<Change> {
    let rules = [
        What::DetachWeights,
        What::HalfProducts,
        What::Rule(Residual::NAME, "ratio"),
        What::Rule(Activation::NAME, "identity"),
        What::Rule(Activation::NAME, "gradient"),
    ];
    let site = format!("{depth}.*");
    rules.map(|rule| Change::new(&site, rule)).into()
}

/// The names of the linear maps of a block, within the block.
fn maps(sites: &[Site]) -> Vec<String> {
    let linear = sites
        .iter()
        .filter(|site| site.operation == Some(Linear::NAME));
    let mut maps: Vec<String> = Vec::new();
    for site in linear {
        let within = site.name.strip_prefix("encoder.");
        let within = within.and_then(|rest| rest.split_once('.'));
        if let Some((_, map)) = within
            && !maps.iter().any(|known| known == map)
        {
            maps.push(map.to_owned());
        }
    }
    maps
}

/// Patterns over each third of the blocks (of fewer blocks than three, each), the last first: it is
/// nearest to the target.
fn thirds(sites: &[Site]) -> Vec<String> {
    let numbers = sites.iter().filter_map(|site| {
        let rest = site.name.strip_prefix("encoder.")?;
        rest.split('.').next()?.parse::<usize>().ok()
    });
    let blocks = numbers.max().map_or(0, |last| last + 1);
    let parts = blocks.min(3);
    if parts < 2 {
        return Vec::new(); // it is all the depth that there is
    }
    let bounds = (0..parts).map(|part| (part * blocks / parts, (part + 1) * blocks / parts));
    let patterns = bounds.map(|(first, end)| format!("encoder.{first}-{}", end - 1));
    patterns.rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str, operation: &'static str) -> Site {
        Site::new(name, Some(operation), [])
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
        assert!(thirds(&sites(1)).is_empty());
        assert_eq!(thirds(&sites(2)), ["encoder.1-1", "encoder.0-0"]);
        let seven = thirds(&sites(7));
        assert_eq!(seven, ["encoder.4-6", "encoder.2-3", "encoder.0-1"]);
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
