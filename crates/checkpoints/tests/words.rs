//! Words, as a reader counts them, whatever a tokenizer drops, composes or takes apart.

use relprop_checkpoints::{Tokenizer, Truncation};
use relprop_transformer::TokenizedText;
use rstest::rstest;
use serde_json::{Value, json};

/// Drops accents and format characters, and sets punctuation and Chinese characters apart.
fn bert() -> Value {
    json!({
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "c": 1, "##a": 2, "##f": 3, "##e": 4}
        }
    })
}

/// Spells bytes, and takes marks apart from letters.
fn byte_level(normalizer: Value) -> Value {
    let printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let spelled = (0..=255u8).filter(printable).map(char::from);
    let others = (256..).filter_map(char::from_u32).take(68);
    let letters = spelled.chain(others).map(String::from);
    let vocabulary: serde_json::Map<_, _> = letters.zip((0..).map(Value::from)).collect();
    json!({
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []}
    })
}

/// Takes a whole text for one word, as Llama 2 does, and spells what it does not know in bytes.
fn metaspace() -> Value {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let known = ["<unk>", "▁", "▁▁", "a", "f", "i", "l", "m"].map(String::from);
    let tokens = known.into_iter().chain(bytes);
    let vocabulary: serde_json::Map<_, _> = tokens.zip((0..).map(Value::from)).collect();
    json!({
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
        ]},
        "pre_tokenizer": null,
        "model": {
            "type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
            "vocab": vocabulary, "merges": [["▁", "▁"]]
        }
    })
}

fn tokenizer(json: &Value) -> Tokenizer {
    Tokenizer::from_json(&json.to_string()).unwrap()
}

/// The words, as slices of the text.
fn words(text: &TokenizedText) -> Vec<String> {
    let characters: Vec<char> = text.text.chars().collect();
    let count = text.tokens.iter().filter_map(|token| token.word).max();
    let word = |number: u32| {
        let tokens = || {
            text.tokens
                .iter()
                .filter(|token| token.word == Some(number))
        };
        let start = tokens().map(|token| token.start).min().unwrap();
        let end = tokens().map(|token| token.end).max().unwrap();
        characters[start..end].iter().collect()
    };
    (0..count.map_or(0, |last| last + 1)).map(word).collect()
}

/// Texts whose words are what stands between white space, whatever the tokenizer.
#[rstest]
#[case::composed("café naïve")]
#[case::decomposed("cafe\u{301} nai\u{308}ve")]
#[case::two_marks("e\u{301}\u{323}a o\u{302}\u{301}")]
#[case::a_mark_first("\u{301}cafe film")]
#[case::soft_hyphen("soft\u{ad}hyphen \u{ad}film film\u{ad}")]
#[case::zero_width("zero\u{200b}width \u{feff}film film\u{2060}")]
#[case::hangul(
    "\u{110b}\u{1167}\u{11bc}\u{1112}\u{116a}\u{1100}\u{1161} \u{110c}\u{1169}\u{11c2}\u{1103}\u{1161}"
)]
#[case::hangul_composed("영화가 좋다")]
#[case::hindi("हिन्दी फ़िल्म अच्छी है")]
#[case::thai("ไม่ รู้ สู้")]
#[case::hebrew("שָׁלוֹם סֶרֶט")]
#[case::arabic("مُمْتِع جِدًّا")]
#[case::persian("می\u{200c}خواهم فیلم")]
#[case::tamil("திரைப்படம் நன்று")]
#[case::vietnamese("Tie\u{302}\u{301}ng Vie\u{323}\u{302}t")]
#[case::kana_with_a_mark("か\u{3099}き film")]
#[case::white_space(" \t a  film\n\n\u{a0}film\u{3000}film \r\n ")]
fn a_word_ends_at_white_space_alone(#[case] text: &str) {
    let expected: Vec<&str> = text.split_whitespace().collect();
    for (name, json) in [
        ("bert", bert()),
        ("byte level", byte_level(Value::Null)),
        ("byte level, NFC", byte_level(json!({"type": "NFC"}))),
        ("byte level, NFD", byte_level(json!({"type": "NFD"}))),
        ("metaspace", metaspace()),
    ] {
        // The patterns of byte-level tokenizers take format characters and lone marks for punctuation.
        let format = |c: char| matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{2060}');
        if name.starts_with("byte") && (text.contains(format) || text.starts_with('\u{301}')) {
            continue;
        }
        let found = tokenizer(&json)
            .encode(text, 512, Truncation::Refuse)
            .unwrap();
        assert_eq!(words(&found), expected, "{name}: {:?}", found.tokens);
    }
}

/// Where the pre-tokenizer ends a word.
#[rstest]
#[case(bert(), "can't e\u{301}!", &["can", "'", "t", "e\u{301}", "!"])]
#[case(bert(), "映画は film", &["映", "画", "は", "film"])]
#[case(byte_level(Value::Null), "can't film!", &["can", "'t", "film", "!"])]
#[case(byte_level(Value::Null), "है। film", &["है।", "film"])]
#[case(metaspace(), "can't film!", &["can't", "film!"])]
fn a_word_ends_where_the_pre_tokenizer_ends_it(
    #[case] json: Value,
    #[case] text: &str,
    #[case] expected: &[&str],
) {
    let found = tokenizer(&json)
        .encode(text, 512, Truncation::Refuse)
        .unwrap();
    assert_eq!(words(&found), expected, "{:?}", found.tokens);
}

/// What was cut off is no character that a normalizer dropped.
#[test]
fn a_word_that_is_cut_ends_where_it_is_cut() {
    let tokenizer = tokenizer(&metaspace());
    let cut = |truncation| words(&tokenizer.encode("a film", 5, truncation).unwrap());
    assert_eq!(cut(Truncation::Cut), ["a", "fi"]);
    assert_eq!(cut(Truncation::CutStart), ["film"]);
}

/// Without a last step, nothing but the order says which text a token is of.
#[test]
fn pairs_without_a_last_step_slice_the_right_text() {
    for json in [bert(), byte_level(Value::Null), metaspace()] {
        let pair = ["a film", "cafe\u{301}  fi"];
        let found = tokenizer(&json)
            .encode_pair(pair, 512, Truncation::Refuse)
            .unwrap();
        assert_eq!(words(&found), ["a", "film", "cafe\u{301}", "fi"]);
    }
}

#[test]
fn a_token_of_white_space_belongs_to_the_word_after_it_or_to_none() {
    let found = tokenizer(&metaspace())
        .encode("a  film ", 512, Truncation::Refuse)
        .unwrap();
    let words: Vec<_> = found
        .tokens
        .iter()
        .map(|t| (t.text.as_str(), t.word))
        .collect();
    let [a, film] = [Some(0), Some(1)];
    let expected = [
        ("▁", a),
        ("a", a),
        ("▁▁", film),
        ("f", film),
        ("i", film),
        ("l", film),
        ("m", film),
        ("▁", None),
    ];
    assert_eq!(words, expected);
}
