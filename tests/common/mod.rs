//! Small models with random parameters, and how to compare what they give.

#![allow(dead_code, reason = "every test file uses some of it")]

pub mod fixtures;
pub mod program;

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use relprop_checkpoints::{Model, Tokenizer, Truncation};
use relprop_explain::methods::{Method, Propagation, by_name};
use relprop_explain::{ExplainError, Explainer, Explanation, Plan, Score};
use relprop_rules::operations::{Activation, NormScale};
use relprop_rules::{Registry, RuleSet};
use relprop_train::vocabulary::train_wordpiece;
use relprop_transformer::{
    AttentionConfig, Biases, FeedForwardConfig, Head, NormConfig, NormPlacement, PaddingSide,
    ParameterPath, RotaryConfig, RotaryScaling, Transformer, TransformerConfig,
};

/// What the vocabulary is learned from: English, and scripts whose characters are several bytes.
const CORPUS: [&str; 9] = [
    "a warm , funny film that never gets dull",
    "the plot is dull and the jokes are never funny",
    "an unwatchable , unfunny and cold film",
    "warmly acted , sharply written , watchable from start to end",
    "ein schöner film mit einem schwachen ende",
    "素晴らしい映画だった 、 退屈な映画だった",
    "סרט מצחיק מאוד",
    "فيلم ممل جدا",
    "😀 👍 🎬 ❤️ 👍🏽",
];

/// A tokenizer that has seen every character of the corpus.
pub fn tokenizer() -> Tokenizer {
    // Twice, so that whole words become tokens.
    let texts = CORPUS.iter().chain(&CORPUS).copied();
    Tokenizer::new(train_wordpiece(texts, 400).unwrap())
}

/// The kinds of Transformer that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// BERT: norms after the residual sums, GELU, tanh pooler.
    PostNorm,
    /// Norms before attention and the feed-forward part, ReLU, no pooler.
    PreNorm,
    /// The released model of Ali et al. 2022.
    AttentionOnly,
}

pub const ARCHITECTURES: [Architecture; 3] = [
    Architecture::PostNorm,
    Architecture::PreNorm,
    Architecture::AttentionOnly,
];

impl Architecture {
    /// Two or three blocks of width 32, for three labels.
    pub fn config(self) -> TransformerConfig {
        let labels = ["negative", "neutral", "positive"]
            .map(String::from)
            .to_vec();
        let vocabulary = tokenizer().vocabulary_size();
        let bert = TransformerConfig {
            positions: 64,
            width: 32,
            feed_forward: Some(FeedForwardConfig {
                width: 48,
                activation: Activation::Gelu,
                gated: false,
            }),
            ..TransformerConfig::bert(vocabulary, labels.clone())
        };
        match self {
            Self::PostNorm => bert,
            Self::PreNorm => TransformerConfig {
                norm_placement: NormPlacement::Before,
                norm: NormConfig {
                    scale: NormScale::InsideRoot(1e-5),
                    affine: true,
                    plus_one: false,
                },
                feed_forward: Some(FeedForwardConfig {
                    width: 48,
                    activation: Activation::Relu,
                    gated: false,
                }),
                embedding_norm: None,
                token_types: 0,
                pooler: None,
                ..bert
            },
            Self::AttentionOnly => TransformerConfig {
                positions: 64,
                width: 32,
                ..TransformerConfig::attention_only(vocabulary, labels)
            },
        }
    }
}

/// The families of language models, each with what it has and others have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageModel {
    /// LayerNorm, a table of positions, biases, a tied head.
    Gpt2,
    /// RMSNorm, rotary positions, a gated feed-forward part, no biases, a head of its own.
    Llama,
    /// Slower waves among the rotary positions.
    Llama3,
    /// Heads of keys that several heads of queries share, and a window.
    Mistral,
    /// Biases of queries, keys and values.
    Qwen2,
    /// Norms of queries and keys, heads that are wider than their share.
    Qwen3,
    /// Factors of 1 plus what was learned, scaled embeddings, one head of keys.
    Gemma,
}

impl LanguageModel {
    /// Two blocks of width 32.
    pub fn config(self) -> TransformerConfig {
        let vocabulary = tokenizer().vocabulary_size();
        let mut config = TransformerConfig {
            positions: 64,
            width: 32,
            feed_forward: Some(FeedForwardConfig {
                width: 48,
                activation: Activation::Silu,
                gated: true,
            }),
            ..TransformerConfig::llama(vocabulary)
        };
        let rotary = |theta, scaling| Some(RotaryConfig { theta, scaling });
        let untied = Head::NextToken { tied: false };
        match self {
            Self::Gpt2 => TransformerConfig {
                head: config.head,
                attention: AttentionConfig {
                    causal: true,
                    ..AttentionConfig::default()
                },
                pooler: None,
                labels: Vec::new(),
                ..Architecture::PreNorm.config()
            },
            Self::Llama => TransformerConfig {
                head: untied,
                ..config
            },
            Self::Llama3 => {
                config.attention.key_heads = Some(2);
                // Of the four waves of a head, one is kept, one is slowed down a little.
                config.attention.rotary = rotary(
                    100.0,
                    Some(RotaryScaling {
                        factor: 8.0,
                        low_frequency: 1.0,
                        high_frequency: 4.0,
                        original_positions: 32,
                    }),
                );
                config
            }
            Self::Mistral => {
                config.attention.key_heads = Some(2);
                config.attention.window = Some(5);
                TransformerConfig {
                    head: untied,
                    ..config
                }
            }
            Self::Qwen2 => {
                config.attention.key_heads = Some(2);
                config.biases.attention = true;
                config
            }
            Self::Qwen3 => {
                config.attention.key_heads = Some(2);
                config.attention.head_width = Some(12);
                config.attention.query_key_norm = true;
                config.attention.rotary = rotary(1_000_000.0, None);
                config
            }
            Self::Gemma => {
                config.attention.key_heads = Some(1);
                config.attention.head_width = Some(6);
                config.norm.plus_one = true;
                TransformerConfig {
                    scaled_embeddings: true,
                    feed_forward: Some(FeedForwardConfig {
                        width: 40,
                        activation: Activation::GeluTanh,
                        gated: true,
                    }),
                    ..config
                }
            }
        }
    }
}

/// A configuration of a language model, of parts and sizes drawn at random.
pub fn draw_language_config(seed: u64) -> TransformerConfig {
    let mut draw = Draw::new(2000 + seed);
    let mut below = |end: usize| ((draw.number() + 1.0) / 2.0 * end as f32) as usize % end;
    let heads: usize = [1, 2, 4, 6][below(4)];
    let divisors: Vec<usize> = (1..=heads).filter(|of| heads.is_multiple_of(*of)).collect();
    let scaling = RotaryScaling {
        factor: [0.5, 2.0, 8.0][below(3)],
        low_frequency: 1.0,
        high_frequency: [2.0, 4.0][below(2)],
        original_positions: 8 + below(60),
    };
    let rotary = RotaryConfig {
        theta: [10.0, 10_000.0][below(2)],
        scaling: (below(2) == 0).then_some(scaling),
    };
    let tied = below(2) == 0;
    let base = draw_config(seed);
    TransformerConfig {
        // A norm over two features gives the same for all of them.
        width: heads * (4 + 2 * below(3)),
        heads,
        embedding_width: base.embedding_width.filter(|_| !tied),
        scaled_embeddings: below(2) == 0,
        attention: AttentionConfig {
            key_heads: Some(divisors[below(divisors.len())]),
            head_width: (below(2) == 0).then(|| 4 + 2 * below(4)),
            causal: true,
            window: (below(2) == 0).then(|| 1 + below(9)),
            rotary: (below(3) > 0).then_some(rotary),
            query_key_norm: below(2) == 0,
        },
        biases: Biases {
            attention: below(2) == 0,
            attention_output: below(2) == 0,
            feed_forward: below(2) == 0,
        },
        feed_forward: (base.feed_forward).map(|part| FeedForwardConfig {
            gated: below(3) > 0,
            ..part
        }),
        norm: NormConfig {
            plus_one: base.norm.affine && below(2) == 0,
            ..base.norm
        },
        pooler: None,
        head: Head::NextToken { tied },
        labels: Vec::new(),
        ..base
    }
}

/// A configuration of parts and sizes drawn at random.
pub fn draw_config(seed: u64) -> TransformerConfig {
    let mut draw = Draw::new(1000 + seed);
    let mut below = |end: usize| ((draw.number() + 1.0) / 2.0 * end as f32) as usize % end;
    let activations = Activation::ALL;
    let mut norm = || NormConfig {
        scale: [
            NormScale::InsideRoot,
            NormScale::OutsideRoot,
            NormScale::RootMeanSquare,
        ][below(3)]([1e-12, 1e-5, 0.1][below(3)]),
        affine: below(3) > 0,
        plus_one: false,
    };
    let (norm, embedding_norm) = (norm(), norm());
    let heads = [1, 2, 4][below(3)];
    TransformerConfig {
        width: heads * (2 + below(5)),
        heads,
        blocks: 1 + below(4),
        token_types: below(3),
        scaled_attention: below(2) == 0,
        feed_forward: (below(3) > 0).then(|| FeedForwardConfig {
            width: 3 + below(30),
            activation: activations[below(5)],
            gated: false,
        }),
        norm,
        norm_placement: [NormPlacement::Before, NormPlacement::After][below(2)],
        embedding_norm: (below(2) == 0).then_some(embedding_norm),
        pooler: activations.get(below(6)).copied(),
        embedding_width: (below(2) == 0).then(|| 4 + below(9)),
        first_position: below(3),
        ..Architecture::PostNorm.config()
    }
}

/// Random numbers between -1 and 1: xorshift64*.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn number(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        (bits as f64 / (1_u64 << 52) as f64 - 1.0) as f32
    }
}

/// A model of which every parameter is drawn at random, biases, factors and shifts too. Burn's own
/// generator is shared by all tests of a program, so it is not used.
pub fn model(config: &TransformerConfig) -> Model {
    model_on(config, &Device::flex())
}

pub fn model_on(config: &TransformerConfig, device: &Device) -> Model {
    let mut draw = Draw::new(config.blocks as u64);
    filled(config, device, |name, shape| {
        let mut numbers = |centre: f32, size: f32| {
            let count = shape.iter().product();
            (0..count).map(|_| centre + size * draw.number()).collect()
        };
        match name.rsplit_once('.').unwrap_or_default() {
            (_, "gamma") => numbers(1.0, 0.5),
            (_, "beta") => numbers(0.0, 0.3),
            (_, "bias") => numbers(0.0, 0.3),
            (module, _) if module.starts_with("embeddings") => numbers(0.0, 1.0),
            // Keeps the size of hidden states about where it is.
            _ => numbers(0.0, (3.0 / shape[0] as f32).sqrt()),
        }
    })
}

/// A model of which every parameter is drawn at random. `shifts` scales biases and betas.
pub fn random(config: &TransformerConfig, shifts: f32, seed: u64) -> Model {
    let mut draw = Draw::new(seed);
    filled(config, &Device::flex(), |name, shape| {
        let (centre, size) = match name.rsplit_once('.').unwrap_or_default() {
            (_, "gamma") => (1.0, 0.5),
            (_, "beta" | "bias") => (0.0, shifts),
            (module, _) if module.starts_with("embeddings") => (0.0, 1.0),
            _ => (0.0, (3.0 / shape[0] as f32).sqrt()),
        };
        let count = shape.iter().product();
        (0..count).map(|_| centre + size * draw.number()).collect()
    })
}

/// A model with the parameters that `fill` gives for their names and shapes.
pub fn filled(
    config: &TransformerConfig,
    device: &Device,
    fill: impl FnMut(&str, &[usize]) -> Vec<f32>,
) -> Model {
    let transformer = Transformer::new(config, device).unwrap();
    let mut mapper = Mapper {
        path: ParameterPath::default(),
        fill,
    };
    Model::new(transformer.map(&mut mapper), tokenizer())
}

struct Mapper<F> {
    path: ParameterPath,
    fill: F,
}

impl<F: FnMut(&str, &[usize]) -> Vec<f32>> ModuleMapper for Mapper<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        parameter.map(|old| {
            let values = (self.fill)(&name, &old.dims());
            Tensor::from_data(TensorData::new(values, old.dims()), &old.device())
        })
    }
}

/// Every parameter of a model, by its name.
pub fn parameters(transformer: &Transformer) -> BTreeMap<String, Vec<f64>> {
    let mut reader = Reader::default();
    transformer.visit(&mut reader);
    reader.found
}

#[derive(Default)]
struct Reader {
    path: ParameterPath,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.found
            .insert(self.path.name(), numbers(parameter.val()));
    }
}

/// The card, which the calling thread has for itself from now on until it ends. Every test is a
/// thread; when several queue operations on one card, Burn 0.22.1 now and then loses a tensor:
/// "Should have handle for tensor".
#[cfg(feature = "gpu")]
pub fn card() -> Device {
    use std::sync::{Mutex, MutexGuard, PoisonError};
    static CARD: Mutex<()> = Mutex::new(());
    thread_local! {
        static MINE: MutexGuard<'static, ()> = CARD.lock().unwrap_or_else(PoisonError::into_inner);
    }
    MINE.with(|_| ());
    Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
}

/// The model, shared by whoever explains it.
pub fn shared(model: &Model) -> Arc<Model> {
    Arc::new(model.clone())
}

pub fn explainer(model: &Model, preset: &str) -> Explainer {
    let rules = RuleSet::preset(preset).unwrap();
    Explainer::new(&shared(model), &Plan::default().by_rules(rules)).unwrap()
}

pub fn propagation(model: &Model, preset: &str) -> Propagation {
    let rules = RuleSet::preset(preset).unwrap();
    Propagation::new(&shared(model), &rules, &Registry::default()).unwrap()
}

/// The method called `name`.
pub fn method(name: &str, model: &Model, seed: u64) -> Result<Box<dyn Method>, ExplainError> {
    by_name(name, &shared(model), seed)
}

/// The same explainer, asked for something else.
pub trait Asked: Sized {
    fn asked(self, change: impl FnOnce(&mut Plan)) -> Result<Self, ExplainError>;

    fn at(self, site: &str) -> Result<Self, ExplainError> {
        self.asked(|plan| plan.at = Some(site.to_owned()))
    }

    fn position(self, position: usize) -> Result<Self, ExplainError> {
        self.asked(|plan| plan.position = Some(position))
    }

    fn score(self, score: Score) -> Self {
        self.asked(|plan| plan.score = score).unwrap()
    }

    fn truncation(self, truncation: Truncation) -> Self {
        self.asked(|plan| plan.truncation = truncation).unwrap()
    }

    fn with_ledger(self) -> Self {
        self.asked(|plan| plan.ledger = true).unwrap()
    }

    fn recompute(self) -> Self {
        self.asked(|plan| plan.recompute = true).unwrap()
    }

    fn padding(self, side: PaddingSide) -> Self;
}

impl Asked for Explainer {
    fn asked(self, change: impl FnOnce(&mut Plan)) -> Result<Self, ExplainError> {
        let mut plan = self.plan().clone();
        change(&mut plan);
        Self::new(self.model(), &plan)
    }

    fn padding(self, side: PaddingSide) -> Self {
        let (model, plan) = (self.model(), self.plan());
        let rules = plan.rule_set().unwrap();
        let mut propagation = Propagation::new(model, &rules, &Registry::default()).unwrap();
        if let Some(site) = &plan.at {
            propagation = propagation.at(site).unwrap();
        }
        Self::by(model, Arc::new(propagation.padding(side)), plan).unwrap()
    }
}

/// Explains `texts` in one batch.
pub fn explain_together(explainer: &Explainer, texts: &[&str]) -> Vec<Explanation> {
    let tokenized: Vec<_> = texts
        .iter()
        .map(|text| explainer.tokenize(text).unwrap())
        .collect();
    explainer.explain_batch(&tokenized).unwrap()
}

pub fn relevance(explanation: &Explanation) -> Vec<f64> {
    explanation
        .tokens
        .iter()
        .map(|token| f64::from(token.relevance))
        .collect()
}

pub fn logits(explanation: &Explanation) -> Vec<f64> {
    explanation.logits.iter().copied().map(f64::from).collect()
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data_as::<f64>().try_into_vec().unwrap()
}

/// The largest difference, in units of the largest expected absolute value.
pub fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "nothing to compare with");
    let finite = found.iter().chain(expected).all(|x| x.is_finite());
    assert!(finite, "not finite: {found:?} instead of {expected:?}");
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max) / largest
}

/// Texts of 1, 3, 12 and 40 words.
pub fn texts() -> [String; 4] {
    let words: Vec<&str> = CORPUS[..4]
        .iter()
        .flat_map(|text| text.split(' '))
        .collect();
    [1, 3, 12, 40].map(|length| {
        let words = words.iter().cycle().skip(length).step_by(3).take(length);
        words.copied().collect::<Vec<_>>().join(" ")
    })
}
