//! A text cut into its words and what stands between them.

use std::ops::Range;

use relprop_explain::{Explanation, WordRelevance};

/// A stretch of the text: a word, or the text between two words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment<'a> {
    /// The text as it was given.
    pub text: &'a str,
    /// Where it starts, in characters.
    pub start: usize,
    /// The word it is; `None` for text between words.
    pub word: Option<&'a WordRelevance>,
}

/// The whole text in its own order, nothing left out and nothing twice.
///
/// A word that overlaps the one before is cut short, and a word beyond the end of the text is left
/// out. So something is shown even if positions do not fit the text.
pub(crate) fn segments(explanation: &Explanation) -> Vec<Segment<'_>> {
    let text = explanation.text.as_str();
    let offsets: Vec<usize> = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .collect();
    let length = offsets.len() - 1;

    let mut segments = Vec::with_capacity(explanation.words.len() * 2 + 1);
    let mut push = |Range { start, end }: Range<usize>, word| {
        if start < end {
            segments.push(Segment {
                text: &text[offsets[start]..offsets[end]],
                start,
                word,
            });
        }
    };
    let mut position = 0;
    for word in &explanation.words {
        let start = word.start.clamp(position, length);
        let end = word.end.clamp(start, length);
        if start < end {
            push(position..start, None);
            push(start..end, Some(word));
            position = end;
        }
    }
    push(position..length, None);
    segments
}

/// Cuts a segment where evidence starts and ends; `true` marks the pieces that are evidence.
///
/// `evidence` is in characters of the whole text, in any order, and may overlap.
pub(crate) fn evident<'a>(
    segment: &Segment<'a>,
    evidence: &[Range<usize>],
) -> Vec<(&'a str, bool)> {
    let mut pieces = Vec::new();
    let (mut from, mut known) = (0, false);
    for (index, (byte, _)) in segment.text.char_indices().enumerate() {
        let here = evidence
            .iter()
            .any(|range| range.contains(&(segment.start + index)));
        if here != known {
            if from < byte {
                pieces.push((&segment.text[from..byte], known));
            }
            (from, known) = (byte, here);
        }
    }
    pieces.push((&segment.text[from..], known));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::explanation;

    fn texts(explanation: &Explanation) -> Vec<(&str, bool)> {
        segments(explanation)
            .iter()
            .map(|s| (s.text, s.word.is_some()))
            .collect()
    }

    #[test]
    fn words_and_the_text_between_them_keep_their_order() {
        let sample = explanation(
            "¡ été ! 映画は👍…",
            &[("été", 1.0), ("映画", 1.0), ("は", 0.0)],
        );
        let expected = [
            ("¡ ", false),
            ("été", true),
            (" ! ", false),
            ("映画", true),
            ("は", true),
            ("👍…", false),
        ];
        assert_eq!(texts(&sample), expected);
    }

    #[test]
    fn positions_that_do_not_fit_the_text_lose_none_of_it() {
        let mut sample = explanation("ab cd", &[("ab", 1.0), ("cd", 1.0)]);
        sample.words[1].start = 1;
        sample.words[1].end = 99;
        assert_eq!(texts(&sample), [("ab", true), (" cd", true)]);
        sample.words[1].start = 70;
        assert_eq!(texts(&sample), [("ab", true), (" cd", false)]);
    }

    #[test]
    fn an_empty_text_has_no_segments() {
        assert_eq!(segments(&explanation("", &[])), []);
    }

    #[test]
    fn evidence_may_start_and_end_within_a_word() {
        let sample = explanation("ab cdef", &[("ab", 1.0), ("cdef", 1.0)]);
        let segments = segments(&sample);
        assert_eq!(
            evident(&segments[2], &[0..1, 4..6, 5..6]),
            [("c", false), ("de", true), ("f", false)]
        );
        assert_eq!(
            evident(&segments[0], std::slice::from_ref(&(0..9))),
            [("ab", true)]
        );
    }
}
