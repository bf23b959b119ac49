//! Lays the words of a text out on lines of equally wide columns, with room for a number under each.
//!
//! Widths are columns, as in a terminal, and not characters: East Asian characters and emoji take
//! two, accents none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::segments::Segment;

/// A piece of text in its place on a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    /// The column that its text and its number start in.
    pub column: usize,
    /// What is printed, free of control characters.
    pub text: String,
    /// The relevance of the word that starts here.
    pub number: Option<f32>,
    /// The relevance of the word that this is, or is a part of; `None` between words.
    pub relevance: Option<f32>,
}

/// Breaks a text into lines of at most `width` columns. `room` says how many columns the number of a
/// word with some relevance needs.
///
/// Lines are broken only at spaces and beside wide characters, unless a word does not fit on a
/// line. Spaces at the start of a line are dropped; line breaks of the text are kept. Where a
/// number is wider than its word, the next word moves to the right.
pub(crate) fn flow(
    segments: &[Segment],
    width: usize,
    room: impl Fn(f32) -> usize,
) -> Vec<Vec<Cell>> {
    let mut flow = Flow {
        width,
        ..Flow::default()
    };
    for segment in segments {
        match segment.word {
            Some(word) => {
                let mut number = Some((word.relevance, room(word.relevance)));
                for part in chunks(&clean(segment.text), width) {
                    flow.add(Unit {
                        text: part,
                        number: number.take(),
                        of: Some(word.relevance),
                    });
                }
            }
            None => flow.add_plain(segment.text),
        }
    }
    flow.finish()
}

/// A piece of text that is never broken.
#[derive(Debug)]
struct Unit {
    text: String,
    /// The relevance to print below and the room that it takes.
    number: Option<(f32, usize)>,
    of: Option<f32>,
}

/// How far a line is filled.
#[derive(Clone, Copy, Default, Debug)]
struct Cursor {
    /// Where the next text may start.
    text: usize,
    /// Where the next number may start.
    number: usize,
}

impl Cursor {
    /// The column that a unit gets, and where the line then ends.
    fn place(self, unit: &Unit) -> (usize, Self) {
        let column = if unit.number.is_some() {
            self.text.max(self.number)
        } else {
            self.text
        };
        let number = unit
            .number
            .map_or(self.number, |(_, room)| column + room + 1);
        (
            column,
            Self {
                text: column + unit.text.width(),
                number,
            },
        )
    }

    /// The columns in use. The space behind a number is only needed if another follows.
    fn used(self) -> usize {
        self.text.max(self.number.saturating_sub(1))
    }
}

#[derive(Default)]
struct Flow {
    width: usize,
    lines: Vec<Vec<Cell>>,
    line: Vec<Cell>,
    cursor: Cursor,
    /// Columns of space before `group`.
    space: usize,
    /// Units that stay together if they can: `don`, `'`, `t`.
    group: Vec<Unit>,
}

impl Flow {
    fn add(&mut self, unit: Unit) {
        let wide = |c: Option<char>| c.and_then(|c| c.width()) == Some(2);
        let last = self.group.last().and_then(|unit| unit.text.chars().last());
        if wide(last) || wide(unit.text.chars().next()) {
            self.place_group();
        }
        self.group.push(unit);
    }

    fn add_plain(&mut self, text: &str) {
        for part in text.split_inclusive(char::is_whitespace) {
            let ink = part.trim_end_matches(char::is_whitespace);
            for text in chunks(&clean(ink), self.width) {
                self.add(Unit {
                    text,
                    number: None,
                    of: None,
                });
            }
            match part[ink.len()..].chars().next() {
                Some('\n') => self.end_line(),
                Some(space) => {
                    self.place_group();
                    self.space += space.width().unwrap_or(1);
                }
                None => {}
            }
        }
    }

    /// Puts the group on this line, or on the next if it does not fit.
    fn place_group(&mut self) {
        if self.group.is_empty() {
            return;
        }
        let mut cursor = self.cursor;
        cursor.text += if self.line.is_empty() { 0 } else { self.space };
        self.space = 0;
        let end = self
            .group
            .iter()
            .fold(cursor, |cursor, unit| cursor.place(unit).1);
        if end.used() > self.width {
            self.wrap();
        } else {
            self.cursor = cursor;
        }
        for unit in std::mem::take(&mut self.group) {
            if self.cursor.place(&unit).1.used() > self.width {
                self.wrap();
            }
            let (column, cursor) = self.cursor.place(&unit);
            self.cursor = cursor;
            let number = unit.number.map(|(relevance, _)| relevance);
            self.line.push(Cell {
                column,
                text: unit.text,
                number,
                relevance: unit.of,
            });
        }
    }

    /// Starts a new line, unless this one is still empty.
    fn wrap(&mut self) {
        if !self.line.is_empty() {
            self.lines.push(std::mem::take(&mut self.line));
        }
        self.cursor = Cursor::default();
    }

    /// Ends the line where the text itself does.
    fn end_line(&mut self) {
        self.place_group();
        self.space = 0;
        self.lines.push(std::mem::take(&mut self.line));
        self.cursor = Cursor::default();
    }

    fn finish(mut self) -> Vec<Vec<Cell>> {
        self.place_group();
        self.wrap();
        self.lines
    }
}

/// Makes a text safe to print: no control character reaches the terminal, where it could move the
/// cursor or change colors. White space becomes a space, the rest a visible stand-in.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_whitespace() => ' ',
            '\0'..'\x20' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            // Marks of direction (the second line) reverse the text that follows: numbers would
            // change places.
            c if c.is_control() => '\u{fffd}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The same for a message of several lines, whose line breaks are kept.
///
/// ```
/// assert_eq!(relprop_render::printable("a \x1b[31mlabel\nof a model"), "a ␛[31mlabel\nof a model");
/// ```
pub fn printable(text: &str) -> String {
    let lines = text.split('\n').map(clean);
    lines.collect::<Vec<_>>().join("\n")
}

/// Cuts a text into pieces of at most `width` columns.
pub(crate) fn chunks(text: &str, width: usize) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices() {
        // Measured as a whole: joined emoji are narrower than the sum of their parts.
        if from < at && text[from..at + c.len_utf8()].width() > width {
            chunks.push(text[from..at].into());
            from = at;
        }
    }
    if from < text.len() {
        chunks.push(text[from..].into());
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::explanation;
    use crate::segments::segments;

    fn lines(text: &str, words: &[(&str, f32)], width: usize) -> Vec<Vec<(usize, String)>> {
        let sample = explanation(text, words);
        flow(&segments(&sample), width, |relevance| {
            format!("{relevance:+.2}").width()
        })
        .into_iter()
        .map(|line| {
            line.into_iter()
                .map(|cell| (cell.column, cell.text))
                .collect()
        })
        .collect()
    }

    fn at(column: usize, text: &str) -> (usize, String) {
        (column, text.into())
    }

    #[test]
    fn a_short_word_leaves_room_for_its_number() {
        let placed = lines(
            "a wonderful film",
            &[("a", 0.1), ("wonderful", 1.0), ("film", 0.2)],
            30,
        );
        assert_eq!(placed, [[at(0, "a"), at(6, "wonderful"), at(16, "film")]]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_accents_none() {
        let words = [
            ("映画館だ", 1.0),
            ("e\u{301}te\u{301}able", 0.1),
            ("👩‍👩‍👧xxxxx", 0.2),
            ("z", 0.0),
        ];
        let placed = lines("映画館だ e\u{301}te\u{301}able 👩‍👩‍👧xxxxx z", &words, 60);
        let columns: Vec<usize> = placed[0].iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, [0, 9, 17, 25]);
    }

    #[test]
    fn what_is_joined_stays_together_on_the_next_line() {
        let placed = lines(
            "it really don't",
            &[
                ("it", 0.0),
                ("really", 0.0),
                ("don", 1.0),
                ("'", 0.0),
                ("t", 0.0),
            ],
            20,
        );
        assert_eq!(placed[0].len(), 2);
        assert_eq!(placed[1], [at(0, "don"), at(6, "'"), at(12, "t")]);
    }

    #[test]
    fn lines_of_the_text_are_kept_and_odd_spaces_survive() {
        let placed = lines("- one\n\ntwo   three", &[("one", 1.0), ("two", 1.0)], 40);
        assert_eq!(placed[0], [at(0, "-"), at(2, "one")]);
        assert_eq!(placed[1], []);
        assert_eq!(placed[2], [at(0, "two"), at(6, "three")]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_and_numbered_once() {
        let word = "x".repeat(50);
        let sample = explanation(&word, &[(&word, 1.0)]);
        let lines = flow(&segments(&sample), 20, |_| 5);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0][0].number, Some(1.0));
        assert_eq!(
            (lines[1][0].number, lines[1][0].relevance),
            (None, Some(1.0))
        );
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(
            clean("\x1b[31m\u{9b}\t\u{202e}\x7f"),
            "␛[31m\u{fffd} \u{fffd}␡"
        );
    }
}
