//! Segments of a text: its sentences, passages, turns or fields, and the relevance of each.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use relprop_checkpoints::TextError;
use relprop_transformer::{Content, TokenizedText};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::target::unquoted;

/// How a text is cut into segments. Every character is in one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Segmentation {
    /// At the ends of sentences, in any script (Unicode Standard Annex 29). A line break ends one as well.
    Sentences,
    /// After each line break.
    Lines,
    /// Before each word (Unicode Standard Annex 29). Signs belong to the word before them.
    Words,
    /// After each of these.
    Separator(String),
    /// A JSON document, after each value that holds no others; its keys belong to it.
    Json,
}

/// The relevance of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRelevance {
    /// Of a field of a JSON document, where it stands there, as a JSON Pointer (RFC 6901): `/passages/0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The segment as it stands in the text, without white space at its sides.
    pub text: String,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// The sum over its tokens. A token belongs to the segment in which it starts; special tokens belong to
    /// none.
    pub relevance: f32,
    /// Its place in the order of relevance: 1 for the segment that speaks most for the target.
    pub rank: usize,
}

/// There is no such way to cut a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are no segments `{0}`: give `sentences`, `lines`, `words`, `json`, or a separator in quotes, as in \
     JSON: '\"\\n\\n\"'"
)]
pub struct UnknownSegmentation(pub String);

impl FromStr for Segmentation {
    type Err = UnknownSegmentation;

    fn from_str(text: &str) -> Result<Self, UnknownSegmentation> {
        match text {
            "sentences" => Ok(Self::Sentences),
            "lines" => Ok(Self::Lines),
            "words" => Ok(Self::Words),
            "json" => Ok(Self::Json),
            _ => {
                // A sign needs no quotes, but a name that is spelled wrong is no separator.
                let sign = !text.chars().any(char::is_alphanumeric) && !text.contains('"');
                let separator = match sign {
                    true => Some(text.to_owned()),
                    false => unquoted(text),
                };
                let separator = separator.filter(|separator| !separator.is_empty());
                let separator = separator.map(Self::Separator);
                separator.ok_or_else(|| UnknownSegmentation(text.to_owned()))
            }
        }
    }
}

impl fmt::Display for Segmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentences => f.write_str("sentences"),
            Self::Lines => f.write_str("lines"),
            Self::Words => f.write_str("words"),
            Self::Json => f.write_str("json"),
            Self::Separator(separator) => {
                write!(f, "{}", serde_json::Value::from(separator.as_str()))
            }
        }
    }
}

impl TryFrom<String> for Segmentation {
    type Error = UnknownSegmentation;

    fn try_from(text: String) -> Result<Self, UnknownSegmentation> {
        text.parse()
    }
}

impl From<Segmentation> for String {
    fn from(segmentation: Segmentation) -> Self {
        segmentation.to_string()
    }
}

/// A part of a text, in bytes, with its name.
type Part = (Option<String>, Range<usize>);

/// A part of a text, in characters, and its name.
struct Piece {
    name: Option<String>,
    range: Range<usize>,
}

impl Segmentation {
    /// Refuses a text that cannot be cut so.
    pub(crate) fn check(&self, text: &TokenizedText) -> Result<(), TextError> {
        self.pieces(text).map(|_| ())
    }

    /// The segments of a text in which a token starts, in the order of the text, each with the sum of the
    /// relevance of its tokens.
    pub(crate) fn segments(
        &self,
        text: &TokenizedText,
        relevance: &[f32],
    ) -> Result<Vec<SegmentRelevance>, TextError> {
        let characters: Vec<char> = text.text.chars().collect();
        let pieces = self.pieces(text)?;
        let mut sums: Vec<Option<f64>> = vec![None; pieces.len()];
        let tokens = text.tokens.iter().zip(relevance);
        for (token, relevance) in tokens.filter(|(token, _)| !token.special) {
            // The last piece that starts no later than the token.
            let piece = pieces.partition_point(|piece| piece.range.start <= token.start);
            let sum = sums
                .get_mut(piece.saturating_sub(1))
                .map(Option::get_or_insert_default);
            sum.into_iter()
                .for_each(|sum| *sum += f64::from(*relevance));
        }
        let held = pieces.into_iter().zip(sums);
        let held = held.filter_map(|(piece, sum)| Some((piece, sum?)));
        let mut segments: Vec<SegmentRelevance> = held
            .map(|(Piece { name, range }, sum)| {
                let range = trimmed(&characters, range);
                SegmentRelevance {
                    name,
                    text: characters[range.clone()].iter().collect(),
                    start: range.start,
                    end: range.end,
                    relevance: sum as f32,
                    rank: 0,
                }
            })
            .collect();
        let mut order: Vec<usize> = (0..segments.len()).collect();
        order.sort_by(|&a, &b| segments[b].relevance.total_cmp(&segments[a].relevance));
        for (place, index) in order.into_iter().enumerate() {
            segments[index].rank = place + 1;
        }
        Ok(segments)
    }

    /// The pieces of a text, one after another without a gap. No piece reaches over the start of a second
    /// text, or of an answer.
    fn pieces(&self, text: &TokenizedText) -> Result<Vec<Piece>, TextError> {
        let cut = match text.content {
            Content::Text { second } => second,
            Content::Picture(_) => return Err(TextError::Pictures),
        };
        let bytes = |characters: usize| {
            let mut places = text.text.char_indices().map(|(place, _)| place);
            places.nth(characters).unwrap_or(text.text.len())
        };
        let (first, second) = text.text.split_at(cut.map_or(text.text.len(), bytes));
        let mut found = self.of(first)?;
        if !second.is_empty() {
            let whole = || vec![(None, 0..second.len())];
            // An answer need not be a document as well.
            let more = self.of(second).unwrap_or_else(|_| whole());
            let shift =
                |(name, range): Part| (name, range.start + first.len()..range.end + first.len());
            found.extend(more.into_iter().map(shift));
        }
        // Bytes become characters.
        let (mut reached, mut counted) = (0, 0);
        let mut pieces: Vec<Piece> = Vec::with_capacity(found.len());
        for (name, range) in found {
            let (start, opens) = (counted, reached == first.len());
            let part = &text.text[reached..range.end];
            (reached, counted) = (range.end, counted + part.chars().count());
            match pieces.last_mut() {
                Some(last) if part.trim().is_empty() && !opens => last.range.end = counted,
                _ => pieces.push(Piece {
                    name,
                    range: start..counted,
                }),
            }
        }
        Ok(pieces)
    }

    /// The parts of one text, in bytes, one after another without a gap.
    fn of(&self, text: &str) -> Result<Vec<Part>, TextError> {
        let nameless = |parts: Vec<&str>| {
            let mut end = 0;
            let ranges = parts.into_iter().map(|part| {
                let start = end;
                end += part.len();
                (None, start..end)
            });
            ranges.collect()
        };
        Ok(match self {
            Self::Sentences => nameless(text.split_sentence_bounds().collect()),
            Self::Lines => nameless(text.split_inclusive('\n').collect()),
            Self::Separator(separator) => {
                nameless(text.split_inclusive(separator.as_str()).collect())
            }
            Self::Words => {
                let mut words: Vec<Part> = Vec::new();
                for (start, part) in text.split_word_bound_indices() {
                    let is_word = part.chars().any(char::is_alphanumeric);
                    match words.last_mut() {
                        Some((_, last)) if !is_word => last.end = start + part.len(),
                        _ => words.push((None, start..start + part.len())),
                    }
                }
                words
            }
            Self::Json => fields(text).map_err(|error| TextError::Json(error.to_string()))?,
        })
    }
}

/// The fields of a JSON document, each from the end of the one before.
fn fields(text: &str) -> Result<Vec<Part>, serde_json::Error> {
    // A document that is deeper than this reader goes is refused here.
    serde_json::from_str::<serde_json::Value>(text)?;
    let mut document = Document {
        text,
        at: 0,
        ends: Vec::new(),
    };
    document.value(String::new())?;
    let ends = document.ends;
    let mut reached = 0;
    let mut fields: Vec<Part> = Vec::new();
    for (name, end) in ends {
        fields.push((Some(name), reached..end));
        reached = end;
    }
    if let Some((_, last)) = fields.last_mut() {
        last.end = text.len();
    }
    Ok(fields)
}

/// A JSON document that is known to be one, as it is walked through.
struct Document<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    /// Where the values end that hold no others, with their names, in order.
    ends: Vec<(String, usize)>,
}

impl Document<'_> {
    /// The next byte that is no white space, which stays the next one.
    fn next(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over the next value, which is called `name`: a path as JSON Pointer writes it (RFC 6901).
    fn value(&mut self, name: String) -> Result<(), serde_json::Error> {
        match self.next() {
            Some(open @ (b'{' | b'[')) => {
                self.at += 1;
                let before = self.ends.len();
                let mut count = 0;
                while !matches!(self.next(), None | Some(b'}' | b']')) {
                    let key = if open == b'{' {
                        let key: String = serde_json::from_str(self.string())?;
                        self.next();
                        // The colon.
                        self.at += 1;
                        key.replace('~', "~0").replace('/', "~1")
                    } else {
                        count.to_string()
                    };
                    self.value(format!("{name}/{key}"))?;
                    count += 1;
                    if self.next() == Some(b',') {
                        self.at += 1;
                    }
                }
                self.at = self.text.len().min(self.at + 1);
                if self.ends.len() > before {
                    return Ok(());
                }
            }
            Some(b'"') => {
                self.string();
            }
            _ => {
                let rest = &self.text[self.at..];
                let ends = |letter: char| letter.is_whitespace() || ",]}".contains(letter);
                self.at += rest.find(ends).unwrap_or(rest.len());
            }
        }
        self.ends.push((name, self.at));
        Ok(())
    }

    /// Passes over a string, and gives it with its quotes.
    fn string(&mut self) -> &str {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at = bytes.len().min(start + 1);
        while let Some(byte) = bytes.get(self.at) {
            self.at += match byte {
                b'\\' => 2,
                b'"' => {
                    self.at += 1;
                    return &self.text[start..self.at];
                }
                _ => 1,
            };
        }
        self.at = bytes.len();
        &self.text[start..]
    }
}

/// The same without white space at its sides.
fn trimmed(characters: &[char], range: Range<usize>) -> Range<usize> {
    let inside = &characters[range.clone()];
    let spaces = inside.iter().take_while(|c| c.is_whitespace()).count();
    let start = range.start + spaces;
    let after = inside
        .iter()
        .rev()
        .take_while(|c| c.is_whitespace())
        .count();
    start..(range.end - after).max(start)
}

#[cfg(test)]
mod tests;
