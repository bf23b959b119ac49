//! The bytes that tokens spell, and the text that they make together.

use std::ops::Range;

use super::{Tokenizer, spells_bytes};

impl Tokenizer {
    /// The bytes of the token with the number `id` as they would stand in a text: those of ` film` for
    /// `Ġfilm` or `▁film`. They can be a part of a character.
    pub(super) fn bytes(&self, id: u32) -> Option<Vec<u8>> {
        let token = self.token(id)?;
        // A token that was added to the vocabulary stands for itself.
        if self.inner.get_added_tokens_decoder().contains_key(&id) {
            return Some(token.into_bytes());
        }
        if spells_bytes(self.inner.get_decoder()) {
            let bytes: Option<Vec<u8>> = token.chars().map(byte_of).collect();
            return Some(bytes.unwrap_or_else(|| token.into_bytes()));
        }
        let byte = token.strip_prefix("<0x").and_then(|t| t.strip_suffix('>'));
        Some(
            match byte.and_then(|byte| u8::from_str_radix(byte, 16).ok()) {
                Some(byte) => vec![byte],
                None => token.replace('▁', " ").into_bytes(),
            },
        )
    }

    /// The text that tokens make together, and the characters of it that each has a part in: a character can
    /// be spelled by several tokens. Bytes that make no character are the sign �; a token that the vocabulary
    /// does not have is nothing.
    pub fn joined(&self, ids: &[u32]) -> (String, Vec<Range<usize>>) {
        let mut bytes = Vec::new();
        let mut parts = Vec::new();
        for id in ids {
            let start = bytes.len();
            bytes.extend(self.bytes(*id).unwrap_or_default());
            parts.push(start..bytes.len());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // The character that each byte belongs to, and one more for the end.
        let mut character_of = Vec::with_capacity(bytes.len() + 1);
        let mut characters = 0;
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                character_of.extend([characters].repeat(character.len_utf8()));
                characters += 1;
            }
            if !chunk.invalid().is_empty() {
                character_of.extend([characters].repeat(chunk.invalid().len()));
                characters += 1;
            }
        }
        character_of.push(characters);
        let of_token = |part: Range<usize>| {
            let start = character_of[part.start];
            match part.is_empty() {
                true => start..start,
                false => start..character_of[part.end - 1] + 1,
            }
        };
        (text, parts.into_iter().map(of_token).collect())
    }
}

/// The byte that GPT-2 spells with this letter: printable bytes of Latin-1 are themselves, and the others
/// are the letters from U+0100 on, in order.
fn byte_of(letter: char) -> Option<u8> {
    let printable = |code: u32| matches!(code, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let code = letter as u32;
    if printable(code) {
        return u8::try_from(code).ok();
    }
    let index = usize::try_from(code.checked_sub(0x100)?).ok()?;
    let mut others = (0..=0xff_u8).filter(|byte| !printable(u32::from(*byte)));
    others.nth(index)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn letters_stand_for_bytes_as_in_gpt_2() {
        for (letter, byte) in [
            ('a', Some(b'a')),
            ('Ġ', Some(b' ')),
            ('Ċ', Some(b'\n')),
            ('Ā', Some(0)),
            ('ł', Some(0xa0)),
            ('Ń', Some(0xad)),
            ('é', Some(0xe9)),
            ('ń', None),
            (' ', None),
            ('▁', None),
        ] {
            assert_eq!(byte_of(letter), byte, "{letter}");
        }
        let all = (0..0x144).filter_map(char::from_u32).filter_map(byte_of);
        assert_eq!(all.collect::<std::collections::BTreeSet<_>>().len(), 256);
    }

    fn tokenizer(vocabulary: &[&str], decoder: &serde_json::Value) -> Tokenizer {
        let ids = vocabulary.iter().zip(0..).map(|(token, id)| (*token, id));
        let vocabulary: std::collections::HashMap<&str, u32> = ids.collect();
        let added = json!([{
            "id": 0, "content": "<é>", "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false
        }]);
        let json = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": decoder,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
        });
        Tokenizer::from_json(&json.to_string()).unwrap()
    }

    #[test]
    fn a_character_of_several_tokens_comes_out_whole() {
        let byte_level = json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false
        });
        let letters = ["<é>", "a", "Ġwarm", "Ã", "©", "ðŁ", "ĺ", "Ģ", "©ðŁĺ"];
        let bytes = [
            "<é>", "a", "▁warm", "<0xC3>", "<0xA9>", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>",
        ];
        let by_letters = tokenizer(&letters, &byte_level);
        let by_numbers = tokenizer(&bytes, &json!({"type": "ByteFallback"}));
        type Case<'a> = (&'a Tokenizer, &'a [u32], &'a str, &'a [Range<usize>]);
        let cases: &[Case] = &[
            (&by_letters, &[], "", &[]),
            (&by_letters, &[1, 2], "a warm", &[0..1, 1..6]),
            (
                &by_letters,
                &[1, 3, 4, 2],
                "aé warm",
                &[0..1, 1..2, 1..2, 2..7],
            ),
            (&by_letters, &[5, 6, 7], "😀", &[0..1, 0..1, 0..1]),
            (
                &by_letters,
                &[3, 8, 7, 1],
                "é😀a",
                &[0..1, 0..2, 1..2, 2..3],
            ),
            (&by_letters, &[3, 1], "\u{fffd}a", &[0..1, 1..2]),
            (&by_letters, &[1, 5], "a\u{fffd}", &[0..1, 1..2]),
            (&by_letters, &[0, 1], "<é>a", &[0..3, 3..4]),
            (&by_letters, &[1, 99, 1], "aa", &[0..1, 1..1, 1..2]),
            (&by_numbers, &[2, 3, 4], " warmé", &[0..5, 5..6, 5..6]),
            (
                &by_numbers,
                &[5, 6, 7, 8, 1],
                "😀a",
                &[0..1, 0..1, 0..1, 0..1, 1..2],
            ),
        ];
        for (tokenizer, ids, text, places) in cases {
            assert_eq!(
                tokenizer.joined(ids),
                ((*text).to_owned(), places.to_vec()),
                "{ids:?}"
            );
        }
    }
}
