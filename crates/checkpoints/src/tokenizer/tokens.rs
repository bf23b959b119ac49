//! What a tokenizer gives, to tokens with their places and words in the text.

use relprop_transformer::{Content, Token, TokenizedText};
use tokenizers::Encoding;

/// Puts together what the tokens of a text, or of a pair, are.
pub(super) fn tokenized(
    first: &str,
    second: Option<&str>,
    encoding: &Encoding,
    dropped: usize,
) -> TokenizedText {
    let texts = [Some(first), second].map(|text| text.unwrap_or("").chars().collect::<Vec<_>>());
    // The second text is counted on from the first, with a line break between them.
    let start = texts[0].len() + 1;
    let words_of_first = (0..encoding.len())
        .filter(|i| encoding.token_to_sequence(*i) == Some(0))
        .filter_map(|i| encoding.get_word_ids()[i])
        .max();
    let token = |i: usize| {
        let special = encoding.get_special_tokens_mask()[i] == 1;
        let sequence = if special {
            None
        } else {
            encoding.token_to_sequence(i)
        };
        let is_second = sequence == Some(1);
        let (characters, offset, words) = match is_second {
            true => (&texts[1], start, words_of_first.map_or(0, |last| last + 1)),
            false => (&texts[0], 0, 0),
        };
        let range = without_spaces(characters, encoding.get_offsets()[i]);
        Token {
            text: encoding.get_tokens()[i].clone(),
            id: encoding.get_ids()[i],
            start: range.start + offset,
            end: range.end + offset,
            word: encoding.get_word_ids()[i].map(|word| word + words),
            special,
        }
    };
    let mut tokens: Vec<Token> = (0..encoding.len()).map(token).collect();
    number_words(&mut tokens);
    TokenizedText {
        text: match second {
            Some(second) => format!("{first}\n{second}"),
            None => first.to_owned(),
        },
        content: Content::Text {
            second: second.map(|_| start),
        },
        tokens,
        types: encoding.get_type_ids().to_vec(),
        dropped,
        position: None,
    }
}

/// Numbers the words anew, and ends one wherever there is a space: some tokenizers take a whole text
/// for a word.
fn number_words(tokens: &mut [Token]) {
    let mut last: Option<(u32, usize)> = None;
    let mut count = 0;
    for token in tokens {
        let Some(word) = token.word else { continue };
        let goes_on = last.is_some_and(|(before, end)| before == word && token.start <= end);
        if !goes_on {
            count += 1;
        }
        last = Some((word, token.end));
        token.word = Some(count - 1);
    }
}

/// A token's place without the spaces around it, which some tokenizers count in.
fn without_spaces(text: &[char], (start, end): (usize, usize)) -> std::ops::Range<usize> {
    let end = end.min(text.len());
    let start = start.min(end);
    let spaces = |characters: &mut dyn Iterator<Item = &char>| {
        characters.take_while(|c| c.is_whitespace()).count()
    };
    let start = start + spaces(&mut text[start..end].iter());
    start..end - spaces(&mut text[start..end].iter().rev())
}
