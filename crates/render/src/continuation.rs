//! How every writer shows the tokens of a continuation and their relevance.

use relprop_explain::{Continuation, PartName, Step, TokenRelevance};
use unicode_width::UnicodeWidthStr;

use crate::flow::clean;
use crate::numbers::{Scale, percent};

/// The widest that a token is shown, in columns.
const WIDEST: usize = 12;

/// The scale of one new token: the strongest token before it is 1 or -1.
pub(crate) fn scale(step: &Step) -> Scale {
    Scale::of_all(step.relevance.iter().copied())
}

/// The name of the part that begins at the token in this row, of a text that has a source and an output.
pub(crate) fn part_at(continuation: &Continuation, row: usize) -> Option<&'static str> {
    match continuation.source {
        0 => None,
        _ if row == 0 => Some(PartName::Source.name()),
        source => (row == source).then(|| PartName::Output.name()),
    }
}

/// How the new tokens were chosen.
pub(crate) fn chosen(continuation: &Continuation) -> String {
    match continuation.sampling {
        Some(sampling) => format!("drawn at {sampling}"),
        None => "the likeliest each time".to_owned(),
    }
}

/// That the model ended the text, and with what; none if it would have gone on.
pub(crate) fn ended(continuation: &Continuation) -> Option<String> {
    let end = continuation.end.as_ref()?;
    let (token, probability) = (clean(&end.text), percent(end.probability, 0));
    Some(format!("{token} ({probability})"))
}

/// Every token as it stands in the text, with a sign for each character that cannot be seen. A token
/// that stands nowhere in the text, such as a special one, is named as the vocabulary has it.
pub(crate) fn names(continuation: &Continuation) -> Vec<String> {
    let characters: Vec<char> = continuation.text.chars().collect();
    let name = |token: &TokenRelevance| {
        let end = token.end.min(characters.len());
        let text: String = characters[token.start.min(end)..end].iter().collect();
        let text = match text.is_empty() {
            true => token.text.clone(),
            false => text,
        };
        let text = clean(&text);
        let mut short = String::new();
        for character in text.chars() {
            if short.width() >= WIDEST {
                short.push('…');
                break;
            }
            short.push(character);
        }
        short
    };
    continuation.tokens.iter().map(name).collect()
}
