//! Sentences as trees in which people labeled every phrase: the Stanford Sentiment Treebank (Socher
//! et al. 2013).
//!
//! A line is a tree: `(3 (2 a) (4 (4 lovely) (2 film)))`. Labels go from 0, very negative, to 4, very
//! positive.

use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::DataError;

/// A sentence, and what people think of it and of each of its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The words, with spaces between them.
    pub text: String,
    /// The label of the sentence, in 0..=4.
    pub label: u8,
    /// Where each word stands in `text`, in characters, and its label, in 0..=4.
    pub words: Vec<(Range<usize>, u8)>,
    /// The line of the file, counted from 1.
    pub line: u64,
}

impl Tree {
    /// The label of what is neither positive nor negative.
    pub const NEUTRAL: u8 = 2;
    /// The largest label.
    const LARGEST: u8 = 4;

    /// Reads one line, or says what is wrong with it.
    fn parse(text: &str, line: u64) -> Result<Self, String> {
        let mut tree = Self {
            text: String::new(),
            label: 0,
            words: Vec::new(),
            line,
        };
        let mut rest = text.trim_matches(is_space);
        // The labels of the open phrases, and whether each has a part already.
        let mut open: Vec<(u8, bool)> = Vec::new();
        let mut closed = false;
        while let Some(first) = rest.chars().next() {
            if closed {
                return Err(format!("`{}` follows the end of the tree", start(rest)));
            }
            match first {
                '(' => {
                    let inside = rest[1..].trim_start_matches(is_space);
                    let label = inside.chars().next().and_then(|digit| digit.to_digit(10));
                    let label = label.and_then(|digit| u8::try_from(digit).ok());
                    let Some(label) = label.filter(|label| *label <= Self::LARGEST) else {
                        return Err(format!("`{}` has no label from 0 to 4", start(rest)));
                    };
                    if let Some((_, filled)) = open.last_mut() {
                        *filled = true;
                    } else {
                        tree.label = label;
                    }
                    open.push((label, false));
                    rest = &inside[1..];
                }
                ')' => {
                    match open.pop() {
                        Some((_, true)) => closed = open.is_empty(),
                        Some((_, false)) => return Err("a phrase is empty".to_owned()),
                        None => return Err("a `)` closes nothing".to_owned()),
                    }
                    rest = &rest[1..];
                }
                space if is_space(space) => rest = &rest[space.len_utf8()..],
                _ => {
                    let end = rest.find(['(', ')', ' ', '\t']).unwrap_or(rest.len());
                    let Some((label, filled)) = open.last_mut() else {
                        return Err(format!("`{}` stands outside of a phrase", start(rest)));
                    };
                    *filled = true;
                    tree.add(&rest[..end], *label);
                    rest = &rest[end..];
                }
            }
        }
        match (open.is_empty(), tree.words.is_empty()) {
            (false, _) => Err("a `(` is not closed".to_owned()),
            (_, true) => Err("there are no words".to_owned()),
            _ => Ok(tree),
        }
    }

    /// Adds a word at the end. A word may hold a space that does not break: "2\u{a0}1/2".
    fn add(&mut self, word: &str, label: u8) {
        let mut start = self.text.chars().count();
        if start > 0 {
            self.text.push(' ');
            start += 1;
        }
        self.text += word;
        self.words
            .push((start..start + word.chars().count(), label));
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The first characters of what could not be read.
fn start(rest: &str) -> String {
    rest.chars().take(20).collect()
}

/// Whether a file looks like trees: it ends in `.txt`, and its first line with something in it starts
/// with a parenthesis and a label.
///
/// # Errors
///
/// If the file cannot be read.
pub fn are_trees(path: impl AsRef<Path>) -> Result<bool, DataError> {
    let path = path.as_ref();
    if path.extension().is_none_or(|ending| ending != "txt") {
        return Ok(false);
    }
    let text = read(path)?;
    let mut lines = text.lines().map(|line| line.trim_matches(is_space));
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let inside = first
        .strip_prefix('(')
        .map(|rest| rest.trim_start_matches(is_space));
    Ok(inside.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())))
}

/// Reads a file of trees, one a line. Blank lines are skipped.
///
/// # Errors
///
/// If the file cannot be read, has no tree, or has a line that is not a tree.
pub fn read_trees(path: impl AsRef<Path>) -> Result<Vec<Tree>, DataError> {
    let path = path.as_ref();
    let text = read(path)?;
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim_matches(is_space).is_empty());
    let trees = lines.map(|(line, text)| {
        Tree::parse(text, line).map_err(|problem| DataError::Malformed {
            path: path.into(),
            line,
            problem: format!("not a tree: {problem}"),
        })
    });
    let trees: Vec<Tree> = trees.collect::<Result<_, _>>()?;
    if trees.is_empty() {
        return Err(DataError::Empty { path: path.into() });
    }
    Ok(trees)
}

fn read(path: &Path) -> Result<String, DataError> {
    let wanted = "a .txt file of trees, one a line";
    let bytes = fs::read(path).map_err(DataError::opening(path, wanted))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        DataError::Malformed {
            path: path.into(),
            line: newlines as u64 + 1,
            problem: "not UTF-8; save the file as UTF-8".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_tree_gives_its_words_with_their_labels() {
        let tree = Tree::parse("(3 (2 a) (4 (4 lovely) (1 (2 2\u{a0}1/2) (0 film!))))", 7).unwrap();
        assert_eq!(tree.text, "a lovely 2\u{a0}1/2 film!");
        assert_eq!((tree.label, tree.line), (3, 7));
        let expected = [(0..1, 2), (2..8, 4), (9..14, 2), (15..20, 0)];
        assert_eq!(tree.words, expected);
    }

    #[rstest]
    #[case("", "no words")]
    #[case("(2 a", "not closed")]
    #[case("(2 a))", "follows the end")]
    #[case("a", "outside of a phrase")]
    #[case(")", "closes nothing")]
    #[case("(5 a)", "no label from 0 to 4")]
    #[case("(a b)", "no label from 0 to 4")]
    #[case("(2 ())", "no label from 0 to 4")]
    #[case("(2 (3 ))", "a phrase is empty")]
    #[case("(2 a) (2 b)", "follows the end")]
    fn what_is_no_tree_is_told_why(#[case] text: &str, #[case] problem: &str) {
        let error = Tree::parse(text, 1).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}
