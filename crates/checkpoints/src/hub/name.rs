//! The names of models on the Hub.

use std::fmt;
use std::str::FromStr;

/// The name of a model on the Hugging Face Hub: `owner/name`, or `owner/name@revision` for the state
/// of a branch, a tag or a commit instead of the newest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    /// `owner/name`.
    pub(super) repository: String,
    pub(super) revision: Option<String>,
}

/// A text that is no name on the Hub.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name on the Hugging Face Hub: owner/name, or owner/name@revision")]
pub struct NoHubName(String);

impl FromStr for HubName {
    type Err = NoHubName;

    fn from_str(text: &str) -> Result<Self, NoHubName> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        let named = repository
            .split_once('/')
            .is_some_and(|(owner, name)| is_part(owner) && is_part(name));
        // A branch may have slashes in its name; it becomes a path in the cache.
        let revised = revision.is_none_or(|revision| revision.split('/').all(is_part));
        if !named || !revised {
            return Err(NoHubName(text.to_owned()));
        }
        Ok(Self {
            repository: repository.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }
}

/// Whether the Hub allows this in a name: letters, digits, `-`, `_` and `.`, the latter inside alone.
fn is_part(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = |c: char| "-.".contains(c);
    !text.is_empty() && text.chars().all(allowed) && !text.starts_with(end) && !text.ends_with(end)
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for text in [
            "owner/name",
            "0wner_/my.model-v1.5",
            "owner/name@v1.0",
            "owner/name@refs/pr/1",
            "owner/name@0123456789abcdef0123456789abcdef01234567",
        ] {
            assert_eq!(text.parse::<HubName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn paths_are_no_names() {
        for text in [
            "",
            "model",
            "./model",
            "../model",
            "~/model",
            "/model",
            "model/",
            "a/b/c",
            "a b/c",
            "owner/..",
            "owner/name@",
            "owner/name@../../x",
            "owner/name@/x",
            "owner/name@a@b",
            "C:\\models\\x",
        ] {
            let error = text.parse::<HubName>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{text}` is no name")),
                "{error}"
            );
        }
    }
}
