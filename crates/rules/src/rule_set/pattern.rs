//! Patterns over site names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern over the dot-separated names of sites.
///
/// `*` stands for one or more names, `0-3` for the numbers 0 to 3; everything else for itself.
///
/// ```
/// use relprop_rules::Pattern;
///
/// let pattern = Pattern::from("encoder.0-3.*.norm");
/// assert!(pattern.matches("encoder.2.attention.norm"));
/// assert!(!pattern.matches("encoder.4.attention.norm"));
/// assert!(Pattern::from("*").matches("classifier"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Whether it matches every site.
    pub fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// Whether it matches the site called `name`.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('.').collect();
        let name: Vec<&str> = name.split('.').collect();
        matches(&pattern, &name)
    }
}

fn matches(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (["*", rest @ ..], [_, tail @ ..]) => matches(rest, tail) || matches(pattern, tail),
        ([first, rest @ ..], [head, tail @ ..]) => {
            (first == head || in_range(first, head)) && matches(rest, tail)
        }
        _ => false,
    }
}

fn in_range(range: &str, number: &str) -> bool {
    let parse = |text: &str| text.parse::<usize>().ok();
    let bounds = range
        .split_once('-')
        .and_then(|(low, high)| Some(parse(low)?..=parse(high)?));
    bounds
        .zip(parse(number))
        .is_some_and(|(bounds, number)| bounds.contains(&number))
}

impl Default for Pattern {
    fn default() -> Self {
        Self("*".to_owned())
    }
}

impl From<&str> for Pattern {
    fn from(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*", "encoder.0.attention.norm", true)]
    #[case("encoder.*", "encoder.0.attention.norm", true)]
    #[case("encoder.*", "encoder", false)]
    #[case("*.norm", "encoder.0.attention.norm", true)]
    #[case("*.norm", "encoder.0.attention.normal", false)]
    #[case("encoder.0-3.*", "encoder.3.attention.norm", true)]
    #[case("encoder.0-3.*", "encoder.10.attention.norm", false)]
    #[case("encoder.*.attention.*", "encoder.1.attention.query", true)]
    #[case("feed-forward.up", "feed-forward.up", true)]
    #[case("", "encoder", false)]
    fn patterns_match_names(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(Pattern::from(pattern).matches(name), expected);
    }
}
