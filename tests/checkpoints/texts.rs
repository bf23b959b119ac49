//! Texts as people write them: empty, long, in any script, of words that the model never saw.

use relprop_checkpoints::{Model, Truncation};
use relprop_explain::Explanation;
use relprop_testing::{Architecture, Asked, difference, explainer, model, relevance, tokenizer};
use rstest::rstest;

fn bert() -> Model {
    model(&Architecture::PostNorm.config())
}

fn slice(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end - start).collect()
}

fn tokens(explanation: &Explanation) -> Vec<&str> {
    explanation
        .tokens
        .iter()
        .map(|token| token.text.as_str())
        .collect()
}

#[rstest]
#[case::nothing("")]
#[case::spaces("   ")]
#[case::white_space(" \t\r\n\u{3000} ")]
#[case::controls("\u{0}\u{7}\u{200b}")]
fn a_text_of_nothing_is_refused(#[case] text: &str) {
    let message = explainer(&bert(), "ah-ln")
        .explain(text)
        .unwrap_err()
        .to_string();
    assert_eq!(message, "the text is empty: there is nothing to explain");
}

/// The model has 64 positions, of which `[CLS]` and `[SEP]` take two.
#[rstest]
#[case(61, 0)]
#[case(62, 0)]
#[case(63, 1)]
#[case(500, 438)]
fn a_long_text_is_cut_at_the_end_and_says_by_how_much(
    #[case] words: usize,
    #[case] dropped: usize,
) {
    let model = bert();
    let text = vec!["film"; words].join(" ");
    let explanation = explainer(&model, "ah-ln").explain(&text).unwrap();
    assert_eq!(explanation.dropped_tokens, dropped);
    assert_eq!(explanation.tokens.len(), words - dropped + 2);
    let tokens = tokens(&explanation);
    assert_eq!((tokens[0], tokens[tokens.len() - 1]), ("[CLS]", "[SEP]"));
    assert!(
        tokens[1..tokens.len() - 1]
            .iter()
            .all(|token| *token == "film")
    );
    // Nothing but the text's beginning was explained.
    let beginning = vec!["film"; words - dropped].join(" ");
    let beginning = explainer(&model, "ah-ln").explain(&beginning).unwrap();
    assert_eq!(explanation.tokens, beginning.tokens);
}

#[test]
fn a_long_text_is_refused_if_it_must_not_be_cut() {
    let model = bert();
    let explainer = explainer(&model, "ah-ln").truncation(Truncation::Refuse);
    let text = |words| vec!["film"; words].join(" ");
    assert!(explainer.explain(&text(62)).is_ok());
    assert_eq!(
        explainer.explain(&text(63)).unwrap_err().to_string(),
        "the text has 65 tokens and the model reads at most 64; shorten it, or let it be cut"
    );
}

/// A model of two positions has none left for the text itself.
#[test]
fn a_text_is_refused_if_only_special_tokens_would_be_left() {
    let error = tokenizer()
        .encode("film", 2, Truncation::Cut)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the text has 3 tokens and the model reads at most 2"),
        "{error}"
    );
    assert_eq!(
        tokenizer()
            .encode("film film", 3, Truncation::Cut)
            .unwrap()
            .dropped,
        1
    );
}

/// These texts are as the normaliser leaves them: lower case, without accents.
#[rstest]
#[case::english("a warm , funny film")]
#[case::punctuation("a warm, funny film... (dull?)")]
#[case::japanese("素晴らしい映画、らしい")]
#[case::hebrew("סרט מצחיק מאוד")]
#[case::arabic("فيلم ممل جدا")]
#[case::both_directions("a סרט מצחיק film فيلم")]
#[case::emoji("😀 a 👍 film 🎬 👍🏽")]
#[case::mixed("映画 film 😀 מצחיק film")]
fn the_offsets_of_every_token_slice_its_text_by_characters(#[case] text: &str) {
    let explanation = explainer(&bert(), "ah-ln").explain(text).unwrap();
    let mut end = 0;
    let mut known = 0;
    for token in explanation.tokens.iter().filter(|token| !token.special) {
        assert!(end <= token.start && token.start < token.end, "{token:?}");
        end = token.end;
        if token.text != "[UNK]" {
            let piece = token.text.trim_start_matches("##");
            assert_eq!(slice(text, token.start, token.end), piece, "{token:?}");
            known += 1;
        }
    }
    assert!(end <= text.chars().count());
    assert!(
        known > 2,
        "too little of this text is known: {:?}",
        tokens(&explanation)
    );
}

/// The normaliser drops case and accents, and sets Chinese characters apart; words keep them.
#[rstest]
#[case("Ein SCHÖNER Film!", &["Ein", "SCHÖNER", "Film", "!"])]
#[case("  WARM\tFilm \n", &["WARM", "Film"])]
#[case("素晴らしい映画", &["素", "晴", "らしい", "映", "画"])]
#[case("だった", &["だった"])]
#[case("סרט, מצחיק", &["סרט", ",", "מצחיק"])]
#[case("😀film", &["😀film"])]
#[case("can't", &["can", "'", "t"])]
fn words_are_as_they_stand_in_the_text(#[case] text: &str, #[case] expected: &[&str]) {
    let explanation = explainer(&bert(), "ah-ln").explain(text).unwrap();
    let words: Vec<&str> = explanation
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(words, expected);
    for word in &explanation.words {
        assert_eq!(slice(text, word.start, word.end), word.text);
    }
}

#[rstest]
#[case("an unwatchable , unfunnyish filmography")]
#[case("Ein SCHÖNER Filmende!")]
#[case("素晴らしいい映画 film")]
fn a_words_relevance_is_the_sum_of_its_pieces(#[case] text: &str) {
    let explanation = explainer(&bert(), "ah-ln").explain(text).unwrap();
    let pieces = |start: usize, end: usize| {
        let inside = explanation
            .tokens
            .iter()
            .filter(move |token| !token.special && start <= token.start && token.end <= end);
        inside.map(|token| f64::from(token.relevance))
    };
    let found: Vec<f64> = explanation
        .words
        .iter()
        .map(|word| word.relevance.into())
        .collect();
    let expected: Vec<f64> = explanation
        .words
        .iter()
        .map(|word| pieces(word.start, word.end).sum())
        .collect();
    assert!(difference(&found, &expected) < 1e-6);
    // Some word has several pieces, and every piece belongs to a word.
    let counts: Vec<usize> = explanation
        .words
        .iter()
        .map(|word| pieces(word.start, word.end).count())
        .collect();
    assert!(
        counts.iter().any(|count| *count > 1),
        "{:?}",
        tokens(&explanation)
    );
    assert_eq!(counts.iter().sum::<usize>() + 2, explanation.tokens.len());
}

#[test]
fn special_tokens_stand_nowhere_and_belong_to_no_word() {
    let explanation = explainer(&bert(), "ah-ln").explain("a warm film").unwrap();
    let special: Vec<bool> = explanation
        .tokens
        .iter()
        .map(|token| token.special)
        .collect();
    assert_eq!(special, [true, false, false, false, true]);
    for token in explanation.tokens.iter().filter(|token| token.special) {
        assert_eq!(token.start, token.end);
    }
    assert_eq!(explanation.words.len(), 3);
    // They get relevance all the same, and the total counts it.
    let total: f64 = relevance(&explanation).iter().sum();
    assert!((total - f64::from(explanation.total())).abs() < 1e-5 * total.abs());
    assert!(explanation.tokens[0].relevance != 0.0);
}

#[test]
fn unknown_words_are_explained_at_their_place() {
    let text = "a щука film";
    let explanation = explainer(&bert(), "ah-ln").explain(text).unwrap();
    assert_eq!(
        tokens(&explanation),
        ["[CLS]", "a", "[UNK]", "film", "[SEP]"]
    );
    let unknown = &explanation.tokens[2];
    assert_eq!(slice(text, unknown.start, unknown.end), "щука");
    assert!(!unknown.special && unknown.relevance != 0.0);
    assert_eq!(explanation.words[1].text, "щука");
}

/// Padding is known by its place, not by its token.
#[rstest]
#[case("[PAD]")]
#[case("[SEP]")]
#[case("[CLS]")]
#[case("[UNK]")]
fn a_special_token_written_into_a_text_is_explained_as_part_of_it(#[case] written: &str) {
    let text = format!("a {written} film");
    let explanation = explainer(&bert(), "ah-ln").explain(&text).unwrap();
    assert_eq!(
        tokens(&explanation),
        ["[CLS]", "a", written, "film", "[SEP]"]
    );
    let token = &explanation.tokens[2];
    assert_eq!(slice(&text, token.start, token.end), written);
    assert!(!token.special && token.relevance != 0.0, "{token:?}");
    let words: Vec<&str> = explanation
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(words, ["a", written, "film"]);
}

#[test]
fn a_text_of_unknown_words_only_is_explained() {
    let explanation = explainer(&bert(), "ah-ln").explain("щука щука").unwrap();
    assert_eq!(tokens(&explanation), ["[CLS]", "[UNK]", "[UNK]", "[SEP]"]);
    assert_eq!(explanation.words.len(), 2);
}

#[test]
fn the_text_of_an_explanation_is_as_given() {
    let text = "  Ein SCHÖNER\tFilm!\n";
    assert_eq!(
        explainer(&bert(), "ah-ln").explain(text).unwrap().text,
        text
    );
}
