//! A corpus for language models that needs no file: sentences in which the number of the subject
//! decides the number of the verb, and other nouns stand between them.

use std::collections::HashSet;
use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Corpus, Example};

/// A sentence whose verb agrees with one of its nouns: "the keys to the cabinet are old ."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The sentence, with spaces between its words and marks.
    pub text: String,
    /// Where the verb stands, in characters.
    pub verb: Range<usize>,
    /// The verb in the other number: `is` for `are`.
    pub other: &'static str,
    /// Where the noun stands that decides the number of the verb.
    pub subject: Range<usize>,
    /// How many other nouns stand before the verb.
    pub attractors: usize,
}

const NOUNS: [[&str; 2]; 16] = [
    ["key", "keys"],
    ["cabinet", "cabinets"],
    ["author", "authors"],
    ["picture", "pictures"],
    ["farmer", "farmers"],
    ["teacher", "teachers"],
    ["car", "cars"],
    ["window", "windows"],
    ["book", "books"],
    ["garden", "gardens"],
    ["doctor", "doctors"],
    ["river", "rivers"],
    ["house", "houses"],
    ["letter", "letters"],
    ["horse", "horses"],
    ["bridge", "bridges"],
];
/// Verbs before an adjective, the singular first.
const VERBS: [[&str; 2]; 4] = [
    ["is", "are"],
    ["was", "were"],
    ["seems", "seem"],
    ["looks", "look"],
];
const ADJECTIVES: [&str; 8] = [
    "old", "new", "small", "large", "famous", "plain", "strange", "heavy",
];
const PREPOSITIONS: [&str; 5] = ["near", "behind", "beside", "of", "with"];
const OPENINGS: [&str; 3] = ["today", "in the end", "as we know"];
const CLAUSE_VERBS: [[&str; 2]; 3] = [["sees", "see"], ["likes", "like"], ["needs", "need"]];

/// Writes `count` sentences, no two the same: a quarter each with nothing between subject and verb, one
/// noun, two nouns, and a clause. The same `count` and `seed` give the same sentences on every machine.
///
/// Every other noun stands in either number, whatever the number of the verb, so only the subject
/// decides it.
///
/// # Panics
///
/// If there are not `count` different sentences: there are more than a million.
pub fn agreement(count: usize, seed: u64) -> Vec<Agreement> {
    assert!(
        count <= 1_000_000,
        "there are not {count} different sentences"
    );
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = HashSet::new();
    let mut sentences = Vec::with_capacity(count);
    while sentences.len() < count {
        let sentence = write(&mut random);
        if seen.insert(sentence.text.clone()) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// The sentences as a corpus whose labels are the numbers of the verb: a tenth to watch the training
/// with, a tenth to measure on.
pub fn agreement_corpus(count: usize, seed: u64) -> Corpus {
    let example = |sentence: Agreement| {
        let verb: String = characters(&sentence.text, &sentence.verb);
        Example {
            label: usize::from(VERBS.iter().any(|[_, plural]| *plural == verb)),
            evidence: vec![sentence.subject.clone()],
            learned: Vec::new(),
            text: sentence.text,
        }
    };
    let mut train: Vec<Example> = agreement(count, seed).into_iter().map(example).collect();
    let tenth = count / 10;
    let test = train.split_off(train.len() - tenth);
    let dev = train.split_off(train.len() - tenth);
    Corpus {
        labels: vec!["singular".to_owned(), "plural".to_owned()],
        train,
        dev,
        test,
    }
}

fn characters(text: &str, range: &Range<usize>) -> String {
    text.chars().skip(range.start).take(range.len()).collect()
}

fn write(random: &mut ChaCha8Rng) -> Agreement {
    let mut words: Vec<&'static str> = Vec::new();
    if random.random_range(0..3_u32) == 0 {
        words.extend(pick(random, &OPENINGS).split(' '));
        words.push(",");
    }
    let number = random.random_range(0..2_usize);
    let subject = noun(random, &mut words, number);
    let nouns = match random.random_range(0..4_u32) {
        0 => 0,
        kind @ (1 | 2) => {
            for _ in 0..kind {
                words.push(pick(random, &PREPOSITIONS));
                let number = random.random_range(0..2_usize);
                noun(random, &mut words, number);
            }
            kind as usize
        }
        _ => {
            words.push("that");
            let number = random.random_range(0..2_usize);
            noun(random, &mut words, number);
            words.push(pick(random, &CLAUSE_VERBS)[number]);
            1
        }
    };
    let forms = pick(random, &VERBS);
    let verb = words.len();
    words.extend([forms[number], pick(random, &ADJECTIVES), "."]);
    let place = |word: usize| {
        let start: usize = words[..word].iter().map(|word| word.len() + 1).sum();
        start..start + words[word].len()
    };
    Agreement {
        verb: place(verb),
        other: forms[1 - number],
        subject: place(subject),
        attractors: nouns,
        text: words.join(" "),
    }
}

/// Writes "the key", at times "the old key", and says which word the noun is.
fn noun(random: &mut ChaCha8Rng, words: &mut Vec<&'static str>, number: usize) -> usize {
    words.push("the");
    if random.random_range(0..4_u32) == 0 {
        words.push(pick(random, &ADJECTIVES));
    }
    words.push(pick(random, &NOUNS)[number]);
    words.len() - 1
}

fn pick<T: Copy>(random: &mut ChaCha8Rng, list: &[T]) -> T {
    list[random.random_range(0..list.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_decides_the_verb_and_nothing_else_does() {
        let sentences = agreement(2000, 0);
        let mut last_noun_agrees = 0;
        let mut with_attractor = 0;
        for sentence in &sentences {
            let verb = characters(&sentence.text, &sentence.verb);
            let subject = characters(&sentence.text, &sentence.subject);
            let forms = VERBS.iter().find(|forms| forms.contains(&verb.as_str()));
            let plural = forms.unwrap()[1] == verb;
            assert_eq!(forms.unwrap()[usize::from(!plural)], sentence.other);
            let is = |noun: &str, number: usize| NOUNS.iter().any(|forms| forms[number] == noun);
            assert!(is(&subject, usize::from(plural)), "{}", sentence.text);
            assert!(sentence.subject.end < sentence.verb.start);
            if sentence.attractors > 0 {
                with_attractor += 1;
                let before: String = sentence.text.chars().take(sentence.verb.start).collect();
                let nouns = before.split(' ').filter(|word| is(word, 0) || is(word, 1));
                let nouns: Vec<&str> = nouns.collect();
                assert_eq!(nouns.len(), 1 + sentence.attractors, "{}", sentence.text);
                last_noun_agrees += usize::from(is(nouns[nouns.len() - 1], usize::from(plural)));
            }
        }
        let share = f64::from(last_noun_agrees as u32) / f64::from(with_attractor as u32);
        assert!((share - 0.5).abs() < 0.05, "{share}");
    }

    #[test]
    fn sentences_are_different_and_the_same_for_a_seed() {
        let sentences = agreement(500, 7);
        assert_eq!(sentences, agreement(500, 7));
        let texts: HashSet<_> = sentences.iter().map(|s| &s.text).collect();
        assert_eq!(texts.len(), 500);
        assert_ne!(sentences, agreement(500, 8));
    }

    #[test]
    fn as_a_corpus_the_label_is_the_number_and_the_subject_the_evidence() {
        let corpus = agreement_corpus(100, 0);
        let sizes = [&corpus.train, &corpus.dev, &corpus.test].map(Vec::len);
        assert_eq!(sizes, [80, 10, 10]);
        for example in corpus.train.iter().chain(&corpus.dev).chain(&corpus.test) {
            let noun = characters(&example.text, &example.evidence[0]);
            assert!(NOUNS.iter().any(|forms| forms[example.label] == noun));
        }
    }
}
