//! Places in a text: some of its tokens, by their numbers, by words, by entities, or by what they say.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;

use relprop_checkpoints::TextError;
use relprop_transformer::TokenizedText;

/// Some tokens of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those that say this.
    Text {
        /// The part of the text, from the start of a token to the end of a token.
        text: String,
        /// Which of several such parts, counted from 1. If there is none, there must be only one.
        number: Option<NonZeroUsize>,
    },
    /// Those of these words, counted as in [`Explanation::words`](crate::Explanation::words).
    Words(Count),
    /// Those with these numbers, counted as in [`Explanation::tokens`](crate::Explanation::tokens), special ones
    /// included.
    Tokens(Count),
    /// Those of these entities, counted as in [`Labelling::parts`](crate::Labelling::parts): where tokens have
    /// labels, neighbors whose predicted labels go on, `B-PER` and `I-PER`.
    Entities(Count),
}

/// Some of many that stand one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// Those with these numbers, counted from 0.
    Range(Range<usize>),
    /// One, counted from the end: 1 is the last.
    FromEnd(NonZeroUsize),
}

impl Count {
    /// Their numbers, counted from 0, if there are so many.
    fn of(&self, many: usize) -> Option<Range<usize>> {
        match self {
            Self::Range(range) => (!range.is_empty() && range.end <= many).then(|| range.clone()),
            Self::FromEnd(number) => {
                let first = many.checked_sub(number.get())?;
                Some(first..first + 1)
            }
        }
    }

    /// Reads `3`, `3..5`, which has no 5, or `-1`, which is the last.
    fn parse(written: &str) -> Option<Self> {
        if let Some(number) = written.strip_prefix('-') {
            return number.parse().ok().map(Self::FromEnd);
        }
        let (start, end) = match written.split_once("..") {
            Some((start, end)) => (start.parse().ok()?, end.parse().ok()?),
            None => {
                let start: usize = written.parse().ok()?;
                (start, start.checked_add(1)?)
            }
        };
        (start < end).then_some(Self::Range(start..end))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) if range.len() == 1 => write!(f, "{}", range.start),
            Self::Range(range) => write!(f, "{}..{}", range.start, range.end),
            Self::FromEnd(number) => write!(f, "-{number}"),
        }
    }
}

impl Place {
    /// The token with this number.
    pub fn token(number: usize) -> Self {
        Self::Tokens(Count::Range(number..number + 1))
    }

    /// Reads a place as [`fmt::Display`] writes it. None if it is none.
    pub(super) fn parse(written: &str) -> Option<Self> {
        let count = |name| call(written, name).map(Count::parse);
        if let Some(words) = count("word") {
            return words.map(Self::Words);
        }
        if let Some(tokens) = count("token") {
            return tokens.map(Self::Tokens);
        }
        if let Some(entities) = count("entity") {
            return entities.map(Self::Entities);
        }
        let end = written.rfind('"')? + 1;
        let (text, number) = written.split_at(end);
        let number = match number.strip_prefix('#') {
            Some(number) => Some(number.parse().ok()?),
            None if number.is_empty() => None,
            None => return None,
        };
        let text = unquoted(text)?;
        Some(Self::Text { text, number })
    }

    /// The tokens of `text` that stand there, from the character number `from` on. `entities` finds the tokens of
    /// each entity, if they are needed.
    ///
    /// # Errors
    ///
    /// [`TextError::Place`] or [`TextError::Position`] if there are none, or if they could be others as
    /// well; and as `entities`.
    pub(crate) fn tokens(
        &self,
        text: &TokenizedText,
        from: usize,
        entities: impl FnOnce() -> Result<Vec<Vec<usize>>, TextError>,
    ) -> Result<Vec<usize>, TextError> {
        let refuse = |why: String| {
            let place = self.to_string();
            Err(TextError::Place { place, why })
        };
        let of_parts = |parts: Vec<Vec<usize>>, count: &Count, [one, several]: [&str; 2]| match (
            count.of(parts.len()),
            parts.len(),
        ) {
            (Some(range), _) => Ok(parts[range].concat()),
            (None, 0) => refuse(format!("the text has no {one}")),
            (None, 1) => refuse(format!("the text has 1 {one}, counted from 0")),
            (None, many) => refuse(format!("the text has {many} {several}, counted from 0")),
        };
        match self {
            Self::Tokens(count) => {
                let tokens = text.tokens.len();
                match (count.of(tokens), count) {
                    (Some(range), _) => Ok(range.collect()),
                    (None, Count::Range(range)) => Err(TextError::Position {
                        position: range.end.saturating_sub(1),
                        tokens,
                    }),
                    (None, Count::FromEnd(_)) => refuse(format!("the text has {tokens} tokens")),
                }
            }
            Self::Words(count) => of_parts(words(text), count, ["word", "words"]),
            Self::Entities(count) => of_parts(entities()?, count, ["entity", "entities"]),
            Self::Text { text: part, number } => {
                let found = occurrences(text, part, from);
                let count = found.len();
                let index = number.map_or(0, |number| number.get() - 1);
                match found.get(index) {
                    Some(_) if number.is_none() && count > 1 => refuse(format!(
                        "the text says so {count} times; add #1 for the first, #2 for the second"
                    )),
                    Some(range) => Ok(within(text, range)),
                    None => refuse(format!(
                        "the text says so {count} times, from the start of a token to the end of one"
                    )),
                }
            }
        }
    }
}

/// The tokens of each word.
fn words(text: &TokenizedText) -> Vec<Vec<usize>> {
    let mut words: Vec<(u32, Vec<usize>)> = Vec::new();
    for (index, token) in text.tokens.iter().enumerate() {
        let Some(word) = token.word else { continue };
        match words.last_mut() {
            Some((last, tokens)) if *last == word => tokens.push(index),
            _ => words.push((word, vec![index])),
        }
    }
    words.into_iter().map(|(_, tokens)| tokens).collect()
}

/// The tokens that have a part in these characters.
fn within(text: &TokenizedText, range: &Range<usize>) -> Vec<usize> {
    let tokens = text.tokens.iter().enumerate();
    let there = tokens
        .filter(|(_, token)| !token.special && token.start < range.end && token.end > range.start);
    there.map(|(index, _)| index).collect()
}

/// Where `text` says `part`, in characters, from `from` on and from the start of a token to the end of one.
fn occurrences(text: &TokenizedText, part: &str, from: usize) -> Vec<Range<usize>> {
    let part: Vec<char> = part.trim().chars().collect();
    let all: Vec<char> = text.text.chars().collect();
    if part.is_empty() || part.len() > all.len() {
        return Vec::new();
    }
    let seen = || text.tokens.iter().filter(|token| !token.special);
    let places = (from..=all.len() - part.len()).filter(|&at| all[at..].starts_with(&part));
    let places = places.map(|at| at..at + part.len());
    let whole = places.filter(|place| {
        seen().any(|token| token.start == place.start) && seen().any(|token| token.end == place.end)
    });
    whole.collect()
}

/// What stands in the parentheses after `name`.
pub(super) fn call<'t>(written: &'t str, name: &str) -> Option<&'t str> {
    let inside = written.strip_prefix(name)?.strip_prefix('(')?;
    inside.strip_suffix(')')
}

/// The text that is written in quotes, as in JSON.
pub(crate) fn unquoted(written: &str) -> Option<String> {
    let in_quotes = written.starts_with('"') && written.ends_with('"');
    in_quotes.then(|| serde_json::from_str(written).ok())?
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => write!(f, "word({words})"),
            Self::Tokens(tokens) => write!(f, "token({tokens})"),
            Self::Entities(entities) => write!(f, "entity({entities})"),
            Self::Text { text, number } => {
                write!(f, "{}", serde_json::Value::from(text.as_str()))?;
                match number {
                    Some(number) => write!(f, "#{number}"),
                    None => Ok(()),
                }
            }
        }
    }
}
