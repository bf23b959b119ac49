//! Texts, and a tokenizer that knows their words.

use relprop_checkpoints::Tokenizer;
use relprop_train::vocabulary::train_wordpiece;

/// What the vocabulary is learned from: English, and scripts whose characters are several bytes.
const CORPUS: [&str; 9] = [
    "a warm , funny film that never gets dull",
    "the plot is dull and the jokes are never funny",
    "an unwatchable , unfunny and cold film",
    "warmly acted , sharply written , watchable from start to end",
    "ein schöner film mit einem schwachen ende",
    "素晴らしい映画だった 、 退屈な映画だった",
    "סרט מצחיק מאוד",
    "فيلم ممل جدا",
    "😀 👍 🎬 ❤️ 👍🏽",
];

/// A tokenizer that has seen every character of the corpus.
pub fn tokenizer() -> Tokenizer {
    // Twice, so that whole words become tokens.
    let texts = CORPUS.iter().chain(&CORPUS).copied();
    Tokenizer::new(train_wordpiece(texts, 400).unwrap())
}

/// Texts of 1, 3, 12 and 40 words.
pub fn texts() -> [String; 4] {
    let words: Vec<&str> = CORPUS[..4]
        .iter()
        .flat_map(|text| text.split(' '))
        .collect();
    [1, 3, 12, 40].map(|length| {
        let words = words.iter().cycle().skip(length).step_by(3).take(length);
        words.copied().collect::<Vec<_>>().join(" ")
    })
}

/// A text of 9 words; no two numbers have the same, below the hundreds.
pub fn nine_words(number: usize) -> String {
    const WORDS: [&str; 12] = [
        "a", "warm", "funny", "film", "that", "never", "gets", "dull", "the", "plot", "is", "cold",
    ];
    let word = |place| WORDS[(number * 5 + place * (number % 4 + 1) + number / 12) % 12];
    (0..9).map(word).collect::<Vec<_>>().join(" ")
}
