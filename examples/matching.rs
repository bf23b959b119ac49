//! Do pairs of words that match get the largest relevance? Two sentences share one noun, or two, at other places, and a
//! model of sentences is asked why they are alike. Of one noun, an explanation points at the right pair if the pair
//! with its largest relevance is the noun and itself. Of two, each noun of the first sentence should have itself as its
//! partner: the word of the second sentence with which it has the largest relevance.
//!
//! ```text
//! cargo run --example matching -- MODEL 200                  # by forward decomposition, under `libra`
//! cargo run --example matching -- MODEL 4 ah-ln attn-lrp     # and by backward passes, under other presets
//! ```
//!
//! docs/similarity.md has what came out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::{Device, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::methods::{Decomposition, DecompositionParameters};
use relprop_explain::{Measure, Plan, Similar};
use relprop_rules::{Pass, RuleSet};
use relprop_transformer::{Batch, PaddingSide, TokenizedText};

const NOUNS: [&str; 16] = [
    "violin", "tiger", "bakery", "volcano", "dentist", "bicycle", "castle", "onion", "lawyer",
    "piano", "spider", "forest", "camera", "wedding", "robot", "island",
];
/// Each has a place for a noun that both sentences have, and one for a noun that only it has.
const FIRST: [&str; 4] = [
    "we talked about the {} and the {}",
    "the {} was near the {}",
    "she had seen a {} before the {}",
    "a {} stood behind the {}",
];
const SECOND: [&str; 4] = [
    "after the {} came another {}",
    "he wrote of the {} and of the {}",
    "they forgot the {} because of the {}",
    "my brother likes the {} more than the {}",
];

/// Two sentences, and the nouns that they share.
struct Pair {
    texts: [String; 2],
    shared: Vec<&'static str>,
}

/// Pair `number`, of sentences that share so many nouns.
fn pair(number: usize, shared: usize) -> Pair {
    let noun = |step: usize| NOUNS[(number * 7 + step * 5) % NOUNS.len()];
    let sentence = |frames: &[&str], index: usize, own: &'static str, first: bool| {
        let other = if shared == 2 { noun(1) } else { own };
        let both = match first {
            true => [noun(0), other],
            false => [other, noun(0)],
        };
        let filled = frames[index % frames.len()].replacen("{}", both[0], 1);
        filled.replacen("{}", both[1], 1)
    };
    Pair {
        texts: [
            sentence(&FIRST, number, noun(1), number.is_multiple_of(2)),
            sentence(&SECOND, number / 4, noun(2), number.is_multiple_of(3)),
        ],
        shared: (0..shared).map(noun).collect(),
    }
}

/// How often an explanation is right, of pairs that share one noun and of pairs that share two.
#[derive(Default)]
struct Score([f64; 2]);

impl Score {
    /// Counts one explanation: `rows` of words of the first text and columns of words of the second. The nouns stand at
    /// the places `right`.
    fn count(&mut self, rows: &[Vec<f64>], right: &[(usize, usize)]) {
        match right {
            [noun] => self.0[0] += f64::from(u8::from(largest(rows) == Some(*noun))),
            nouns => {
                let hits = nouns.iter().filter(|(i, j)| strongest(&rows[*i]) == *j);
                self.0[1] += hits.count() as f64 / nouns.len() as f64;
            }
        }
    }
}

/// An explanation that has no pairs: the pair of the strongest words is the largest, and every word has the strongest word
/// as its partner.
fn of_each(first: &[f64], second: &[f64]) -> Vec<Vec<f64>> {
    let row = |a: &f64| second.iter().map(|b| a + b).collect();
    first.iter().map(row).collect()
}

/// The place of the largest number.
fn largest(rows: &[Vec<f64>]) -> Option<(usize, usize)> {
    let all = rows.iter().enumerate().flat_map(|(i, row)| {
        row.iter()
            .enumerate()
            .map(move |(j, number)| ((i, j), number))
    });
    all.max_by(|a, b| a.1.total_cmp(b.1))
        .map(|(place, _)| place)
}

/// Sums over the tokens of each pair of words; special tokens belong to none.
fn of_words(texts: [&TokenizedText; 2], pairs: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let words = texts.map(|text| {
        let mut words: Vec<(u32, Vec<usize>)> = Vec::new();
        for (place, token) in text.tokens.iter().enumerate() {
            match (token.word, words.last_mut()) {
                (None, _) => {}
                (Some(word), Some((last, places))) if *last == word => places.push(place),
                (Some(word), _) => words.push((word, vec![place])),
            }
        }
        words
    });
    let row = |(_, first): &(u32, Vec<usize>)| {
        let cell = |(_, second): &(u32, Vec<usize>)| {
            let each = first
                .iter()
                .flat_map(|&i| second.iter().map(move |&j| (i, j)));
            each.map(|(i, j)| pairs(i, j)).sum()
        };
        words[1].iter().map(cell).collect()
    };
    words[0].iter().map(row).collect()
}

/// How much attention the words of a text get in the last block, on average over heads and queries.
fn attention(model: &Model, text: &TokenizedText) -> anyhow::Result<Vec<f64>> {
    let transformer = &model.transformer;
    let site = format!(
        "encoder.{}.attention.weights",
        transformer.config().blocks - 1
    );
    let batch = Batch::new([text], 0, PaddingSide::Right, &transformer.device());
    let mut pass = Pass::plain().with_probe(&site);
    transformer.forward(&batch, &mut pass);
    let weights: Tensor<4> = pass.into_readings().read(&site)?.signal;
    let [_, _, _, keys] = weights.dims();
    let keys: Vec<f32> = (weights.mean_dim(1).mean_dim(2).reshape([keys]))
        .into_data_as::<f32>()
        .try_into_vec()?;
    let mut words: Vec<(u32, f64)> = Vec::new();
    for (token, weight) in text.tokens.iter().zip(keys) {
        match (token.word, words.last_mut()) {
            (None, _) => {}
            (Some(word), Some((last, sum))) if *last == word => *sum += f64::from(weight),
            (Some(word), _) => words.push((word, f64::from(weight))),
        }
    }
    Ok(words.into_iter().map(|(_, sum)| sum).collect())
}

/// The place of the largest number of a list.
fn strongest(numbers: &[f64]) -> usize {
    let places = 0..numbers.len();
    places
        .max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]))
        .unwrap_or(0)
}

/// The sum of the products of two lists.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let terms = a.iter().zip(b);
    terms.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map(PathBuf::from);
    let folder = folder.context("give a model's folder")?;
    let count: usize = arguments.next().map_or(Ok(200), |count| count.parse())?;
    let model = Model::load(&folder, &Device::flex())?;
    let mut plain = model.clone();
    plain.transformer = plain.transformer.with_vectors(None, false)?;
    let plain = Arc::new(plain);
    let parameters = DecompositionParameters::default();
    let decomposition = Decomposition::new(&plain, parameters)?;
    let presets: Vec<String> = arguments.collect();
    let similar = presets.iter().map(|preset| {
        let plan = Plan::default().by_rules(RuleSet::preset(preset)?);
        let similar = Similar::new(&plain, &plan, Measure::Cosine, None)?;
        Ok::<_, anyhow::Error>((preset, similar))
    });
    let similar: Vec<_> = similar.collect::<Result<_, _>>()?;

    let [mut random, mut attended, mut first, mut second] = [(); 4].map(|()| Score::default());
    let mut backward: Vec<Score> = similar.iter().map(|_| Score::default()).collect();
    for (number, nouns) in (0..count).flat_map(|number| [(number, 1), (number, 2)]) {
        let Pair { texts, shared } = pair(number, nouns);
        let [a, b] = texts.map(|text| plain.tokenize(&text, None, Default::default()));
        let (a, b) = (a?, b?);
        let place = |text: &TokenizedText, noun: &str| {
            let words = relprop_explain::words(text, &vec![0.0; text.tokens.len()]);
            words.iter().position(|word| word.text == noun)
        };
        let right = shared
            .iter()
            .map(|noun| place(&a, noun).zip(place(&b, noun)));
        let right: Option<Vec<_>> = right.collect();
        let right = right.context("a noun is a word of both")?;

        let (u, v) = (decomposition.shares(&a)?, decomposition.shares(&b)?);
        let rows = of_words([&a, &b], |i, j| product(&u.of_token[i], &v.of_token[j]));
        let columns = rows[0].len();
        random.0[nouns - 1] += match nouns {
            1 => 1.0 / (rows.len() * columns) as f64,
            _ => 1.0 / columns as f64,
        };
        second.count(&rows, &right);
        // Of each text against the vector of the other.
        let words = |text: &TokenizedText, shares: &[Vec<f32>], other: &[f32]| -> Vec<f64> {
            let relevance = shares.iter().map(|share| product(share, other) as f32);
            let words = relprop_explain::words(text, &relevance.collect::<Vec<f32>>());
            words.iter().map(|word| f64::from(word.relevance)).collect()
        };
        let ours = words(&a, &u.of_token, &v.numbers);
        let theirs = words(&b, &v.of_token, &u.numbers);
        first.count(&of_each(&ours, &theirs), &right);
        let (ours, theirs) = (attention(&plain, &a)?, attention(&plain, &b)?);
        attended.count(&of_each(&ours, &theirs), &right);
        for ((_, similar), found) in similar.iter().zip(&mut backward) {
            let pairs = similar.explain([&a, &b])?.word_interaction;
            let wide = |row: &Vec<f32>| row.iter().map(|&r| f64::from(r)).collect();
            found.count(&pairs.iter().map(wide).collect::<Vec<_>>(), &right);
        }
    }
    println!(
        "| explanation | one shared noun: its pair is the largest | two: each has itself as partner |"
    );
    println!("| --- | --- | --- |");
    let row = |name: &str, Score([one, two]): &Score| {
        let of = count as f64;
        println!("| {name} | {:.2} | {:.2} |", one / of, two / of);
    };
    row("random", &random);
    row("attention of the last block", &attended);
    row("`libra`, first order", &first);
    row("`libra`, second order", &second);
    for ((preset, _), right) in similar.iter().zip(&backward) {
        row(&format!("`{preset}`, second order"), right);
    }
    Ok(())
}
