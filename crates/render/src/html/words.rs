//! The heat map of a text, word by word.

use std::ops::Range;

use maud::{Markup, html as markup};

use relprop_explain::{Explanation, TokenRelevance};

use super::{minus, shaded};
use crate::numbers::{Numbers, Scale};
use crate::segments::{Segment, evident, segments};

/// Words of at least this fraction of the strongest have their number printed below them.
const NUMBERED: f32 = 0.2;
/// Words of more characters have no number below them: where such a word is broken over two lines, its
/// number would be broken too.
const LONG: usize = 20;

/// The heat map. The large one prints the numbers of its strong words.
pub(super) fn words(explanation: &Explanation, evidence: &[Range<usize>], large: bool) -> Markup {
    let segments = segments(explanation);
    let scale = Scale::of(explanation);
    let numbers = scale.numbers();
    // The language of the text is not that of the page, and unknown.
    markup! {
        p.map.large[large] lang="" dir="auto" {
            @for (index, segment) in segments.iter().enumerate() {
                @match segment.word {
                    None => (pieces(segment, evidence)),
                    Some(word) => {
                        @let shade = scale.shade(word.relevance);
                        @let number = minus(&numbers.signed(word.relevance));
                        @let class = format!("w {}", shaded(shade));
                        @let start = large.then_some(segment.start);
                        @let title = title(explanation, segment, &numbers);
                        @if large && shade.abs() >= NUMBERED && short(segment.text) {
                            // Chromium does not break a line between a space and a ruby.
                            @if index > 0 && segments[index - 1].text.ends_with(char::is_whitespace) {
                                wbr;
                            }
                            ruby {
                                span class=(class) data-start=[start] title=(title) {
                                    (pieces(segment, evidence))
                                }
                                rt { (number) }
                            }
                        } @else {
                            span class=(class) data-start=[start] title=(title) {
                                (pieces(segment, evidence))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn short(word: &str) -> bool {
    word.chars().nth(LONG).is_none()
}

/// A segment's text with its evidence underlined.
fn pieces(segment: &Segment, evidence: &[Range<usize>]) -> Markup {
    markup! {
        @for (text, known) in evident(segment, evidence) {
            @if known { span.evidence { (text) } } @else { (text) }
        }
    }
}

/// A word and its number, and those of its pieces if it has several: `lovely +1.20 = lov +0.80,
/// ##ely +0.40`.
fn title(explanation: &Explanation, segment: &Segment, numbers: &Numbers) -> String {
    let Some(word) = segment.word else {
        return String::new();
    };
    let tokens: Vec<&TokenRelevance> = explanation
        .tokens
        .iter()
        .filter(|token| !token.special && word.start <= token.start && token.end <= word.end)
        .collect();
    let named = |text: &str, relevance| format!("{text} {}", minus(&numbers.signed(relevance)));
    let mut title = named(segment.text, word.relevance);
    if tokens.len() > 1 {
        let parts: Vec<_> = tokens.iter().map(|t| named(&t.text, t.relevance)).collect();
        title += &format!(" = {}", parts.join(", "));
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::explanation;
    use crate::html::tests::report;

    #[test]
    fn words_carry_their_number_and_their_shade() {
        let sample = explanation("a warm, film", &[("a", 0.1), ("warm", 2.0), ("film", -1.0)]);
        let page = report(&[sample], &[]);
        let strong = "<span class=\"w for s50\" data-start=\"2\" title=\"warm +2.00\">warm</span>";
        assert!(
            page.contains(&format!("<ruby>{strong}<rt>+2.00</rt></ruby>, ")),
            "{page}"
        );
        let long = "x".repeat(LONG + 1);
        assert!(!report(&[explanation(&long, &[(&long, 1.0)])], &[]).contains("<ruby>"));
        assert!(page.contains("class=\"w against s25\" data-start=\"8\" title=\"film −1.00\""));
        assert!(
            page.contains(
                "class=\"w for s2\" data-start=\"0\" title=\"a +0.10\">a</span> <wbr><ruby>"
            ),
            "{page}"
        );
    }

    #[test]
    fn a_word_of_several_pieces_names_them() {
        let mut sample = explanation("lovely", &[("lovely", 1.5)]);
        let mut piece = sample.tokens[1].clone();
        (piece.text, piece.start, piece.relevance) = ("##ly".into(), 4, 0.5);
        (sample.tokens[1].text, sample.tokens[1].end) = ("love".into(), 4);
        sample.tokens[1].relevance = 1.0;
        sample.tokens.insert(2, piece);
        let page = report(&[sample], &[]);
        assert!(
            page.contains("title=\"lovely +1.50 = love +1.00, ##ly +0.50\""),
            "{page}"
        );
        assert!(page.contains("All 4 tokens"));
    }

    #[test]
    fn evidence_is_underlined_within_words() {
        let sample = explanation("so lovely", &[("so", 0.0), ("lovely", 1.0)]);
        let page = report(&[sample], std::slice::from_ref(&(1..5)));
        assert!(
            page.contains(">s<span class=\"evidence\">o</span></span>"),
            "{page}"
        );
        assert!(page.contains("<span class=\"evidence\"> </span>"));
        assert!(page.contains("<span class=\"evidence\">lo</span>vely</span>"));
        assert!(page.contains("known evidence"));
    }
}
