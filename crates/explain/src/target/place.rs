//! Places in a text: some of its tokens, by their numbers, by words, or by what they say.

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
    /// Those of these words, counted from 0 as in [`Explanation::words`](crate::Explanation::words).
    Words(Range<usize>),
    /// Those with these numbers, counted from 0 as in [`Explanation::tokens`](crate::Explanation::tokens).
    Tokens(Range<usize>),
    /// Those of one word, counted from the end: 1 is the last.
    WordFromEnd(NonZeroUsize),
    /// One token, counted from the end, special ones included: 1 is the last.
    TokenFromEnd(NonZeroUsize),
}

impl Place {
    /// The token with this number.
    pub fn token(number: usize) -> Self {
        Self::Tokens(number..number + 1)
    }

    /// Reads a place as [`fmt::Display`] writes it. None if it is none.
    pub(super) fn parse(written: &str) -> Option<Self> {
        if let Some(range) = call(written, "word") {
            let one = from_end(range).map(Self::WordFromEnd);
            return one.or_else(|| parse_range(range).map(Self::Words));
        }
        if let Some(range) = call(written, "token") {
            let one = from_end(range).map(Self::TokenFromEnd);
            return one.or_else(|| parse_range(range).map(Self::Tokens));
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

    /// The tokens of `text` that stand there, from the character number `from` on.
    ///
    /// # Errors
    ///
    /// [`TextError::Place`] or [`TextError::Position`] if there are none, or if they could be others as
    /// well.
    pub fn tokens(&self, text: &TokenizedText, from: usize) -> Result<Vec<usize>, TextError> {
        let refuse = |why: String| {
            let place = self.to_string();
            Err(TextError::Place { place, why })
        };
        match self {
            Self::Tokens(range) => {
                let tokens = text.tokens.len();
                match range.is_empty() || range.end > tokens {
                    true => Err(TextError::Position {
                        position: range.end.saturating_sub(1),
                        tokens,
                    }),
                    false => Ok(range.clone().collect()),
                }
            }
            Self::Words(range) => {
                let words = words(text);
                let count = words.len();
                match range.is_empty() || range.end > count {
                    true => refuse(format!("the text has {count} words, counted from 0")),
                    false => Ok(words[range.clone()].concat()),
                }
            }
            Self::WordFromEnd(number) => {
                let words = words(text);
                match words.len().checked_sub(number.get()) {
                    Some(word) => Ok(words[word].clone()),
                    None => refuse(format!("the text has {} words", words.len())),
                }
            }
            Self::TokenFromEnd(number) => {
                let tokens = text.tokens.len();
                match tokens.checked_sub(number.get()) {
                    Some(token) => Ok(vec![token]),
                    None => refuse(format!("the text has {tokens} tokens")),
                }
            }
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

/// `-1`, the last, and so on.
fn from_end(written: &str) -> Option<NonZeroUsize> {
    written.strip_prefix('-')?.parse().ok()
}

/// `3`, or `3..5`, which has no 5.
fn parse_range(written: &str) -> Option<Range<usize>> {
    let (start, end) = match written.split_once("..") {
        Some((start, end)) => (start.parse().ok()?, end.parse().ok()?),
        None => {
            let start: usize = written.parse().ok()?;
            (start, start.checked_add(1)?)
        }
    };
    (start < end).then_some(start..end)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &Range<usize>| match range.len() {
            1 => range.start.to_string(),
            _ => format!("{}..{}", range.start, range.end),
        };
        match self {
            Self::Words(words) => write!(f, "word({})", range(words)),
            Self::Tokens(tokens) => write!(f, "token({})", range(tokens)),
            Self::WordFromEnd(number) => write!(f, "word(-{number})"),
            Self::TokenFromEnd(number) => write!(f, "token(-{number})"),
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
