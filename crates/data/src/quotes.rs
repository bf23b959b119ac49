//! Whether the fields of a `.tsv` stand in quotes.
//!
//! Most files of this kind, such as those of GLUE, have no quoting: a text that begins with a quote is
//! just that, and often nothing closes it. But pandas, R and Python's `csv` write quotes as in a `.csv`
//! where a field holds a tab, a line end or a quote. A file shows which of the two it is.

use std::io::{self, BufRead};

/// Where a reader of quotes stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// Between two quotes.
    Quoted,
    /// After a quote within quotes: it ends the field, or it is the first of two.
    Closing,
}

/// What has been seen of a file.
#[derive(Default)]
struct Seen {
    /// How many tabs the first line has, and the line that is read.
    tabs: (Option<u64>, u64),
    /// Whether a line has another number of tabs than the first.
    uneven: bool,
    /// How many fields the first record has, if quotes count, and the record that is read.
    fields: (Option<u64>, u64),
    /// How many fields of the first record are quoted.
    quoted_names: u64,
    /// Whether a field is quoted that need not be.
    needless: bool,
    /// Whether a quoted field holds two quotes that stand for one.
    doubled: bool,
    /// Whether a quoted field has any reason to be one so far.
    needed: bool,
}

impl Seen {
    /// A field ends. False if quotes cannot have been meant.
    fn field(&mut self, quoted: bool) {
        self.fields.1 += 1;
        if quoted {
            self.quoted_names += u64::from(self.fields.0.is_none());
            self.needless |= !self.needed;
        }
        self.needed = false;
    }

    /// A record ends. False if it has another number of fields than the first.
    fn record(&mut self) -> bool {
        let (first, now) = &mut self.fields;
        let same = *first.get_or_insert(*now) == *now;
        *now = 0;
        same
    }

    /// A line ends, whatever quotes say.
    fn line(&mut self) {
        let (first, now) = &mut self.tabs;
        self.uneven |= *first.get_or_insert(*now) != *now;
        *now = 0;
    }

    /// Whether whoever wrote it wrote quotes, given that it can be read so.
    fn is_quoted(&self) -> bool {
        let all_names = self.quoted_names > 0 && Some(self.quoted_names) == self.fields.0;
        all_names || !self.needless && (self.doubled || self.uneven)
    }
}

/// Whether quotes are meant: every field that begins with one ends with one, no other field has any, all
/// records have as many fields, and either all names of the columns are quoted, or just those fields that
/// must be.
pub(crate) fn are_meant(mut source: impl BufRead) -> io::Result<bool> {
    let mut state = State::Start;
    let mut seen = Seen::default();
    let mut blank = true;
    loop {
        let bytes = source.fill_buf()?;
        let (length, mark) = (bytes.len(), "\u{feff}".as_bytes());
        if length == 0 {
            break;
        }
        let start = match seen.fields == (None, 0) && blank && bytes.starts_with(mark) {
            true => mark.len(),
            false => 0,
        };
        for &byte in &bytes[start..] {
            if byte == b'\n' {
                seen.line();
            }
            seen.tabs.1 += u64::from(byte == b'\t');
            let ends = matches!(byte, b'\t' | b'\n');
            state = match (state, byte) {
                (State::Start, b'"') => State::Quoted,
                (State::Start, b'\n' | b'\r') if blank => State::Start,
                (State::Plain, b'"') => return Ok(false),
                (State::Start | State::Plain, _) if ends => {
                    seen.field(false);
                    State::Start
                }
                (State::Start | State::Plain, _) => State::Plain,
                (State::Quoted, b'"') => State::Closing,
                (State::Quoted, _) => {
                    seen.needed |= matches!(byte, b'\t' | b'\n' | b'\r');
                    State::Quoted
                }
                (State::Closing, b'"') => {
                    (seen.needed, seen.doubled) = (true, true);
                    State::Quoted
                }
                (State::Closing, b'\r') => State::Closing,
                (State::Closing, _) if ends => {
                    seen.field(true);
                    State::Start
                }
                (State::Closing, _) => return Ok(false),
            };
            let between = state == State::Start && byte == b'\n';
            if between && !blank && !seen.record() {
                return Ok(false);
            }
            blank = between || blank && byte == b'\r';
        }
        source.consume(length);
    }
    match state {
        State::Quoted => return Ok(false),
        // The last line has no end.
        State::Start if blank => return Ok(seen.is_quoted()),
        State::Start | State::Plain => seen.field(false),
        State::Closing => seen.field(true),
    }
    seen.line();
    Ok(seen.record() && seen.is_quoted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_whether_its_quotes_are_meant() {
        for (text, meant) in [
            // As pandas and Python's `csv` write: where it must be.
            (
                "text\tlabel\n\"a \"\"warm\"\"\tfilm\"\t1\n\"it is\ndull\"\t0\n",
                true,
            ),
            (
                "text\tlabel\n\"a \"\"warm\"\" film\"\t1\nit is dull\t0",
                true,
            ),
            ("text\tlabel\r\n\"a\tb\"\t1\r\nit is dull\t0\r\n", true),
            ("\u{feff}text\tlabel\n\"a\nb\"\t1\n\nc\t0\n", true),
            ("text\tlabel\n1\t\"a\nb\"", true),
            // As R and QUOTE_ALL write: everywhere, or every text.
            ("\"text\"\t\"label\"\n\"a film\"\t\"1\"\n", true),
            ("\u{feff}\"text\"\t\"label\"\r\n\"a film\"\t1\r\n", true),
            // As people and GLUE write.
            ("", false),
            ("\n\n", false),
            ("text\tlabel\na film\t1\n", false),
            ("text\tlabel\n\"a film\"\t1\n", false),
            ("text\tlabel\n\" a film\t1\nit is\t0\n", false),
            ("text\tlabel\n\"so\" it is\t1\n", false),
            ("text\tlabel\na 6\" gun\t1\n\"\"\"a\"\"\"\t0\n", false),
            // Two texts, of which one opens a quote and the other closes one.
            ("text\tlabel\n\"a film\t1\nit is\"\t0\n", false),
            // A record of another length.
            ("text\tlabel\n\"a\tb\"\t1\t2\n", false),
        ] {
            for size in [1, 3, 4096] {
                let source = io::BufReader::with_capacity(size.max(4), text.as_bytes());
                assert_eq!(are_meant(source).unwrap(), meant, "{text:?}");
            }
        }
    }
}
