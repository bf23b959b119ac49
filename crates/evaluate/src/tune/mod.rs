//! Which rule set is the most faithful on my model?
//!
//! [`tune`] looks for one: from the best of some rule sets it changes one thing at a time (the rule
//! of an operation, at all depths or at some, or a rule's parameter), and keeps what helps. The
//! result is then compared with the start on texts that the search has never seen.
//!
//! The search minimizes
//!
//! ```text
//! score = mean over texts of (1 - AUAC) / A + AU-MSE / E
//! ```
//!
//! where A and E are the means of 1 - AUAC and AU-MSE of the first rule set: both count alike. A change
//! is kept if it lowers the mean score by more than the standard error of the difference, text by text,
//! so that it is not kept by chance alone.

mod race;
mod space;

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_rules::{Assignment, Registry, RuleError, RuleSet};

use crate::{Interval, Sample, mean_with_interval};
use relprop_explain::ExplainError;
use relprop_explain::methods::Propagation;

use race::{Judge, Scores};
use space::{Change, changes};

/// The presets that a search starts from by default. Scores are relative to the first.
pub const STARTS: [&str; 6] = [
    "ah-ln",
    "attn-lrp",
    "libra",
    "libra-gamma",
    "epsilon",
    "gamma",
];

/// What a search begins with.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The model.
    pub model: &'a Arc<Model>,
    /// The rule sets that it may start from.
    pub starts: &'a [RuleSet],
    /// The texts that it searches with.
    pub texts: &'a [Sample],
    /// The texts that the result is confirmed with.
    pub held_out: &'a [Sample],
    /// How many rule sets are tried at most.
    pub tries: usize,
    /// The id of the token that replaces hidden tokens.
    pub mask_token: u32,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The best of the rule sets that it could start from.
    pub start: RuleSet,
    /// The best that it found; the start itself if nothing was better.
    pub rules: RuleSet,
    /// The changes that were kept, in order.
    pub kept: Vec<String>,
    /// How many rule sets were tried.
    pub tries: usize,
    /// On the texts that it searched with.
    pub search: Comparison,
    /// On the texts that it had never seen.
    pub held_out: Comparison,
}

/// The start and the found rule set on the same texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// How many texts.
    pub texts: usize,
    /// Of the start.
    pub start: Faithfulness,
    /// Of what was found.
    pub found: Faithfulness,
    /// Found minus start, text by text.
    pub difference: Faithfulness,
}

/// The two measures of the paper, each a mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faithfulness {
    /// Higher is better.
    pub auac: Interval,
    /// Lower is better.
    pub au_mse: Interval,
}

impl Comparison {
    /// Whether the found rule set is at least as good by both measures, and better by one of them
    /// beyond its interval.
    pub fn confirmed(&self) -> bool {
        let Faithfulness { auac, au_mse } = self.difference;
        auac.mean >= 0.0 && au_mse.mean <= 0.0 && (auac.low > 0.0 || au_mse.high < 0.0)
    }

    fn of(start: &Scores, found: &Scores) -> Self {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let difference = Scores {
            auac: minus(&found.auac, &start.auac),
            au_mse: minus(&found.au_mse, &start.au_mse),
        };
        Self {
            texts: start.auac.len(),
            start: start.into(),
            found: found.into(),
            difference: (&difference).into(),
        }
    }
}

impl From<&Scores> for Faithfulness {
    fn from(scores: &Scores) -> Self {
        Self {
            auac: mean_with_interval(&scores.auac),
            au_mse: mean_with_interval(&scores.au_mse),
        }
    }
}

/// One rule set that was tried.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// What it changes, or the name of a rule set to start from.
    pub what: &'a str,
    /// Its mean score; none if it was given up before the last text.
    pub score: Option<f64>,
    /// The best mean score so far.
    pub best: f64,
}

/// Searches for the most faithful rule set. `progress` is called for every rule set that was tried; an
/// error of it, such as [`ExplainError::Cancelled`], ends the search.
///
/// A rule set that falls behind the best by more than two standard errors is given up before the last
/// text.
///
/// # Errors
///
/// If one of the starts does not fit the model, or the device fails; and errors of `progress`.
///
/// # Panics
///
/// If there is no start, or no text.
pub fn tune(
    search: &Search,
    mut progress: impl FnMut(&Attempt) -> Result<(), ExplainError>,
) -> Result<Tuned, ExplainError> {
    let registry = Registry::default();
    let explain = |rules: &RuleSet| Propagation::new(search.model, rules, &registry);
    let mut judge = Judge::new(search.model, search.texts, search.mask_token);

    let (first, others) = search.starts.split_first().expect("there is a start");
    let mut best = judge.first(explain(first)?)?;
    let mut start = first.clone();
    let mut tries = 1;
    let mut tell = |tries: usize, what: &str, score, best: &Scores, judge: &Judge| {
        progress(&Attempt {
            number: tries,
            what,
            score,
            best: judge.score(best),
        })
    };
    tell(tries, &first.name, Some(judge.score(&best)), &best, &judge)?;
    for rules in others.iter().take(search.tries.saturating_sub(1)) {
        tries += 1;
        let found = judge.race(explain(rules)?, &best)?;
        let score = found.as_ref().map(|found| judge.score(found));
        if let Some(found) = found.filter(|found| judge.score(found) < judge.score(&best)) {
            best = found;
            start = rules.clone();
        }
        tell(tries, &rules.name, score, &best, &judge)?;
    }

    let of_start = best.clone();
    let mut kept: Vec<Change> = Vec::new();
    let sites = search.model.transformer.sites();
    'search: loop {
        let before = kept.len();
        for change in changes(&sites, &kept) {
            if tries == search.tries {
                break 'search;
            }
            let candidate = with(&start, &kept, Some(&change));
            let current = with(&start, &kept, None);
            if sites
                .iter()
                .all(|site| candidate.deciding(site) == current.deciding(site))
            {
                continue; // it is so already
            }
            let propagation = match explain(&candidate) {
                Ok(propagation) => propagation,
                // The model has no such site for this rule set: nothing to try.
                Err(ExplainError::Rules(
                    RuleError::UnknownSite { .. } | RuleError::OperationElsewhere { .. },
                )) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            tries += 1;
            let found = judge.race(propagation, &best)?;
            let score = found.as_ref().map(|found| judge.score(found));
            if let Some(found) = found.filter(|found| judge.is_better(found, &best)) {
                best = found;
                kept.retain(|earlier| !change.replaces(earlier));
                kept.push(change.clone());
            }
            tell(tries, &change.to_string(), score, &best, &judge)?;
        }
        if kept.len() == before {
            break;
        }
    }

    let rules = with(&start, &kept, None);
    let mut unseen = Judge::new(search.model, search.held_out, search.mask_token);
    let held_out = Comparison::of(
        &unseen.first(explain(&start)?)?,
        &unseen.first(explain(&rules)?)?,
    );
    Ok(Tuned {
        search: Comparison::of(&of_start, &best),
        start,
        rules,
        kept: kept.iter().map(ToString::to_string).collect(),
        tries,
        held_out,
    })
}

/// The start with changes before its own assignments, the last of them first: it decides.
fn with(start: &RuleSet, kept: &[Change], last: Option<&Change>) -> RuleSet {
    let changes = last.into_iter().chain(kept.iter().rev());
    let mut assignments: Vec<Assignment> = Vec::new();
    for assignment in changes.flat_map(Change::assignments) {
        // A later change of the same sites leaves nothing of an earlier one.
        let known = assignments
            .iter()
            .any(|other| other.site == assignment.site && other.operation == assignment.operation);
        if !known {
            assignments.push(assignment);
        }
    }
    assignments.extend(start.rules.iter().cloned());
    RuleSet {
        name: if kept.is_empty() && last.is_none() {
            start.name.clone()
        } else {
            "tuned".to_owned()
        },
        rules: assignments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_is_a_preset() {
        for name in STARTS {
            assert!(RuleSet::presets().any(|preset| preset == name), "{name}");
        }
    }
}
