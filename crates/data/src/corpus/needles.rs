//! A corpus for language models that needs no file: facts among other sentences, and questions about them.

use std::ops::Range;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Corpus, Example};

/// A text with facts, a question about one of them, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The facts among other sentences, and the question.
    pub prompt: String,
    /// The answer, with the space before it.
    pub answer: String,
    /// Where the fact stands that the answer rests on, in characters of the prompt.
    pub fact: Range<usize>,
    /// More questions about the other facts, with their answers: what is learned from besides.
    pub more: String,
}

/// How many facts a text has, and how many other sentences.
const FACTS: usize = 4;
const OTHERS: usize = 3;

const NAMES: [&str; 12] = [
    "anna", "bruno", "clara", "david", "emma", "felix", "greta", "henry", "ida", "jonas", "lena",
    "marta",
];
/// No two facts of a text share one.
const WORDS: [&str; 64] = [
    "amber", "apple", "arrow", "basil", "beach", "bell", "bird", "blue", "boat", "bone", "book",
    "brick", "cake", "candle", "chalk", "cloud", "coal", "coin", "copper", "cork", "corn", "crown",
    "dark", "drum", "dust", "east", "fern", "fig", "fire", "flag", "flute", "glass", "glove",
    "goat", "gold", "grape", "hat", "hill", "honey", "iron", "ivory", "jade", "lamp", "leaf",
    "lemon", "lime", "mint", "moon", "moss", "nail", "north", "oak", "olive", "pale", "pearl",
    "pine", "plum", "rope", "rose", "salt", "silk", "snow", "stone", "wolf",
];
const SENTENCES: [&str; 8] = [
    "the rain fell all night .",
    "a train left in the morning .",
    "nobody saw the cat .",
    "the market opens soon .",
    "some birds sat on the wall .",
    "the river was cold .",
    "a letter lay on the table .",
    "the children ran along the road .",
];

/// Writes `count` texts. The same `seed` gives the same texts on every machine.
pub fn needles(count: usize, seed: u64) -> Vec<Needle> {
    let whole = |index| write(index, seed, FACTS, OTHERS);
    (0..count).map(whole).collect()
}

/// The texts with all their questions and answers as a corpus to learn from, without the last `held_out`. What is
/// learned is the answers: nothing tells the facts beforehand. Texts to train on have from one fact to four, and from no
/// other sentence to three, because looking up is learned from short texts first. The labels are not learned.
pub fn needles_corpus(count: usize, held_out: usize, seed: u64) -> Corpus {
    let tested = count.saturating_sub(held_out);
    let trained = tested - (tested / 10).min(held_out);
    let example = |index: usize| {
        let [facts, others] = match index < trained {
            true => [1 + index % FACTS, index / FACTS % (OTHERS + 1)],
            false => [FACTS, OTHERS],
        };
        let needle = write(index, seed, facts, others);
        let text = format!("{}{}{}", needle.prompt, needle.answer, needle.more);
        Example {
            label: index % 2,
            evidence: vec![needle.fact],
            learned: answers(&text),
            text,
        }
    };
    let mut train: Vec<Example> = (0..count).map(example).collect();
    let test = train.split_off(tested);
    let dev = train.split_off(trained);
    Corpus {
        labels: vec!["even".to_owned(), "odd".to_owned()],
        train,
        dev,
        test,
    }
}

/// Where the answers stand, in characters: each after a question, up to its full stop. The texts are ASCII.
fn answers(text: &str) -> Vec<Range<usize>> {
    let answer = |(question, _)| {
        let stop = text[question..].find('.');
        question + 1..stop.map_or(text.len(), |stop| question + stop + 1)
    };
    text.match_indices('?').map(answer).collect()
}

/// Writes text `index` of those of a seed, with so many facts and other sentences.
fn write(index: usize, seed: u64, count: usize, others: usize) -> Needle {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(index as u64);
    let random = &mut random;
    let names: Vec<&str> = NAMES.sample(random, count).copied().collect();
    let words: Vec<&str> = WORDS.sample(random, 3 * count).copied().collect();
    let facts = names.iter().zip(words.chunks(3));
    let facts: Vec<String> = facts
        .map(|(name, words)| format!("give {name} {} .", words.join(" ")))
        .collect();
    let mut sentences: Vec<String> = facts.clone();
    sentences.extend(SENTENCES.sample(random, others).map(|&one| one.to_owned()));
    sentences.shuffle(random);
    let first = random.random_range(0..count);
    let at = sentences
        .iter()
        .position(|sentence| *sentence == facts[first]);
    let before = &sentences[..at.unwrap_or_default()];
    let start: usize = before
        .iter()
        .map(|sentence| sentence.chars().count() + 1)
        .sum();
    let question = |fact: usize| format!("what is for {} ?", names[fact]);
    let others = (0..count).filter(|fact| *fact != first);
    let more = others.map(|fact| format!(" {} {}", question(fact), facts[fact]));
    Needle {
        prompt: format!("{} {}", sentences.join(" "), question(first)),
        answer: format!(" {}", facts[first]),
        // Without its full stop.
        fact: start..start + facts[first].chars().count() - 2,
        more: more.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_fact_that_is_asked_for_and_stands_once() {
        for needle in needles(500, 3) {
            let fact: Vec<char> = needle.prompt.chars().collect();
            let fact: String = fact[needle.fact.clone()].iter().collect();
            assert_eq!(needle.answer, format!(" {fact} ."));
            assert_eq!(needle.prompt.matches(&fact).count(), 1);
            let name = fact.split(' ').nth(1).unwrap();
            assert!(needle.prompt.ends_with(&format!("what is for {name} ?")));
            assert_eq!(needle.prompt.matches("give ").count(), FACTS);
            assert!(!needle.more.contains(&format!("what is for {name} ?")));
            assert_eq!(needle.more.matches('?').count(), FACTS - 1);
        }
    }

    #[test]
    fn a_corpus_leaves_out_what_is_held_out() {
        let corpus = needles_corpus(200, 20, 0);
        let sizes = [&corpus.train, &corpus.dev, &corpus.test].map(Vec::len);
        assert_eq!(sizes, [162, 18, 20]);
        assert!(corpus.train.iter().any(|one| one.text.len() < 80));
        assert!(corpus.dev.iter().all(|one| one.text.len() > 250));
        for example in corpus.train.iter().chain(&corpus.test) {
            let learned = example
                .learned
                .iter()
                .map(|range| &example.text[range.clone()]);
            let mut learned: Vec<&str> = learned.collect();
            assert_eq!(learned.len(), example.text.matches('?').count());
            // Each repeats a fact, and every fact is asked for.
            let (facts, _) = example.text.split_once(" what is for").unwrap();
            assert!(
                learned
                    .iter()
                    .all(|one| one.starts_with(" give ") && one.ends_with(" ."))
            );
            assert!(learned.iter().all(|one| format!(" {facts}").contains(one)));
            learned.sort_unstable();
            learned.dedup();
            assert_eq!(learned.len(), facts.matches("give ").count());
        }
        let held_out = &needles(200, 0)[180..];
        for (example, needle) in corpus.test.iter().zip(held_out) {
            assert!(example.text.starts_with(&needle.prompt));
            assert_eq!(
                example.evidence.as_slice(),
                std::slice::from_ref(&needle.fact)
            );
        }
    }
}
