//! A corpus that needs no file: short film reviews from a small grammar, whose deciding words are
//! known.

mod lexicon;
mod templates;
mod writer;

use std::collections::HashSet;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::writer::{Shape, Writer};
use super::{Corpus, Example};

/// Writes `count` short film reviews, half of them negative (label 0) and half positive (1).
///
/// A tenth becomes [`Corpus::dev`], another tenth [`Corpus::test`], each with both labels equally
/// often (give or take one). No text comes twice, so what is held out is new to the model. The same
/// `count` and `seed` give the same corpus on every machine.
///
/// # What decides the label
///
/// About half of the reviews judge plainly ("the score is truly elegant ."), a quarter with a
/// negator ("not a bad film at all ."), and a quarter with a contrast whose last part decides
/// ("despite the clumsy script , it is a delight ."). Every word that is not evidence is as likely
/// in one label as in the other, and most words with sentiment occur in both, so counting words is
/// not enough.
///
/// # What the evidence is
///
/// * Each word with sentiment, such as "elegant", "drags" or "mess", in every part that decides.
/// * The intensifier right before it ("truly") and the words of the negator that turns it round
///   ("not at all", "far from", "fails", "without"). The "to" of "fails to" and the article between
///   a negator and its word are not evidence.
/// * In a contrast, the contrast word ("but", "yet", "however", "although", "though", "while",
///   "despite", "for all"), and otherwise only words in the part that decides. The words of the
///   conceded part are not evidence.
///
/// Two parts joined by "and" say the same, and both decide. Each word is a range of its own.
pub fn reviews(count: usize, seed: u64) -> Corpus {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = HashSet::new();
    let mut by_label = [Vec::new(), Vec::new()];
    for (label, examples) in by_label.iter_mut().enumerate() {
        let wanted = (count + 1 - label) / 2;
        while examples.len() < wanted {
            let (_, example) = draw(&mut random, label);
            if seen.insert(example.text.clone()) {
                examples.push(example);
            }
        }
    }

    let [mut train, mut dev, mut test] = [const { Vec::new() }; 3];
    for mut examples in by_label {
        // Rounded per label: both parts are balanced.
        let tenth = (examples.len() + 5) / 10;
        test.append(&mut examples.split_off(examples.len() - tenth));
        dev.append(&mut examples.split_off(examples.len() - tenth));
        train.append(&mut examples);
    }
    for part in [&mut train, &mut dev, &mut test] {
        part.shuffle(&mut random);
    }
    Corpus {
        labels: vec!["negative".into(), "positive".into()],
        train,
        dev,
        test,
    }
}

/// Writes one review, of a shape drawn by chance.
fn draw(random: &mut ChaCha8Rng, label: usize) -> (Shape, Example) {
    loop {
        let shape = match random.random_range(0..4_u32) {
            0 => Shape::Negated,
            1 => Shape::Contrasted,
            _ => Shape::Plain,
        };
        if let Some(example) = Writer::review(random, shape, label) {
            return (shape, example);
        }
    }
}

#[cfg(test)]
mod tests;
