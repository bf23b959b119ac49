//! Forward decomposition against plain loops, and against relevance that flows backward under `libra`.

use std::collections::BTreeMap;

use burn::tensor::DType;
use relprop_checkpoints::Model;
use relprop_explain::methods::{Biases, Decomposition, DecompositionParameters, Method, Question};
use relprop_explain::{Chosen, Score, Target};
use relprop_rules::operations::Activation;
use relprop_testing::{
    ARCHITECTURES, Architecture, LanguageModel, difference, draw_config, draw_language_config,
    model, parameters, propagation, random, shared,
};
use relprop_transformer::{ExpertsConfig, TokenizedText, TransformerConfig};
use rstest::rstest;

use crate::support::{Double, Matrix, encode};

const TEXT: &str = "a warm , funny film that never gets dull";

/// In f64, so that neither way rounds.
fn double(mut model: Model) -> Model {
    model.transformer = model.transformer.cast(DType::F64);
    model
}

fn decomposition(model: &Model, biases: Biases) -> Decomposition {
    Decomposition::new(&shared(model), DecompositionParameters { biases }).unwrap()
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Each target by both. Gives how many of them have any relevance: a random model may have none, where activations are
/// zero.
fn agree(model: &Model, text: &TokenizedText, targets: &[(Target, Score)], what: &str) -> usize {
    let mut relevant = 0;
    let forward = decomposition(model, Biases::Apart);
    let backward = propagation(model, "libra");
    for &(target, score) in targets {
        let question = Question {
            model,
            target,
            score,
            weights: None,
        };
        let [found, expected] = [
            forward.find(&[text], &question).unwrap().remove(0),
            backward.find(&[text], &question).unwrap().remove(0),
        ];
        if expected.relevance.iter().all(|relevance| *relevance == 0.0) {
            assert_eq!(found.relevance, expected.relevance, "{what}, {target:?}");
        } else {
            let error = difference(&wide(&found.relevance), &wide(&expected.relevance));
            assert!(error < 1e-5, "{what}, {target:?}, {score:?}: {error:.1e}");
            relevant += 1;
        }
        assert!((found.value - expected.value).abs() < 1e-5 * expected.value.abs().max(1.0));
        let error = difference(&wide(&found.logits), &wide(&expected.logits));
        assert!(error < 1e-5, "{what}: logits {error:.1e}");
    }
    relevant
}

const TARGETS: [(Target, Score); 6] = [
    (Target::Predicted, Score::Logit),
    (Target::Label(1), Score::Logit),
    (Target::Contrast(2, 0), Score::Logit),
    (
        Target::AboveMean {
            of: Chosen::Label(2),
            top: None,
        },
        Score::Logit,
    ),
    (Target::Label(1), Score::LogProbability),
    (Target::Predicted, Score::Norm),
];

#[rstest]
fn it_is_libra(#[values(0, 1, 2)] architecture: usize) {
    let model = double(model(&ARCHITECTURES[architecture].config()));
    for text in ["warm", TEXT] {
        let relevant = agree(&model, &encode(&model, text), &TARGETS, text);
        assert_eq!(relevant, TARGETS.len());
    }
}

#[test]
fn it_is_libra_in_any_model() {
    let mut relevant = 0;
    for seed in 0..16 {
        let classifier = double(random(&draw_config(seed), 0.3, seed));
        let text = encode(&classifier, TEXT);
        relevant += agree(&classifier, &text, &TARGETS, &format!("classifier {seed}"));
        let language = double(random(&draw_language_config(seed), 0.3, seed));
        let what = format!("language model {seed}");
        relevant += agree(&language, &text, &TARGETS, &what);
    }
    assert!(relevant > 2 * 15 * TARGETS.len(), "{relevant}");
}

fn experts(normalized: bool) -> TransformerConfig {
    TransformerConfig {
        experts: Some(ExpertsConfig {
            count: 4,
            chosen: 2,
            width: 24,
            normalized,
            shared: normalized.then_some(16),
            router_bias: normalized,
        }),
        ..LanguageModel::Llama.config()
    }
}

#[test]
fn it_is_libra_in_every_family_of_language_models() {
    use LanguageModel as Of;
    let families = [
        Of::Gpt2,
        Of::Llama,
        Of::Llama3,
        Of::Mistral,
        Of::Qwen2,
        Of::Qwen3,
        Of::Gemma,
        Of::GptNeoX,
        Of::GptJ,
        Of::Bloom,
        Of::Olmo2,
        Of::Gemma2,
        Of::Granite,
        Of::GptOss,
        Of::Falcon,
    ];
    let configs = families.map(|family| family.of_blocks(3));
    let configs = configs.into_iter().chain([experts(false), experts(true)]);
    for (index, config) in configs.enumerate() {
        let model = double(model(&config));
        let mut text = encode(&model, TEXT);
        // Of several tokens at once.
        text.asked = vec![2, 5, 9];
        let what = families
            .get(index)
            .map_or("experts".to_owned(), |family| format!("{family:?}"));
        assert_eq!(agree(&model, &text, &TARGETS[..5], &what), 5);
    }
}

/// All logits at once are those one by one.
#[test]
fn shares_of_all_numbers_are_those_of_each() {
    let model = double(model(&Architecture::PostNorm.config()));
    let text = encode(&model, TEXT);
    let decomposition = decomposition(&model, Biases::Apart);
    let shares = decomposition.shares(&text).unwrap();
    assert_eq!(shares.of_token.len(), text.tokens.len());
    for label in 0..3 {
        let alone = decomposition.relevance(&[&text], label).unwrap().remove(0);
        let of_label: Vec<f64> = shares.of_token.iter().map(|of| of[label].into()).collect();
        assert!(difference(&of_label, &wide(&alone)) < 1e-6);
    }
}

/// A text that needs several passes.
#[test]
fn a_long_text_is_carried_a_few_tokens_at_a_time() {
    let config = TransformerConfig {
        positions: 160,
        ..Architecture::PostNorm.config()
    };
    let model = double(model(&config));
    let mut text = encode(&model, TEXT);
    while text.tokens.len() < 150 {
        let token = text.tokens[text.tokens.len() % 9 + 1].clone();
        text.tokens.push(token);
        text.types.push(0);
    }
    assert_eq!(agree(&model, &text, &TARGETS[..2], "150 tokens"), 2);
}

/// A ReLU can let nothing through, and what is added to nothing is nobody's: the models here have another
/// activation in its place.
#[test]
fn tokens_hold_all_where_biases_are_spread() {
    let configs = (0..8)
        .map(draw_config)
        .chain((0..8).map(draw_language_config));
    let other = |activation| match activation {
        Activation::Relu => Activation::Gelu,
        activation => activation,
    };
    let mut lacking = 0;
    for (seed, mut config) in configs.enumerate() {
        config.pooler = config.pooler.map(other);
        if let Some(part) = &mut config.feed_forward {
            part.activation = other(part.activation);
        }
        let model = double(random(&config, 0.3, seed as u64));
        let text = encode(&model, TEXT);
        let sums = |biases| {
            let shares = decomposition(&model, biases).shares(&text).unwrap();
            let sum = |number: usize| {
                let of_token = shares.of_token.iter();
                of_token.map(|of| f64::from(of[number])).sum()
            };
            let sums: Vec<f64> = (0..shares.numbers.len()).map(sum).collect();
            difference(&sums, &wide(&shares.numbers))
        };
        let (spread, apart) = (sums(Biases::Spread), sums(Biases::Apart));
        assert!(spread < 1e-5, "{seed}: {spread:.1e}");
        // Some language models have no biases at all.
        lacking += usize::from(apart > 1e-3);
    }
    assert!(lacking > 10, "{lacking}");
}

/// The model of plain loops: its numbers, by their names.
struct Loops {
    numbers: BTreeMap<String, Vec<f64>>,
    spread: bool,
}

/// What a vector is the sum of: the part of each token and, last, that of nobody.
type Parts = Vec<Vec<f64>>;

impl Loops {
    fn sum(parts: &Parts) -> Vec<f64> {
        let features = 0..parts[0].len();
        features
            .map(|f| parts.iter().map(|part| part[f]).sum())
            .collect()
    }

    /// Adds a term, to nobody or by absolute products.
    fn add(&self, parts: &mut Parts, term: &[f64]) {
        let nobody = parts.len() - 1;
        let product =
            |part: &Vec<f64>| part.iter().zip(term).map(|(z, b)| z * b).sum::<f64>().abs();
        let products: Vec<f64> = parts[..nobody].iter().map(product).collect();
        let all: f64 = products.iter().sum();
        for (f, b) in term.iter().enumerate() {
            match self.spread {
                true => (0..nobody).for_each(|k| parts[k][f] += products[k] / all * b),
                false => parts[nobody][f] += b,
            }
        }
    }

    fn linear(&self, name: &str, x: &Parts) -> Parts {
        let (weight, bias) = (
            &self.numbers[&format!("{name}.weight")],
            &self.numbers[&format!("{name}.bias")],
        );
        let outputs = bias.len();
        let of = |part: &Vec<f64>| {
            let output = |o: usize| {
                (0..part.len())
                    .map(|i| part[i] * weight[i * outputs + o])
                    .sum()
            };
            (0..outputs).map(output).collect()
        };
        let mut z: Parts = x.iter().map(of).collect();
        self.add(&mut z, bias);
        z
    }

    fn norm(&self, name: &str, x: &Parts) -> Parts {
        let (gamma, beta) = (
            &self.numbers[&format!("{name}.gamma")],
            &self.numbers[&format!("{name}.beta")],
        );
        let count = gamma.len() as f64;
        let centered = |x: &Vec<f64>| -> Vec<f64> {
            let mean = x.iter().sum::<f64>() / count;
            x.iter().map(|x| x - mean).collect()
        };
        let squares: f64 = centered(&Self::sum(x)).iter().map(|x| x * x).sum();
        let deviation = (squares / count + 1e-5).sqrt();
        let of = |part: &Vec<f64>| {
            let scaled = centered(part).into_iter().zip(gamma);
            scaled.map(|(x, gamma)| x / deviation * gamma).collect()
        };
        let mut y: Parts = x.iter().map(of).collect();
        self.add(&mut y, beta);
        y
    }

    fn attention(&self, block: &str, x: &[Parts], heads: usize) -> Vec<Parts> {
        let map = |name: &str| -> Vec<Parts> {
            let name = format!("{block}.attention.{name}");
            x.iter().map(|x| self.linear(&name, x)).collect()
        };
        let whole = |parts: Vec<Parts>| -> Matrix { parts.iter().map(Self::sum).collect() };
        let (query, key, value) = (whole(map("query")), whole(map("key")), map("value"));
        let width = query[0].len() / heads;
        let mixed = (0..x.len()).map(|j| {
            let mut mixed = vec![vec![0.0; query[0].len()]; x[0].len()];
            for head in 0..heads {
                let features = head * width..(head + 1) * width;
                let score = |i: usize| -> f64 {
                    let products = features.clone().map(|f| query[j][f] * key[i][f]);
                    (products.sum::<f64>() / (width as f64).sqrt()).exp()
                };
                let all: f64 = (0..x.len()).map(score).sum();
                for (i, value) in value.iter().enumerate() {
                    let weight = score(i) / all;
                    for (part, value) in mixed.iter_mut().zip(value) {
                        features.clone().for_each(|f| part[f] += weight * value[f]);
                    }
                }
            }
            self.linear(&format!("{block}.attention.output"), &mixed)
        });
        mixed.collect()
    }

    fn feed_forward(&self, block: &str, x: &Parts) -> Parts {
        let mut z = self.linear(&format!("{block}.feed_forward.up"), x);
        for (f, z_f) in Self::sum(&z).into_iter().enumerate() {
            let quotient = if z_f > 0.0 { 1.0 } else { 0.0 };
            z.iter_mut().for_each(|part| part[f] *= quotient);
        }
        self.linear(&format!("{block}.feed_forward.down"), &z)
    }

    /// A classifier with norms before the parts, by its first token.
    fn run(&self, signal: &Matrix, blocks: usize, heads: usize) -> Parts {
        let tokens = signal.len();
        let own = |i: usize| -> Parts {
            let part = |k: usize| match k == i {
                true => signal[i].clone(),
                false => vec![0.0; signal[i].len()],
            };
            (0..=tokens).map(part).collect()
        };
        let added = |x: &mut [Parts], y: Vec<Parts>| {
            for (x, y) in x.iter_mut().flatten().zip(y.into_iter().flatten()) {
                x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            }
        };
        let mut x: Vec<Parts> = (0..tokens).map(own).collect();
        for block in 0..blocks {
            let block = format!("encoder.{block}");
            let normed = |x: &[Parts], name: &str| -> Vec<Parts> {
                x.iter()
                    .map(|x| self.norm(&format!("{block}.{name}"), x))
                    .collect()
            };
            let y = self.attention(&block, &normed(&x, "attention_norm"), heads);
            added(&mut x, y);
            let y = normed(&x, "feed_forward_norm");
            added(
                &mut x,
                y.iter().map(|y| self.feed_forward(&block, y)).collect(),
            );
        }
        self.linear("classifier", &self.norm("final_norm", &x[0]))
    }
}

#[rstest]
fn it_is_what_plain_loops_carry_forward(#[values(Biases::Apart, Biases::Spread)] biases: Biases) {
    let config = Architecture::PreNorm.config();
    let model = double(model(&config));
    let text = encode(&model, TEXT);
    let (signal, [_, tokens, width]) = Double::new(&model, &text, 0).signal("blocks");
    assert_eq!(tokens, text.tokens.len());
    let signal: Matrix = signal.chunks(width).map(<[f64]>::to_vec).collect();
    let loops = Loops {
        numbers: parameters(&model.transformer),
        spread: biases == Biases::Spread,
    };
    let expected = loops.run(&signal, config.blocks, config.heads);
    let found = decomposition(&model, biases).shares(&text).unwrap();
    let of_token: Vec<f64> = wide(&found.of_token.concat());
    let error = difference(&of_token, &expected[..tokens].concat());
    assert!(error < 1e-6, "{error:.1e}");
    assert!(difference(&wide(&found.numbers), &Loops::sum(&expected)) < 1e-6);
}

#[test]
fn it_has_a_name_and_a_parameter() {
    let model = model(&Architecture::PostNorm.config());
    let method = relprop_testing::method("decomposition:biases=spread", &model, 0).unwrap();
    assert!(method.takes_any_target());
    let wrong = relprop_testing::method("decomposition:biases=all", &model, 0);
    let error = wrong.unwrap_err().to_string();
    assert!(
        error.contains("decomposition") && error.contains("`spread`"),
        "{error}"
    );
}
