//! Texts are cut into segments.

use proptest::prelude::*;
use relprop_transformer::{Content, Token, TokenizedText};
use rstest::rstest;

use super::*;

/// A text with a token for each run of letters or of signs, and one for each run of white space.
fn text(text: &str, second: Option<usize>) -> TokenizedText {
    let kind = |c: &char| (c.is_whitespace(), c.is_alphanumeric());
    let characters: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut start = 0;
    for run in characters.chunk_by(|a, b| kind(a) == kind(b)) {
        tokens.push(Token {
            text: run.iter().collect(),
            id: 7,
            start,
            end: start + run.len(),
            word: None,
            special: false,
        });
        start += run.len();
    }
    tokens.insert(
        0,
        Token {
            text: "[CLS]".to_owned(),
            id: 2,
            start: 0,
            end: 0,
            word: None,
            special: true,
        },
    );
    TokenizedText {
        text: text.to_owned(),
        content: Content::Text { second },
        types: vec![0; tokens.len()],
        tokens,
        dropped: 0,
        asked: Vec::new(),
        source: 0,
    }
}

fn cut(how: &str, of: &str) -> Vec<String> {
    let text = text(of, None);
    let relevance = vec![1.0; text.tokens.len()];
    let how: Segmentation = how.parse().unwrap();
    let segments = how.segments(&text, &relevance).unwrap();
    segments.into_iter().map(|segment| segment.text).collect()
}

#[rstest]
#[case("sentences", "It is warm. Is it? Yes!", &["It is warm.", "Is it?", "Yes!"])]
#[case("sentences", "今日は暖かい。そうですか？はい！", &["今日は暖かい。", "そうですか？", "はい！"])]
#[case("sentences", "राम घर गया। वह थका था।", &["राम घर गया।", "वह थका था।"])]
#[case("sentences", "هل هو دافئ؟ نعم.", &["هل هو دافئ؟", "نعم."])]
#[case("sentences", "3.5 is a number. It is.", &["3.5 is a number.", "It is."])]
#[case("sentences", "one line\nanother\n", &["one line", "another"])]
#[case("lines", "a b\n\n  c\r\nd", &["a b", "c", "d"])]
#[case("lines", "\n\na", &["", "a"])]
#[case("words", "It's warm, isn't it?", &["It's", "warm,", "isn't", "it?"])]
#[case("\"\\n\\n\"", "one\nstill\n\ntwo", &["one\nstill", "two"])]
#[case("---", "one---two---", &["one---", "two---"])]
#[case("\" and \"", "a and b and c", &["a and", "b and", "c"])]
fn a_text_is_cut_at_its_marks(#[case] how: &str, #[case] of: &str, #[case] expected: &[&str]) {
    assert_eq!(cut(how, of), expected);
}

#[test]
fn a_document_is_cut_after_its_fields() {
    let document =
        r#" {"question": "Who?", "passages": ["one", {"a/b": 2.5}], "none": {}, "last": null} "#;
    let text = text(document, None);
    let relevance = vec![1.0; text.tokens.len()];
    let segments = Segmentation::Json.segments(&text, &relevance).unwrap();
    let found: Vec<_> = (segments.iter())
        .map(|segment| (segment.name.as_deref().unwrap(), segment.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("/question", "{\"question\": \"Who?\""),
            ("/passages/0", ", \"passages\": [\"one\""),
            ("/passages/1/a~1b", ", {\"a/b\": 2.5"),
            ("/none", "}], \"none\": {}"),
            ("/last", ", \"last\": null}"),
        ]
    );
}

#[test]
fn a_text_that_is_no_document_is_refused_and_an_answer_need_be_none() {
    let error = Segmentation::Json
        .check(&text("no document", None))
        .unwrap_err();
    assert!(error.to_string().contains("no JSON"), "{error}");
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert!(Segmentation::Json.check(&text(&deep, None)).is_err());
    let answered = text("[1, 2] because", Some(6));
    let relevance = vec![1.0; answered.tokens.len()];
    let segments = Segmentation::Json.segments(&answered, &relevance).unwrap();
    let names: Vec<_> = segments
        .iter()
        .map(|s| (s.name.as_deref(), &*s.text))
        .collect();
    assert_eq!(
        names,
        [(Some("/0"), "[1"), (Some("/1"), ", 2]"), (None, "because")]
    );
}

#[test]
fn no_segment_reaches_over_the_start_of_the_second_text() {
    let pair = text("who is it\nit is Ada. She is", Some(10));
    let relevance = vec![1.0; pair.tokens.len()];
    for (how, expected) in [
        ("sentences", &["who is it", "it is Ada.", "She is"][..]),
        ("\"; \"", &["who is it", "it is Ada. She is"]),
    ] {
        let how: Segmentation = how.parse().unwrap();
        let segments = how.segments(&pair, &relevance).unwrap();
        let found: Vec<_> = segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn the_strongest_segment_has_the_first_rank() {
    let text = text("weak. strong! against?", None);
    let relevance: Vec<f32> = (text.tokens.iter())
        .map(|token| match token.text.as_str() {
            "weak" => 0.5,
            "strong" => 2.0,
            "against" => -3.0,
            _ => 0.0,
        })
        .collect();
    let segments = Segmentation::Sentences.segments(&text, &relevance).unwrap();
    let found: Vec<_> = segments
        .iter()
        .map(|s| (&*s.text, s.relevance, s.rank))
        .collect();
    // A sentence goes on in lower case.
    assert_eq!(found, [("weak. strong!", 2.5, 1), ("against?", -3.0, 2)]);
}

#[rstest]
#[case("sentence")]
#[case("")]
#[case("\"\"")]
#[case("\"unclosed")]
#[case("--a--")]
fn an_unknown_way_to_cut_is_refused(#[case] how: &str) {
    let error = how.parse::<Segmentation>().unwrap_err();
    assert!(error.to_string().contains("sentences"), "{error}");
}

fn any_text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "warm",
        "film",
        ". ",
        "! ",
        "。",
        "？",
        "\n",
        "\n\n",
        "  ",
        "é",
        "e\u{301}",
        "---",
        "\"",
        "{",
        "}",
        ",",
        "1.5",
        "A",
        "\u{2029}",
        "\r\n",
        "👩‍👧",
    ]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    /// Each token is in one segment, so sums of segments are the sum of tokens; a segment's text is a slice
    /// of the whole, and segments follow each other.
    #[test]
    fn nothing_is_lost(
        first in any_text(),
        second in any_text(),
        pair in any::<bool>(),
        how in prop::sample::select(vec!["sentences", "lines", "words", "\"\\n\\n\"", "---"]),
    ) {
        let whole = format!("{first}{second}");
        let text = text(&whole, pair.then(|| first.chars().count()));
        let relevance: Vec<f32> = (0..text.tokens.len()).map(|i| 1.0 + i as f32 / 8.0).collect();
        let how: Segmentation = how.parse().unwrap();
        prop_assert_eq!(how.to_string().parse(), Ok(how.clone()));
        let segments = how.segments(&text, &relevance).unwrap();
        let sum: f32 = segments.iter().map(|segment| segment.relevance).sum();
        prop_assert!((sum - relevance[1..].iter().sum::<f32>()).abs() < 1e-3);
        let characters: Vec<char> = whole.chars().collect();
        let mut end = 0;
        for segment in &segments {
            prop_assert!(end <= segment.start && segment.start <= segment.end);
            let slice: String = characters[segment.start..segment.end].iter().collect();
            prop_assert_eq!(&slice, &segment.text);
            end = segment.end;
        }
        let mut ranks: Vec<usize> = segments.iter().map(|segment| segment.rank).collect();
        ranks.sort_unstable();
        prop_assert_eq!(ranks, (1..=segments.len()).collect::<Vec<_>>());
    }
}

/// How many values of a document hold no others.
fn count(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let inside: usize = match value {
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(values) => values.iter().map(count).sum(),
        _ => 0,
    };
    inside.max(1)
}

#[test]
fn the_fields_of_a_document_are_those_of_another_reader() {
    for text in [
        "1",
        "\"a\"",
        " {} ",
        "[]",
        "[[], {}, [1]]",
        r#"{"a": {"b~/c": ["x", "y \" ] }", -1.5e3], "d": null}, "": true}"#,
        "{\"映画\":\"\\u6620 \\\\\",\"b\" : [ 1 ,2\n] }",
    ] {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let fields = super::fields(text).unwrap();
        assert_eq!(fields.len(), count(&document), "{text}");
        let mut reached = 0;
        for (name, range) in &fields {
            assert_eq!(range.start, reached, "{text}");
            reached = range.end;
            let value = document.pointer(name.as_ref().unwrap()).unwrap();
            // The last one reaches to the end of the text.
            if reached < text.len() && !value.is_object() && !value.is_array() {
                let ends = (range.start..range.end).filter(|at| text.is_char_boundary(*at));
                let mut values = ends.filter_map(|at| {
                    serde_json::from_str::<serde_json::Value>(&text[at..range.end]).ok()
                });
                assert!(values.any(|found| found == *value), "{text} {name:?}");
            }
        }
        assert_eq!(reached, text.len());
    }
}
