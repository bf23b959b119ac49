//! What can be wrong with a rule set, and how to put it right.

/// Why a rule set cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// No preset has this name.
    #[error("there is no preset `{name}`; the presets are: {}", known.join(", "))]
    UnknownPreset {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// The text is not a rule set.
    #[error("the rule set cannot be read: {0}")]
    Syntax(String),
    /// A parameter lies outside its range.
    #[error("{name} = {value} is out of range: it must be {range}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The values that it may have.
        range: &'static str,
    },
    /// No operation has this name.
    #[error("there is no operation `{name}`; the operations are: {}", known.join(", "))]
    UnknownOperation {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// The operation has no rule of this name.
    #[error(
        "there is no rule `{rule}` for the operation `{operation}` (site `{site}`); \
         its rules are: {}", known.join(", ")
    )]
    UnknownRule {
        /// The name that was asked for.
        rule: String,
        /// The operation that it was to be used on.
        operation: &'static str,
        /// The first site where it was to be used.
        site: String,
        /// The names that exist for this operation.
        known: Vec<String>,
    },
    /// A rule's parameters are wrong.
    #[error("the rule `{rule}` at site `{site}`: {message}")]
    Parameters {
        /// The rule.
        rule: String,
        /// The first site where it was to be used.
        site: String,
        /// What is wrong.
        message: String,
    },
    /// A pattern matches no site of the model.
    #[error("`{pattern}` matches no site{}", near(near_misses))]
    UnknownSite {
        /// The pattern or name.
        pattern: String,
        /// Sites with similar names.
        near_misses: Vec<String>,
    },
    /// A pattern matches sites, but none of the operation that it is given for.
    #[error("`{pattern}` matches no site where the operation `{operation}` stands")]
    OperationElsewhere {
        /// The pattern.
        pattern: String,
        /// The operation.
        operation: String,
    },
    /// A site has no rule.
    #[error(
        "no rule for the operation `{operation}` at site `{site}`; add an entry for it, \
         or one with `rule = \"gradient\"` at the end for everything that is left"
    )]
    NoRule {
        /// The operation.
        operation: &'static str,
        /// The site.
        site: String,
    },
    /// Two operations have the same site name, so no rule can be right for both.
    #[error(
        "two operations stand at site `{site}`: `{}` and `{}`; a site has one", operations[0], operations[1]
    )]
    SameSite {
        /// The site.
        site: String,
        /// The names of the operations.
        operations: [&'static str; 2],
    },
    /// The rule that a site gets is for another operation, which has the same name as the one that stands
    /// there.
    #[error(
        "the rule for site `{site}` is for another operation that is called `{operation}` as well; \
         the name of an operation must be its own"
    )]
    SameName {
        /// The name.
        operation: &'static str,
        /// The site.
        site: String,
    },
    /// A rule was given as a Rust value, so the rule set has no text.
    #[error(
        "the rule `{rule}` for `{pattern}` is a Rust value, which cannot be written as text; \
         a rule that is registered under a name can be"
    )]
    NoText {
        /// The name of the rule's type.
        rule: String,
        /// The pattern of the sites that it is for.
        pattern: String,
    },
    /// No probe stands at the site, or it holds a signal of another rank.
    #[error("no relevance of rank {rank} was recorded at site `{site}`")]
    NoProbe {
        /// The site.
        site: String,
        /// The rank that was asked for.
        rank: usize,
    },
    /// The device failed: it is out of memory, or it is gone. A device computes while the program
    /// goes on, so its failure shows only where numbers are read.
    #[error("the device failed; it may be out of memory or lost\n{0}")]
    Device(String),
}

fn near(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

/// At most three candidates that are most similar to `name`, the best first; none if nothing is
/// similar.
pub(crate) fn near_misses<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = candidates
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
        .into_iter()
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect()
}
