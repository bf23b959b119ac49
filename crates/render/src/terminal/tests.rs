//! Tests of heat maps in a terminal.

use relprop_explain::Score;
use relprop_transformer::TextEnd;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::fixtures::{self, by_method, explanation, next_token};

fn film() -> Explanation {
    let words = [
        ("a", 0.02),
        ("warm", 1.2),
        (",", 0.0),
        ("funny", 0.9),
        ("film", -0.4),
    ];
    explanation("a warm, funny film .", &words)
}

/// Texts that are hard to lay out.
fn hard() -> Vec<Explanation> {
    let long = "x".repeat(90);
    let mut hostile = explanation("\x1b[31mred\u{202e} \r\n\x07bell", &[("red", 1.0)]);
    hostile.prediction = format!("\x1b[2J{long}");
    let mut dropped = explanation("one two three four", &[("one", 1.0), ("two", -1.0)]);
    dropped.dropped_tokens = 2;
    vec![
        film(),
        explanation("", &[]),
        explanation(
            "映画はとても良かった👍🏽 e\u{301}te\u{301}",
            &[
                ("映画", 0.8),
                ("は", 0.01),
                ("とても", 0.3),
                ("良かった", 1.9),
                ("👍🏽", 0.7),
                ("e\u{301}te\u{301}", -0.1),
            ],
        ),
        explanation(&long, &[(&long, 2.0)]),
        explanation("a b", &[("a", f32::NAN), ("b", f32::NEG_INFINITY)]),
        explanation(
            "a b c d e f g h i j k",
            &[("a", 1e-9), ("d", 3e8), ("e", -3e8), ("f", 1.0)],
        ),
        hostile,
        dropped,
    ]
}

/// The text without its escape codes.
fn stripped(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

#[test]
fn without_color_signs_tell_the_strength() {
    insta::assert_snapshot!(ansi(&film(), 30, false), @"
    positive (98.2 %)
    target positive = +2.10
    method lrp, rules ah-ln, read
    at blocks

    a     warm  ,     funny film .
    +0.02 +1.20 0.00  +0.90 -0.40
          +++++       ++++  --

    words +1.72
    special tokens 0.00
    total +1.72
    tokens hold +1.72 of +2.10
    (82 %); the rest sits in
    biases and in operations whose
    rule does not conserve
    +++ for the target
    --- against it
    ");
}

#[test]
fn a_picture_is_a_map_of_its_patches() {
    insta::assert_snapshot!(ansi(&fixtures::picture(), 60, false), @"
    positive (98.2 %)   target positive = +2.10
    method lrp, rules ah-ln, read at blocks

    boat.png

     +5 -3
      .  .

    strongest: row 0 column 0 +2.00, row 0 column 1 -1.00, row 1
    column 0 0.00, row 1 column 1 0.00
    patches +1.00   special tokens 0.00   total +1.00
    tokens hold +1.00 of +2.10 (48 %); the rest sits in biases
    and in operations whose rule does not conserve
    +1 to +5: for the target   -1 to -5: against it
    ");
    let colored = ansi(&fixtures::picture(), 60, true);
    assert!(
        colored.contains("\x1b[38;5;231m\x1b[48;5;25m  \x1b[0m"),
        "{colored:?}"
    );
    assert!(ansi(&fixtures::picture(), 24, false).contains("\n +5 -3\n"));
}

#[test]
fn color_adds_escape_codes_and_nothing_else() {
    let colored = ansi(&film(), 60, true);
    assert!(
        colored.contains("\x1b[38;5;231m\x1b[48;5;25mwarm\x1b[0m"),
        "{colored:?}"
    );
    assert!(colored.contains("\x1b[48;5;217mfilm\x1b[0m"), "{colored:?}");
    insta::assert_snapshot!(stripped(&colored), @"
    positive (98.2 %)   target positive = +2.10
    method lrp, rules ah-ln, read at blocks

    a     warm  ,     funny film .
    +0.02 +1.20 0.00  +0.90 -0.40

    words +1.72   special tokens 0.00   total +1.72
    tokens hold +1.72 of +2.10 (82 %); the rest sits in biases
    and in operations whose rule does not conserve
    blue: for the target   red: against it
    ");
}

#[test]
fn no_escape_codes_without_color() {
    for explanation in hard() {
        let text = ansi(&explanation, 40, false);
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()),
            "{text:?}"
        );
    }
}

#[test]
fn every_line_fits_the_width() {
    for explanation in hard() {
        for (width, color) in [
            (0, false),
            (24, true),
            (33, false),
            (80, true),
            (500, false),
        ] {
            for line in stripped(&ansi(&explanation, width, color)).lines() {
                assert!(line.width() <= width.max(NARROWEST), "{width}: {line:?}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }
}

#[test]
fn numbers_start_in_the_column_of_their_word() {
    let text = ansi(&hard()[2], 80, false);
    let (words, numbers) = (text.lines().nth(3).unwrap(), text.lines().nth(4).unwrap());
    for (word, number) in [
        ("映画", "+0.80"),
        ("とても", "+0.30"),
        ("👍🏽", "+0.70"),
        ("e\u{301}", "-0.10"),
    ] {
        let column = words[..words.find(word).unwrap()].width();
        assert_eq!(
            numbers.find(number),
            Some(column),
            "{word}\n{words}\n{numbers}"
        );
    }
}

#[test]
fn nothing_of_the_text_is_lost() {
    let text = ansi(&hard()[7], 60, false);
    assert!(text.contains("one   two three four\n"), "{text}");
    assert!(
        text.contains("2 tokens were dropped from the end"),
        "{text}"
    );
}

#[test]
fn a_method_without_rules_names_none() {
    insta::assert_snapshot!(ansi(&by_method("gae"), 80, false), @"
    positive (98.2 %)   target positive = +2.10
    method gae

    a     warm  film
    +0.10 +0.60 +0.30
    +     +++++ +++

    words +1.00   special tokens 0.00   total +1.00
    tokens hold +1.00 together; the target is +2.10, and the method need not make
    the two equal
    +++ for the target   --- against it
    ");
}

#[test]
fn a_contrast_is_the_difference_of_two_labels() {
    let mut sample = film();
    sample.target.label = "positive-negative".into();
    sample.target.value = 4.0;
    insta::assert_snapshot!(ansi(&sample, 80, false), @"
    positive (98.2 %)   target positive-negative = +4.00
    method lrp, rules ah-ln, read at blocks

    a     warm  ,     funny film .
    +0.02 +1.20 0.00  +0.90 -0.40
          +++++       ++++  --

    words +1.72   special tokens 0.00   total +1.72
    tokens hold +1.72 of +4.00 (43 %); the rest sits in biases and in operations
    whose rule does not conserve
    +++ for the target   --- against it
    ");
}

#[test]
fn a_language_model_answers_with_a_token_in_quotes() {
    insta::assert_snapshot!(ansi(&next_token(), 80, false), @"
    \" are\" (62.5 %)   target \" are\" = +2.10
    method lrp, rules ah-ln, read at blocks

    the   keys
    -0.25 +1.50
    -     +++++

    words +1.25   special tokens 0.00   total +1.25
    tokens hold +1.25 of +2.10 (60 %); the rest sits in biases and in operations
    whose rule does not conserve
    +++ for the target   --- against it
    ");
}

#[test]
fn a_log_probability_is_named() {
    let mut sample = film();
    sample.target.score = Score::LogProbability;
    sample.target.value = -2.0;
    insta::assert_snapshot!(ansi(&sample, 80, false), @"
    positive (98.2 %)   target log p of positive = -2.00
    method lrp, rules ah-ln, read at blocks

    a     warm  ,     funny film .
    +0.02 +1.20 0.00  +0.90 -0.40
          +++++       ++++  --

    words +1.72   special tokens 0.00   total +1.72
    tokens hold +1.72 of -2.00 (-86 %); the difference sits in biases and in
    operations whose rule does not conserve; a log-probability is no sum of logits,
    so some sits in the softmax
    +++ for the target   --- against it
    ");
}

#[test]
fn a_cut_text_says_how_much_is_missing_and_at_which_end() {
    let mut sample = film();
    sample.dropped_tokens = 3;
    insta::assert_snapshot!(ansi(&sample, 80, false), @"
    positive (98.2 %)   target positive = +2.10
    method lrp, rules ah-ln, read at blocks

    a     warm  ,     funny film .
    +0.02 +1.20 0.00  +0.90 -0.40
          +++++       ++++  --

    words +1.72   special tokens 0.00   total +1.72
    tokens hold +1.72 of +2.10 (82 %); the rest sits in biases and in operations
    whose rule does not conserve
    3 tokens were dropped from the end of the text, because the model has no
    position for more
    +++ for the target   --- against it
    ");
    let mut sample = next_token();
    sample.dropped_tokens = 1;
    sample.dropped_from = Some(TextEnd::Start);
    let text = ansi(&sample, 80, false);
    assert!(
        text.contains("1 token was dropped from the start of the text"),
        "{text}"
    );
}

#[test]
fn zero_relevance_everywhere_is_shown_too() {
    let text = ansi(&explanation("a b", &[("a", 0.0), ("b", 0.0)]), 80, true);
    assert!(
        text.contains("words 0.00   special tokens 0.00   total 0.00"),
        "{text}"
    );
    assert!(!text.contains("NaN"), "{text}");
}
