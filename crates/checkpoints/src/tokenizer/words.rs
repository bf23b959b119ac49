//! The words of a text, as a reader counts them.
//!
//! A word ends at white space of the text as it stands, and where the tokenizer's own pre-tokenizer ends
//! one: at punctuation, between Chinese characters. One cut of a pre-tokenizer does not count: that
//! beside a combining mark. Patterns of byte-level tokenizers part vowel signs and accents from the
//! letters that carry them.

use std::sync::LazyLock;

use relprop_transformer::Token;
use tokenizers::utils::SysRegex;

/// Characters that belong to the one before: combining marks (general category M) and the two
/// joiners, U+200C and U+200D.
static MARK: LazyLock<SysRegex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant")]
    SysRegex::new(r"[\p{M}\x{200C}\x{200D}]").expect("the pattern is right")
});

const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Numbers the words of `tokens`, which come with the numbers of the pre-tokenizer, from `first` on, and
/// returns the number after the last. A token of white space alone belongs to the word that follows it
/// directly, if the pre-tokenizer says so as well, or else to none.
pub(super) fn number_words(text: &[char], tokens: &mut [&mut Token], first: u32) -> u32 {
    let cuts: Vec<Option<u32>> = tokens.iter().map(|token| token.word).collect();
    let mut next = first;
    let mut last: Option<(Option<u32>, usize)> = None;
    // Whether the last token lies inside the one before: a mark that a normalizer took off its letter.
    let mut inside = false;
    for (token, cut) in tokens.iter_mut().zip(&cuts) {
        if token.start == token.end {
            token.word = None;
            continue;
        }
        let letter = |at: usize| text.get(at).is_some_and(|c| c.is_alphanumeric());
        let goes_on = last.is_some_and(|(before, end)| {
            let carried = inside && letter(end - 1) && letter(token.start);
            let cut = before != *cut && !carried && !joined(text, token.start);
            token.start < end || (token.start == end && !cut)
        });
        inside = last.is_some_and(|(before, end)| token.start < end && (inside || before != *cut));
        if !goes_on {
            next += 1;
        }
        // A token that lies inside the one before ends no word.
        last = Some((*cut, last.map_or(0, |(_, end)| end).max(token.end)));
        token.word = Some(next - 1);
    }
    for at in (1..tokens.len()).rev() {
        let space = tokens[at - 1].start == tokens[at - 1].end;
        let follows = tokens[at].start == tokens[at - 1].end && cuts[at] == cuts[at - 1];
        if space && follows {
            tokens[at - 1].word = tokens[at].word;
        }
    }
    next
}

/// Whether the character at this place belongs to the same word as the one before, whatever the
/// pre-tokenizer says: it is a mark, or a letter after a mark inside of a word.
fn joined(text: &[char], at: usize) -> bool {
    let (before, from) = text.split_at(at);
    let Some(next) = from.first() else {
        return false;
    };
    let carrier = before.iter().rev().find(|c| !is_mark(**c));
    let letters = carrier.is_some_and(|c| c.is_alphanumeric()) && next.is_alphanumeric();
    match before.last() {
        None => false,
        Some(_) if is_mark(*next) => true,
        Some(&ZERO_WIDTH_JOINER) => true,
        Some(last) => is_mark(*last) && letters,
    }
}

fn is_mark(character: char) -> bool {
    let mut bytes = [0; 4];
    !character.is_ascii()
        && MARK
            .find_iter(character.encode_utf8(&mut bytes))
            .next()
            .is_some()
}
