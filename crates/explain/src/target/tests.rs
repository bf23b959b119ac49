//! Targets are read and written.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use relprop_checkpoints::TextError;
use relprop_transformer::{Content, Token, TokenizedText};
use rstest::rstest;

use super::names::Names;
use super::*;
use crate::Plan;

fn labels() -> Vec<String> {
    ["no", "yes", "yes-and-no"].map(String::from).to_vec()
}

#[test]
fn targets_are_read_by_name_index_and_contrast() {
    let parse = |text| Target::parse(text, &labels());
    assert_eq!(parse("predicted"), Ok(Target::Predicted));
    assert_eq!(parse("yes"), Ok(Target::Label(1)));
    assert_eq!(parse("2"), Ok(Target::Label(2)));
    assert_eq!(parse("yes-and-no"), Ok(Target::Label(2)));
    assert_eq!(parse("yes-and-no-no"), Ok(Target::Contrast(2, 0)));
    assert_eq!(parse("0-yes-and-no"), Ok(Target::Contrast(0, 2)));
}

/// `--target A --against B` says each of them.
#[test]
fn what_could_be_several_is_refused_with_every_reading() {
    let hyphens = ["non", "non-toxic", "toxic", "toxic-mild", "mild"].map(String::from);
    let numbers = ["1", "2", "3"].map(String::from);
    let twice = ["same", "same", "0"].map(String::from);
    for (text, labels, readings) in [
        (
            "non-toxic-mild",
            &hyphens[..],
            ["`non` against `toxic-mild`", "`non-toxic` against `mild`"],
        ),
        (
            "1",
            &numbers,
            [
                "the label `1`, whose index is 0",
                "the index 1, whose label is `2`",
            ],
        ),
        ("3-1", &numbers, ["whose index is 0", "whose label is `2`"]),
        ("same", &twice, ["whose index is 0", "whose index is 1"]),
        (
            "0",
            &twice,
            [
                "the index 0, whose label is `same`",
                "the label `0`, whose index is 2",
            ],
        ),
    ] {
        let message = Target::parse(text, labels).unwrap_err().to_string();
        assert!(message.contains("ambiguous"), "{message}");
        assert!(
            readings.iter().all(|reading| message.contains(reading)),
            "{message}"
        );
    }
    // What has one reading is no matter how it looks.
    assert_eq!(Target::parse("3", &numbers), Ok(Target::Label(2)));
    assert_eq!(Target::parse("0", &numbers), Ok(Target::Label(0)));
    assert_eq!(Target::parse("non-toxic", &hyphens), Ok(Target::Label(1)));
    let ordinary = ["0", "1"].map(String::from);
    assert_eq!(Target::parse("1", &ordinary), Ok(Target::Label(1)));
}

#[test]
fn an_unknown_target_names_the_labels() {
    let message = Target::parse("maybe", &labels()).unwrap_err().to_string();
    assert!(message.contains("`maybe`") && message.contains("no, yes, yes-and-no"));
    assert!(Target::parse("3", &labels()).is_err());
}

#[test]
fn a_label_that_is_not_there_is_refused() {
    assert!(Target::Contrast(2, 0).check(3, &labels()).is_ok());
    let message = Target::Label(3)
        .check(3, &labels())
        .unwrap_err()
        .to_string();
    assert!(message.contains("`id:3`") && message.contains("no, yes, yes-and-no"));
    assert!(Target::Contrast(0, 9).check(3, &labels()).is_err());
}

/// Where a hyphen, a sign or a call could be a name, names in quotes and `id:` have one meaning.
#[test]
fn quotes_and_ids_say_which_is_meant() {
    let labels = ["entropy()", "id:0", "predicted", "a-mean()", "1"].map(String::from);
    let parse = |text: &str| Scalar::parse(text, &labels).unwrap();
    let label = |index| Scalar::from(Target::Label(index));
    assert_eq!(parse("entropy()").score, Score::Entropy);
    assert_eq!(parse("\"entropy()\""), label(0));
    assert_eq!((parse("id:0"), parse("\"id:0\"")), (label(0), label(1)));
    assert_eq!(parse("predicted"), Scalar::default());
    assert_eq!((parse("\"predicted\""), parse("2")), (label(2), label(2)));
    assert_eq!(parse("a-mean()"), label(3));
    // A label that is called like an index is one in quotes.
    assert_eq!((parse("\"1\""), parse("id:1")), (label(4), label(1)));
    assert!(Scalar::parse("1", &labels).is_err());
}

#[rstest]
#[case("yes-mean()", "id:1-mean()")]
#[case("predicted-mean(2)", "predicted-mean(2)")]
#[case("log-probability(yes)", "log-probability(id:1)")]
#[case(
    "log-probability(yes-and-no-no)@\"a @ \\\"b\\\"\"#2",
    "log-probability(id:2-id:0)@\"a @ \\\"b\\\"\"#2"
)]
#[case("\"yes\"-no@word(3)", "id:1-id:0@word(3)")]
#[case("entropy()@token(1..4)", "entropy()@token(1..4)")]
#[case("yes-no@token(-1)", "id:1-id:0@token(-1)")]
#[case("norm()", "norm()")]
#[case("entity(0)", "predicted@entity(0)")]
#[case("entity(-2)", "predicted@entity(-2)")]
#[case("yes@entity(0..3)", "id:1@entity(0..3)")]
#[case(
    "log-probability(predicted)@entity(1)",
    "log-probability(predicted)@entity(1)"
)]
#[case("answer()-mean()", "answer()-mean()")]
#[case(
    "log-probability(answer()-mean(3))",
    "log-probability(answer()-mean(3))"
)]
#[case("answer()@\"on the table\"", "answer()@\"on the table\"")]
#[case("predicted@word(2..3)", "predicted@word(2)")]
fn a_scalar_is_written_without_names(#[case] text: &str, #[case] written: &str) {
    let scalar = Scalar::parse(text, &labels()).unwrap();
    assert_eq!(scalar.to_string(), written);
    assert_eq!(written.parse(), Ok(scalar));
}

#[rstest]
#[case("log-probability(entropy())")]
#[case("yes-entropy()")]
#[case("yes-mean(0)")]
#[case("yes-mean(two)")]
#[case("yes@")]
#[case("yes@word()")]
#[case("yes@word(3..3)")]
#[case("yes@\"\"#0")]
#[case("yes@here")]
#[case("yes-entity(0)")]
#[case("entity()")]
#[case("entity(-0)")]
#[case("entity(0)@word(1)")]
#[case("word(0)")]
#[case("log-probability(log-probability(yes))")]
#[case("")]
fn what_is_no_target_is_refused(#[case] text: &str) {
    let error = Scalar::parse(text, &labels()).unwrap_err();
    assert_eq!(error.text, text);
}

#[test]
fn a_class_of_entities_is_named_without_its_sign() {
    let labels = ["O", "B-PER", "I-PER", "B-LOC"].map(String::from);
    let names = Names::TokenLabels(&labels);
    let found = |text: &str| names.find(text).unwrap();
    assert_eq!(found("PER"), Some(Target::Class(1)));
    assert_eq!(found("LOC"), Some(Target::Class(3)));
    assert_eq!(found("B-PER"), Some(Target::Label(1)));
    assert_eq!((found("O"), found("ORG")), (Some(Target::Label(0)), None));
    assert_eq!(
        "class(id:1)@\"Ada\"".parse::<Scalar>().unwrap().of,
        Target::Class(1)
    );
}

/// The letters of a text in the order of the alphabet of targets: all that could confuse it.
fn confusing() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "a",
        "B-",
        "-",
        "@",
        "\"",
        "\\",
        "(",
        ")",
        "id:",
        "3",
        "#2",
        "mean()",
        "word(1)",
        "entity(0)",
        " ",
        "é",
        "\n",
        "predicted",
        "entropy()",
        "..",
    ]);
    prop::collection::vec(parts, 0..6).prop_map(|parts| parts.concat())
}

fn place() -> impl Strategy<Value = Place> {
    let range = (0_usize..50, 1_usize..9).prop_map(|(start, count)| start..start + count);
    let number = (1_usize..9).prop_filter_map("it is not zero", NonZeroUsize::new);
    let count = prop_oneof![
        range.prop_map(Count::Range),
        number.prop_map(Count::FromEnd)
    ];
    prop_oneof![
        count.clone().prop_map(Place::Words),
        count.clone().prop_map(Place::Tokens),
        count.prop_map(Place::Entities),
        (confusing(), prop::option::of(1_usize..9)).prop_map(|(text, number)| Place::Text {
            text,
            number: number.and_then(NonZeroUsize::new),
        }),
    ]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let index = 0_usize..200_000;
    let top = prop::option::of(1_usize..99).prop_map(|count| count.and_then(NonZeroUsize::new));
    let chosen = prop_oneof![
        Just(Chosen::Predicted),
        Just(Chosen::Given),
        index.clone().prop_map(Chosen::Label),
    ];
    let of = prop_oneof![
        Just(Target::Predicted),
        Just(Target::Given),
        index.clone().prop_map(Target::Label),
        index.clone().prop_map(Target::Class),
        (index.clone(), index.clone()).prop_map(|(a, b)| Target::Contrast(a, b)),
        (chosen, top).prop_map(|(of, top)| Target::AboveMean { of, top }),
    ];
    let measured = prop_oneof![
        (of.clone(), Just(Score::Logit)),
        (of, Just(Score::LogProbability)),
        (Just(Target::Predicted), Just(Score::Entropy)),
        (Just(Target::Predicted), Just(Score::Norm)),
    ];
    (measured, prop::option::of(place())).prop_map(|((of, score), place)| Scalar {
        of,
        score,
        place,
    })
}

proptest! {
    /// What is written is read as what it was, whatever the labels are, in JSON and in TOML.
    #[test]
    fn what_is_written_is_read_back(scalar in scalar(), labels in prop::collection::vec(confusing(), 0..6)) {
        let written = scalar.to_string();
        prop_assert_eq!(written.parse::<Scalar>(), Ok(scalar.clone()));
        prop_assert_eq!(Scalar::parse(&written, &labels), Ok(scalar.clone()));
        let plan = Plan { target: scalar, ..Plan::default() };
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Plan>(&json).unwrap(), &plan);
        let toml = toml::to_string(&plan).unwrap();
        prop_assert_eq!(toml::from_str::<Plan>(&toml).unwrap(), plan);
    }

    /// No text makes the reader panic, and a label is read by its name in quotes.
    #[test]
    fn any_text_is_read_or_refused(text in confusing(), labels in prop::collection::vec(confusing(), 1..6)) {
        let _ = Scalar::parse(&text, &labels);
        let _ = text.parse::<Scalar>();
        let mut alone: Vec<&String> = labels.iter().collect();
        alone.sort();
        alone.dedup();
        if alone.len() == labels.len() {
            let quoted = serde_json::Value::from(labels[0].as_str()).to_string();
            prop_assert_eq!(Scalar::parse(&quoted, &labels), Ok(Target::Label(0).into()));
        }
    }
}

/// `on the table` in two languages of tokens: words, and one with a special token and white space.
fn text() -> TokenizedText {
    let parts = [
        ("[CLS]", 0, 0),
        ("on", 0, 2),
        ("ta", 3, 5),
        ("##ble", 5, 8),
        ("on", 9, 11),
        ("it", 12, 14),
    ];
    let tokens = parts.iter().enumerate();
    let tokens = tokens.map(|(index, &(text, start, end))| Token {
        text: text.to_owned(),
        id: index as u32,
        start,
        end,
        word: [None, Some(0), Some(1), Some(1), Some(2), Some(3)][index],
        special: index == 0,
    });
    TokenizedText {
        text: "on table on it".to_owned(),
        content: Content::Text { second: None },
        tokens: tokens.collect(),
        types: vec![0; 6],
        dropped: 0,
        asked: Vec::new(),
        source: 0,
    }
}

/// Two of them, for the text above.
fn entities() -> Result<Vec<Vec<usize>>, TextError> {
    Ok(vec![vec![2, 3], vec![5]])
}

#[rstest]
#[case("\"table\"", 0, "2 3")]
#[case("\" table \"", 0, "2 3")]
#[case("\"ta\"", 0, "2")]
#[case("\"on\"#1", 0, "1")]
#[case("\"on\"#2", 0, "4")]
#[case("\"on\"", 3, "4")]
#[case("\"table on\"", 0, "2 3 4")]
#[case("word(1)", 0, "2 3")]
#[case("word(1..4)", 0, "2 3 4 5")]
#[case("token(0)", 0, "0")]
#[case("token(4..6)", 0, "4 5")]
#[case("word(-1)", 0, "5")]
#[case("word(-3)", 0, "2 3")]
#[case("token(-1)", 0, "5")]
#[case("token(-6)", 0, "0")]
#[case("entity(0)", 0, "2 3")]
#[case("entity(-1)", 0, "5")]
#[case("entity(0..2)", 0, "2 3 5")]
fn a_place_is_some_tokens(#[case] place: &str, #[case] from: usize, #[case] expected: &str) {
    let place = Place::parse(place).unwrap();
    let tokens = place.tokens(&text(), from, entities).unwrap();
    let tokens: Vec<_> = tokens.iter().map(usize::to_string).collect();
    assert_eq!(tokens.join(" "), expected);
}

#[rstest]
#[case("\"on\"", "2 times; add #1")]
#[case("\"on\"#3", "2 times")]
#[case("\"abl\"", "0 times, from the start of a token")]
#[case("\"\"", "0 times")]
#[case("\"on table on it and more\"", "0 times")]
#[case("word(4)", "has 4 words")]
#[case("word(2..9)", "has 4 words")]
#[case("token(6)", "no token 6: the text has 6")]
#[case("token(5..8)", "no token 7: the text has 6")]
#[case("word(-5)", "has 4 words")]
#[case("token(-7)", "has 6 tokens")]
#[case(
    "entity(2)",
    "`entity(2)` in the text: the text has 2 entities, counted from 0"
)]
#[case("entity(-3)", "has 2 entities")]
fn a_place_that_is_not_there_is_refused(#[case] place: &str, #[case] expected: &str) {
    let place = Place::parse(place).unwrap();
    let error = place.tokens(&text(), 0, entities).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[rstest]
#[case(0, "the text has no entity")]
#[case(1, "the text has 1 entity, counted from 0")]
fn few_entities_are_counted_in_words(#[case] count: usize, #[case] expected: &str) {
    let found = || Ok(vec![vec![1]; count]);
    let place = Place::Entities(Count::Range(4..5));
    let error = place.tokens(&text(), 0, found).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}
