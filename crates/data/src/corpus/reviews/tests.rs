use std::collections::{HashMap, HashSet};

use rstest::rstest;

use super::lexicon::{ADJECTIVES, DEGREES, INTENSIFIERS, QUALITIES, THINGS, VERBS};
use super::*;

/// Reviews with their shapes, labels in turn.
fn drawn(count: usize, seed: u64) -> Vec<(Shape, Example)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|index| draw(&mut random, index % 2))
        .collect()
}

fn all(corpus: &Corpus) -> impl Iterator<Item = &Example> {
    corpus.train.iter().chain(&corpus.dev).chain(&corpus.test)
}

fn slices(example: &Example) -> Vec<String> {
    let slice = |range: &std::ops::Range<usize>| {
        example
            .text
            .chars()
            .skip(range.start)
            .take(range.len())
            .collect()
    };
    example.evidence.iter().map(slice).collect()
}

/// What each word with sentiment says. Panics if a word is in two lists with two meanings.
fn sentiments() -> HashMap<&'static str, usize> {
    let mut sentiments = HashMap::new();
    for label in [0, 1] {
        let adjectives = ADJECTIVES[label].iter().map(|adjective| adjective.word);
        let verbs = VERBS[label].iter().flat_map(|verb| [verb.third, verb.base]);
        let nouns = THINGS[label].iter().chain(QUALITIES[label]).copied();
        for word in adjectives.chain(verbs).chain(nouns) {
            assert_eq!(*sentiments.entry(word).or_insert(label), label, "{word}");
        }
    }
    sentiments
}

const NEGATORS: [&str; 14] = [
    "not", "never", "hardly", "barely", "no", "far", "without", "fails", "fail", "lacks",
    "refuses", "refuse", "avoids", "avoid",
];

const CONTRASTS: [&str; 8] = [
    "but", "yet", "however", "although", "though", "while", "despite", "for",
];

/// The rest of "not at all", "far from" and "for all". Only "lack" is both: it follows a plural.
const PARTICLES: [&str; 5] = ["at", "all", "from", "lack", "in"];

#[test]
fn the_evidence_is_whole_words_and_they_give_the_label() {
    let sentiments = sentiments();
    for (shape, example) in drawn(20_000, 1) {
        let mut after = 0;
        for range in &example.evidence {
            assert!(
                range.start >= after && range.end > range.start,
                "{example:?}"
            );
            after = range.end + 1;
        }
        let spaced = format!(" {} ", example.text);
        let mut negating = false;
        let mut said = 0;
        let mut contrasts = 0;
        for (range, word) in example.evidence.iter().zip(slices(&example)) {
            let with_spaces: String = spaced
                .chars()
                .skip(range.start)
                .take(range.len() + 2)
                .collect();
            assert_eq!(with_spaces, format!(" {word} "));
            let word = word.as_str();
            if let Some(sentiment) = sentiments.get(word) {
                let speaks_for = if negating { 1 - sentiment } else { *sentiment };
                assert_eq!(speaks_for, example.label, "{word} in {example:?}");
                negating = false;
                said += 1;
            } else if NEGATORS.contains(&word) || word == "lack" {
                negating = true;
            } else if CONTRASTS.contains(&word) {
                contrasts += 1;
            } else {
                let known = INTENSIFIERS.contains(&word) || DEGREES.contains(&word);
                assert!(known || PARTICLES.contains(&word), "{word} in {example:?}");
            }
        }
        assert!(said > 0 && !negating, "{example:?}");
        assert_eq!(
            contrasts,
            usize::from(shape == Shape::Contrasted),
            "{example:?}"
        );
    }
}

#[rstest]
#[case("is truly elegant", &["truly", "elegant"])]
#[case("is not dull at all", &["not", "dull", "at", "all"])]
#[case("is far from dull", &["far", "from", "dull"])]
#[case("fails to delight", &["fails", "delight"])]
#[case("without a single dull", &["without", "dull"])]
#[case("is a tedious mess", &["tedious", "mess"])]
#[case("is dull at first but", &["but"])]
#[case("is never dull but", &["but"])]
#[case("despite the dull", &["despite"])]
#[case("for all its charm", &["for", "all"])]
fn the_evidence_is_as_documented(#[case] part: &str, #[case] words: &[&str]) {
    let drawn = drawn(100_000, 2);
    let contrast = CONTRASTS.contains(&words[0]);
    let (_, example) = drawn
        .iter()
        .find(|(shape, example)| {
            (*shape == Shape::Contrasted) == contrast && example.text.contains(part)
        })
        .unwrap_or_else(|| panic!("no review has {part:?}"));
    let evidence = slices(example);
    let place = evidence
        .windows(words.len())
        .position(|window| window == words);
    assert!(place.is_some(), "{example:?}");
    // What is conceded stands first here, and is none.
    assert!(!contrast || place == Some(0), "{example:?}");
}

#[test]
fn a_text_has_one_label_and_one_evidence() {
    let mut seen: HashMap<String, Example> = HashMap::new();
    for (_, example) in drawn(50_000, 3) {
        let before = seen
            .entry(example.text.clone())
            .or_insert_with(|| example.clone());
        assert_eq!(*before, example);
    }
}

#[test]
fn reviews_are_clean_short_english() {
    for (_, example) in drawn(20_000, 4) {
        let words: Vec<&str> = example.text.split(' ').collect();
        assert!((4..=25).contains(&words.len()), "{}", example.text);
        for pair in words.windows(2) {
            assert!(
                !pair[0].is_empty() && pair[0] != pair[1],
                "{}",
                example.text
            );
            let vowel = pair[1].starts_with(['a', 'e', 'i', 'o', 'u']) || pair[1] == "honest";
            assert_ne!(pair[0], if vowel { "a" } else { "an" }, "{}", example.text);
        }
        let lower = |c: char| c.is_ascii_lowercase() || matches!(c, ' ' | ',' | '.');
        assert!(example.text.chars().all(lower), "{}", example.text);
    }
}

#[test]
fn shapes_come_in_their_shares() {
    let drawn = drawn(10_000, 5);
    for (shape, share) in [
        (Shape::Plain, 0.5),
        (Shape::Negated, 0.25),
        (Shape::Contrasted, 0.25),
    ] {
        for label in [0, 1] {
            let has = |(s, example): &&(Shape, Example)| *s == shape && example.label == label;
            let measured = drawn.iter().filter(has).count() as f64 / 5_000.0;
            assert!(
                (measured - share).abs() < 0.03,
                "{shape:?} {label}: {measured}"
            );
        }
    }
}

#[test]
fn what_is_no_evidence_is_as_likely_in_both_labels() {
    let sentiments = sentiments();
    let mut counts: HashMap<String, [f64; 2]> = HashMap::new();
    for (_, example) in drawn(40_000, 6) {
        for word in example.text.split(' ').collect::<HashSet<_>>() {
            counts.entry(word.to_owned()).or_default()[example.label] += 1.0;
        }
    }
    let one_sided = [
        "an", "fails", "fail", "refuses", "refuse", "lacks", "lack", "avoids", "avoid",
    ];
    for (word, [negative, positive]) in counts {
        let word = word.as_str();
        if sentiments.contains_key(word) || one_sided.contains(&word) {
            continue;
        }
        // Five standard deviations of a fair coin.
        let all = negative + positive;
        assert!(
            (negative - positive).abs() < 5.0 * all.sqrt(),
            "{word}: {negative} {positive}"
        );
    }
}

#[test]
fn held_out_texts_are_new_and_balanced() {
    let corpus = reviews(6_000, 0);
    assert_eq!(corpus.labels, ["negative", "positive"]);
    for (part, rows) in [
        (&corpus.train, 4_800),
        (&corpus.dev, 600),
        (&corpus.test, 600),
    ] {
        assert_eq!(part.len(), rows);
        assert_eq!(
            part.iter().filter(|example| example.label == 1).count(),
            rows / 2
        );
    }
    let texts: HashSet<&str> = all(&corpus).map(|example| example.text.as_str()).collect();
    assert_eq!(texts.len(), 6_000);
}

#[rstest]
#[case(0, [0, 0, 0])]
#[case(1, [1, 0, 0])]
#[case(9, [7, 1, 1])]
#[case(10, [6, 2, 2])]
#[case(101, [81, 10, 10])]
fn every_count_is_met(#[case] count: usize, #[case] parts: [usize; 3]) {
    let corpus = reviews(count, 0);
    assert_eq!(
        [&corpus.train, &corpus.dev, &corpus.test].map(Vec::len),
        parts
    );
}

#[test]
fn the_seed_decides() {
    assert_eq!(reviews(300, 5), reviews(300, 5));
    let [five, six] = [5, 6].map(|seed| reviews(300, seed));
    let five: HashSet<&str> = all(&five).map(|example| example.text.as_str()).collect();
    let common = all(&six)
        .filter(|example| five.contains(example.text.as_str()))
        .count();
    assert!(common < 30, "{common}");
}

/// A new version of the random numbers, or of the grammar, moves every number in the docs.
#[test]
fn seed_zero_is_written_down() {
    let corpus = reviews(100, 0);
    let example = &corpus.train[0];
    assert_eq!(
        (example.text.as_str(), example.label),
        ("the film starts out exciting but ends up so bland .", 0)
    );
}

/// Naive Bayes over the words, with one added to each count.
#[test]
fn counting_words_is_not_enough() {
    let corpus = reviews(6_000, 0);
    let mut counts: HashMap<&str, [f64; 2]> = HashMap::new();
    let mut totals = [0.0; 2];
    for example in &corpus.train {
        for word in example.text.split(' ') {
            counts.entry(word).or_default()[example.label] += 1.0;
            totals[example.label] += 1.0;
        }
    }
    let score = |text: &str, label: usize| -> f64 {
        let count = |word| counts.get(word).map_or(0.0, |count| count[label]);
        let words = counts.len() as f64;
        text.split(' ')
            .map(|word| ((count(word) + 1.0) / (totals[label] + words)).ln())
            .sum()
    };
    let right = corpus.test.iter().filter(|example| {
        let positive = score(&example.text, 1) > score(&example.text, 0);
        usize::from(positive) == example.label
    });
    let accuracy = right.count() as f64 / corpus.test.len() as f64;
    println!("naive Bayes: {accuracy:.3} of the held-out reviews");
    assert!((0.6..0.85).contains(&accuracy), "{accuracy}");
    assert!(
        (250..=400).contains(&counts.len()),
        "{} words",
        counts.len()
    );
}

#[test]
fn the_grammar_does_not_run_dry() {
    let distinct: HashSet<String> = drawn(100_000, 8)
        .into_iter()
        .map(|(_, example)| example.text)
        .collect();
    println!("{} distinct reviews among 100000", distinct.len());
    assert!(distinct.len() > 80_000, "{}", distinct.len());
}
