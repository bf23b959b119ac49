//! Do pairs of words that match get the largest relevance? Sentences share one noun, which stands at another place
//! of each, and a model of sentences is asked why they are alike. An explanation points at the right pair if the
//! pair with its largest relevance is the noun and itself.
//!
//! ```text
//! cargo run --example matching -- MODEL 200
//! ```
//!
//! docs/similarity.md has what came out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::{Device, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::methods::{Decomposition, DecompositionParameters};
use relprop_explain::{Measure, Plan, Similar, Similarity};
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

/// Two sentences, and the noun that they share.
struct Pair {
    texts: [String; 2],
    shared: &'static str,
}

fn pair(number: usize) -> Pair {
    let noun = |step: usize| NOUNS[(number * 7 + step * 5) % NOUNS.len()];
    let (shared, others) = (noun(0), [noun(1), noun(2)]);
    let sentence = |frames: &[&str], index: usize, own: &str, first: bool| {
        let both = match first {
            true => [shared, own],
            false => [own, shared],
        };
        let filled = frames[index % frames.len()].replacen("{}", both[0], 1);
        filled.replacen("{}", both[1], 1)
    };
    Pair {
        texts: [
            sentence(&FIRST, number, others[0], number.is_multiple_of(2)),
            sentence(&SECOND, number / 4, others[1], number.is_multiple_of(3)),
        ],
        shared,
    }
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

/// The products of two numbers of each pair of words.
fn products(first: &[f64], second: &[f64]) -> Vec<Vec<f64>> {
    let row = |a: &f64| second.iter().map(|b| a * b).collect();
    first.iter().map(row).collect()
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

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map(PathBuf::from)
        .context("give a model's folder")?;
    let count: usize = arguments.next().map_or(Ok(200), |count| count.parse())?;
    let model = Arc::new(Model::load(&folder, &Device::flex())?);
    let pairs: Vec<Pair> = (0..count).map(pair).collect();
    let places = |found: &Similarity, shared: &str| {
        let place = |index: usize| {
            let words = &found.texts[index].words;
            words.iter().position(|word| word.text == shared)
        };
        place(0).zip(place(1)).context("the noun is a word of both")
    };
    let row = |name: &str, right: f64| println!("| {name} | {:.2} |", right / count as f64);
    println!("| explanation | points at the shared noun |");
    println!("| --- | --- |");

    let (mut random, mut attended) = (0.0, 0.0);
    for name in ["gradient-x-input", "ah-ln", "attn-lrp", "libra"] {
        let plan = Plan::default().by_rules(RuleSet::preset(name)?);
        let similar = Similar::new(&model, &plan, Measure::Cosine, None)?;
        let (mut first, mut second) = (0.0, 0.0);
        for pair in &pairs {
            let texts = [&pair.texts[0], &pair.texts[1]];
            let [a, b] = texts.map(|text| model.tokenize(text, None, Default::default()));
            let (a, b) = (a?, b?);
            let found = similar.explain([&a, &b])?;
            let right = Some(places(&found, pair.shared)?);
            let hit = |rows: &[Vec<f64>]| f64::from(u8::from(largest(rows) == right));
            let of_pairs: Vec<Vec<f64>> = found
                .word_interaction
                .iter()
                .map(|row| row.iter().map(|&r| f64::from(r)).collect())
                .collect();
            second += hit(&of_pairs);
            let words = [0, 1].map(|index| -> Vec<f64> {
                let words = found.texts[index].words.iter();
                words.map(|word| f64::from(word.relevance)).collect()
            });
            // The strongest word of each text is the best pair that first order can tell.
            let best = words.each_ref().map(|words| {
                (0..words.len())
                    .max_by(|&i, &j| words[i].total_cmp(&words[j]))
                    .unwrap_or(0)
            });
            first += f64::from(u8::from(Some((best[0], best[1])) == right));
            if name == "libra" {
                random += 1.0 / (words[0].len() * words[1].len()) as f64;
                attended += hit(&products(&attention(&model, &a)?, &attention(&model, &b)?));
            }
        }
        row(&format!("`{name}`, first order"), first);
        row(&format!("`{name}`, second order"), second);
    }
    row("random", random);
    row("attention of the last block", attended);

    // The same by what the tokens hold of the vectors, carried forward.
    let mut plain = Model::clone(&model);
    plain.transformer = plain.transformer.with_vectors(None, false);
    let decomposition = Decomposition::new(&Arc::new(plain), DecompositionParameters::default())?;
    let mut forward = 0.0;
    for pair in &pairs {
        let texts = [&pair.texts[0], &pair.texts[1]];
        let [a, b] = texts.map(|text| model.tokenize(text, None, Default::default()));
        let (a, b) = (a?, b?);
        let (u, v) = (decomposition.shares(&a)?, decomposition.shares(&b)?);
        let product = |i: usize, j: usize| {
            let features = u.of_token[i].iter().zip(&v.of_token[j]);
            features.map(|(u, v)| f64::from(*u) * f64::from(*v)).sum()
        };
        let rows = of_words([&a, &b], product);
        let place = |text: &TokenizedText| {
            let all = relprop_explain::words(text, &vec![0.0; text.tokens.len()]);
            all.iter().position(|word| word.text == pair.shared)
        };
        forward += f64::from(u8::from(largest(&rows) == place(&a).zip(place(&b))));
    }
    row("decomposition, second order", forward);
    Ok(())
}
