//! Which word of the source does a word of a translation come from? A model of Marian's shape, two blocks an encoder
//! and two a decoder, learns a toy language whose alignment is known: every word has one translation, and the order of words
//! is reversed. Each word of an output is aligned with the word of the source that has the largest relevance for
//! it, or the most cross-attention.
//!
//! ```text
//! cargo run --example translation -- 0 1 2        # seeds: a model each
//! ```
//!
//! docs/language-models.md has what came out.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::{IndexedRandom, IteratorRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relprop_checkpoints::{Family, Model, Tokenizer};
use relprop_explain::{Explainer, Plan};
use relprop_rules::{Pass, RuleSet};
use relprop_train::vocabulary::train_wordpiece;
use relprop_transformer::{Batch, PaddingSide, TokenizedText, Transformer};

const CONSONANTS: [char; 12] = ['b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's'];
const VOWELS: [char; 4] = ['a', 'e', 'i', 'o'];
const LONGEST: usize = 10;
const STEPS: usize = 1500;
const BATCH: usize = 64;
const PEAK: f64 = 2e-3;
const TESTED: usize = 100;

/// Some words and their translations, which are the same letters in the other order: `ba do mi` is `im od ab`.
fn sentence(random: &mut ChaCha8Rng) -> [String; 2] {
    let words = random.random_range(3..=LONGEST);
    let all = CONSONANTS
        .iter()
        .flat_map(|c| VOWELS.map(|v| format!("{c}{v}")));
    let mut source = all.sample(random, words);
    source.shuffle(random);
    let source = source.join(" ");
    let output = source.chars().rev().collect();
    [source, output]
}

/// The logits after each token that a text asks, `[asked, token]`, and the tokens that do come.
fn answers(
    transformer: &Transformer,
    texts: &[TokenizedText],
    pass: &mut Pass,
) -> (Tensor<2>, Tensor<1, Int>) {
    let device = transformer.device().without_autodiff();
    let padding = transformer.config().padding_token;
    let batch = Batch::new(texts, padding, PaddingSide::Right, &device);
    let logits = transformer.forward_everywhere(&batch, pass);
    let [count, outputs, tokens] = logits.dims();
    let asked = texts.iter().enumerate().flat_map(|(row, text)| {
        let asked = text.asked.iter();
        asked.map(move |&at| {
            let place = row * outputs + at - text.source;
            (place as i64, i64::from(text.tokens[at + 1].id))
        })
    });
    let (places, right): (Vec<i64>, Vec<i64>) = asked.unzip();
    let tensor = |numbers: &[i64]| Tensor::<1, Int>::from_data(TensorData::from(numbers), &device);
    let logits = logits.reshape([count * outputs, tokens]);
    (logits.select(0, tensor(&places)), tensor(&right))
}

/// Trains with AdamW and a learning rate that rises and falls linearly.
fn train(mut transformer: Transformer, texts: &[TokenizedText], seed: u64) -> Transformer {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).init();
    for step in 0..STEPS {
        let batch: Vec<TokenizedText> = texts.sample(&mut random, BATCH).cloned().collect();
        let (logits, right) = answers(&transformer, &batch, &mut Pass::training());
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        let loss = loss.forward(logits, right);
        if step % 100 == 99 {
            eprintln!(
                "step {}: loss {}",
                step + 1,
                loss.clone().into_scalar::<f32>()
            );
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &transformer);
        let done = step as f64 / STEPS as f64;
        let rate = PEAK * (done / 0.1).min((1.0 - done) / 0.9);
        transformer = optimizer.step(rate, transformer, gradients);
    }
    transformer.valid()
}

/// A model that has learned the language, and sentences that it has not seen.
fn learned(seed: u64) -> anyhow::Result<(Arc<Model>, Vec<TokenizedText>)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let sentences: Vec<[String; 2]> = (0..20_000).map(|_| sentence(&mut random)).collect();
    let words = sentences.iter().flatten().map(String::as_str);
    let tokenizer = Tokenizer::new(train_wordpiece(words, 200)?);
    let padding = tokenizer.id("[PAD]");
    let config = serde_json::json!({
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "vocab_size": tokenizer.vocabulary_size(),
        "d_model": 64,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "decoder_layers": 2,
        "decoder_attention_heads": 4,
        "decoder_ffn_dim": 128,
        "activation_function": "swish",
        "scale_embedding": true,
        "dropout": 0.0,
        "max_position_embeddings": 2 + LONGEST,
        "pad_token_id": padding,
        "decoder_start_token_id": padding,
    });
    let (_, config) = Family::read_config(&config.to_string())?;
    let device = Device::flex();
    device.seed(seed);
    let fresh = Transformer::new(&config, &device.clone().autodiff())?;
    let model = Arc::new(Model::new(fresh.clone().valid(), tokenizer.clone()));
    let explainer = Explainer::new(&model, &Plan::default())?;
    let tokenized = sentences
        .iter()
        .map(|[source, output]| explainer.tokenize_answer(source, output));
    let mut texts = tokenized.collect::<Result<Vec<_>, _>>()?;
    let tested = texts.split_off(texts.len() - TESTED);
    let transformer = train(fresh, &texts, seed);
    Ok((Arc::new(Model::new(transformer, tokenizer)), tested))
}

/// A word of an output.
struct Word {
    /// The text, asked for this word.
    text: TokenizedText,
    /// Its place in the output.
    place: usize,
    /// The token of the source that it is the translation of.
    right: usize,
}

/// The words of the outputs that the model would write itself.
fn words(model: &Model, texts: &[TokenizedText]) -> anyhow::Result<Vec<Word>> {
    let (logits, right) = answers(&model.transformer, texts, &mut Pass::plain());
    let expected = logits.argmax(1).squeeze_dim::<1>(1).equal(right);
    let expected: Vec<bool> = expected.into_data().iter::<bool>().collect();
    let all = texts.iter().flat_map(|text| {
        // `[CLS]` stands before the words, `[SEP]` after them.
        let words = text.source - 2;
        text.asked.iter().enumerate().map(move |(place, &at)| Word {
            text: TokenizedText {
                asked: vec![at],
                ..text.clone()
            },
            place,
            right: words - place,
        })
    });
    let all: Vec<(Word, bool)> = all.zip(expected).collect();
    let count = all.len();
    let kept: Vec<Word> = (all.into_iter())
        .filter_map(|(word, expected)| expected.then_some(word))
        .collect();
    eprintln!("{} of {count} words are what the model expects", kept.len());
    Ok(kept)
}

/// The share of wrong links, where each word is linked with the word of the source that has the largest number. With one
/// link a word, and one that is right, this is the alignment error rate (Och and Ney 2003).
fn error_rate(words: &[Word], numbers: &[Vec<f32>]) -> f64 {
    let wrong = words.iter().zip(numbers).filter(|(word, numbers)| {
        let tokens = 1..word.text.source - 1;
        let link = tokens.max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        link != Some(word.right)
    });
    wrong.count() as f64 / words.len() as f64
}

/// The attention of each word to each token of the source in block `block` of the decoder, on average over heads.
fn attention(model: &Model, words: &[Word], block: usize) -> anyhow::Result<Vec<Vec<f32>>> {
    let transformer = &model.transformer;
    let site = format!("decoder.{block}.cross-attention.weights");
    let weights = words.iter().map(|word| -> anyhow::Result<Vec<f32>> {
        let padding = transformer.config().padding_token;
        let device = transformer.device();
        let batch = Batch::new([&word.text], padding, PaddingSide::Right, &device);
        let mut pass = Pass::plain().with_probe(&site);
        transformer.forward_everywhere(&batch, &mut pass);
        let weights: Tensor<4> = pass.into_readings().read(&site)?.signal;
        let row = weights.narrow(2, word.place, 1).mean_dim(1);
        Ok(row.into_data().iter::<f32>().collect())
    });
    weights.collect()
}

fn main() -> anyhow::Result<()> {
    let seeds = std::env::args().skip(1).map(|seed| seed.parse());
    let seeds: Vec<u64> = seeds.collect::<Result<_, _>>()?;
    // Error rates of each row and column, model by model.
    let mut rates: BTreeMap<usize, (String, [Vec<f64>; 2])> = BTreeMap::new();
    for seed in if seeds.is_empty() { vec![0] } else { seeds } {
        let (model, texts) = learned(seed)?;
        let words = words(&model, &texts)?;
        let mut rows: Vec<(String, [f64; 2])> = Vec::new();
        let random = words.iter().map(|word| 1.0 / (word.text.source - 2) as f64);
        let random = 1.0 - random.sum::<f64>() / words.len() as f64;
        rows.push(("random".to_owned(), [random; 2]));
        for block in 0..2 {
            let rate = error_rate(&words, &attention(&model, &words, block)?);
            rows.push((format!("cross-attention of `decoder.{block}`"), [rate; 2]));
        }
        let texts: Vec<TokenizedText> = words.iter().map(|word| word.text.clone()).collect();
        for preset in RuleSet::presets() {
            let mut both = [0.0; 2];
            for (rate, target) in both.iter_mut().zip(["answer()", "answer()-mean()"]) {
                let plan = Plan {
                    target: target.parse()?,
                    ..Plan::default()
                };
                let plan = plan.by_rules(RuleSet::preset(preset)?);
                let found = Explainer::new(&model, &plan)?.explain_batch(&texts)?;
                let relevance = found.iter().map(|explanation| {
                    let tokens = explanation.tokens.iter();
                    tokens.map(|token| token.relevance).collect::<Vec<f32>>()
                });
                *rate = error_rate(&words, &relevance.collect::<Vec<_>>());
            }
            rows.push((format!("`{preset}`"), both));
        }
        for (index, (name, both)) in rows.into_iter().enumerate() {
            let (_, columns) = rates.entry(index).or_insert((name, Default::default()));
            for (column, rate) in columns.iter_mut().zip(both) {
                column.push(rate);
            }
        }
    }
    println!("| explanation | the logit | above the mean of all logits |");
    println!("| --- | --- | --- |");
    for (name, columns) in rates.into_values() {
        let [logit, above] = columns.map(|rates| spread(&rates));
        println!("| {name} | {logit} | {above} |");
    }
    Ok(())
}

/// The mean, and the smallest and the largest of several.
fn spread(rates: &[f64]) -> String {
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let most = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match rates {
        [_] => format!("{mean:.2}"),
        _ => format!("{mean:.2} ({least:.2} to {most:.2})"),
    }
}
