//! `tokenizer.json`, or `vocab.txt` with the `tokenizer_config.json` that may stand beside it, and what
//! the tokenizer makes of texts.
//!
//! What starts with a brace is a `tokenizer.json`. Else it is a vocabulary, with settings from the
//! first line on that starts with a brace.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relprop_checkpoints::{Tokenizer, Truncation};
use serde_json::Map;

const TEXTS: [&str; 5] = [
    "a",
    "a warm , funny film!",
    "naïve 映画 (!) \u{1F44D}\u{1F3FD}\u{feff}",
    " \t two  words\r\n",
    "ﬁlm İ\u{0301} [CLS] <s> ##a",
];

fn read(bytes: &[u8]) -> Option<Tokenizer> {
    if bytes.starts_with(b"{") {
        return Tokenizer::from_json(str::from_utf8(bytes).ok()?).ok();
    }
    let brace = bytes.windows(2).position(|pair| pair == b"\n{");
    let (vocabulary, settings) = bytes.split_at(brace.map_or(bytes.len(), |at| at + 1));
    let settings = match settings {
        [] => Map::new(),
        settings => serde_json::from_slice(settings).ok()?,
    };
    Tokenizer::from_vocabulary(vocabulary, &settings).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some(tokenizer) = read(bytes) else { return };
    // A model's vocabulary is compared with it.
    let largest = tokenizer.vocabulary_size();
    for (index, text) in TEXTS.into_iter().enumerate() {
        let _ = tokenizer.encode(text, 4, Truncation::CutStart);
        let Ok(text) = tokenizer.encode(text, 64, Truncation::Cut) else {
            continue;
        };
        for token in &text.tokens {
            assert!(
                (token.id as usize) < largest,
                "it was said to be the largest"
            );
            tokenizer.readable(token.id);
            tokenizer.is_special(token.id);
        }
        let pair = [TEXTS[index], TEXTS[1]];
        let _ = tokenizer.encode_pair(pair, 16, Truncation::Cut);
    }
    tokenizer.find(" film");
});
