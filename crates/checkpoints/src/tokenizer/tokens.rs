//! From the output of a tokenizer to tokens with their places and words in the text.

use relprop_transformer::{Content, Token, TokenizedText};
use tokenizers::Encoding;

use super::words::number_words;

/// Which characters of a text have tokens, before the text is cut.
pub(super) fn covered(text: &str, encoding: &Encoding) -> Vec<bool> {
    let mut covered = vec![false; text.chars().count()];
    for &(start, end) in encoding.get_offsets() {
        let end = end.min(covered.len());
        covered[start.min(end)..end].fill(true);
    }
    covered
}

/// Makes the tokens of a text, or of a pair. `covered` says which characters of each text have
/// tokens.
pub(super) fn tokenized(
    first: &str,
    second: Option<&str>,
    covered: &[Vec<bool>; 2],
    encoding: &Encoding,
    dropped: usize,
) -> TokenizedText {
    let texts = [Some(first), second].map(|text| text.unwrap_or("").chars().collect::<Vec<_>>());
    // The second text is counted on from the first, with a line break between them.
    let start = texts[0].len() + 1;
    let token = |i: usize| {
        let special = encoding.get_special_tokens_mask()[i] == 1;
        let sequence = encoding.token_to_sequence(i).filter(|_| !special);
        let text = usize::from(sequence == Some(1));
        let (start, end) = without_spaces(&texts[text], encoding.get_offsets()[i]);
        let token = Token {
            text: encoding.get_tokens()[i].clone(),
            id: encoding.get_ids()[i],
            start,
            end,
            word: encoding.get_word_ids()[i].filter(|_| !special),
            special,
        };
        (text, token)
    };
    let mut of_texts = [Vec::new(), Vec::new()];
    let mut tokens: Vec<(usize, Token)> = (0..encoding.len()).map(token).collect();
    for (text, token) in tokens.iter_mut().filter(|(_, token)| !token.special) {
        of_texts[*text].push(token);
    }
    let mut words = 0;
    for ((text, covered), tokens) in texts.iter().zip(covered).zip(&mut of_texts) {
        take_in_dropped(text, covered, tokens);
        words = number_words(text, tokens, words);
    }
    let placed = |(text, token): (usize, Token)| Token {
        start: token.start + text * start,
        end: token.end + text * start,
        ..token
    };
    TokenizedText {
        text: match second {
            Some(second) => format!("{first}\n{second}"),
            None => first.to_owned(),
        },
        content: Content::Text {
            second: second.map(|_| start),
        },
        tokens: tokens.into_iter().map(placed).collect(),
        types: encoding.get_type_ids().to_vec(),
        dropped,
        asked: Vec::new(),
        source: 0,
    }
}

/// A token's place without the spaces around it, which some tokenizers include.
fn without_spaces(text: &[char], (start, end): (usize, usize)) -> (usize, usize) {
    let end = end.min(text.len());
    let start = start.min(end);
    let spaces = |characters: &mut dyn Iterator<Item = &char>| {
        characters.take_while(|c| c.is_whitespace()).count()
    };
    let start = start + spaces(&mut text[start..end].iter());
    (start, end - spaces(&mut text[start..end].iter().rev()))
}

/// Gives the characters that a normalizer dropped, or composed with others, to the tokens that they
/// stand next to: to those before, or, where white space or the text's start is before, to those
/// after. Characters with white space on both sides belong to no token.
fn take_in_dropped(text: &[char], covered: &[bool], tokens: &mut [&mut Token]) {
    let dropped = |at: &usize| !covered[*at] && !text[*at].is_whitespace();
    for token in tokens.iter_mut().filter(|token| token.start < token.end) {
        token.end += (token.end..text.len()).take_while(dropped).count();
        let start = token.start - (0..token.start).rev().take_while(dropped).count();
        if start == 0 || text[start - 1].is_whitespace() {
            token.start = start;
        }
    }
}
