//! Relevance propagation through a model, for texts.

use std::fmt;
use std::sync::{Arc, OnceLock};

use burn::module::Module;
use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;
use relprop_checkpoints::{Model, TextError, Truncation};
use relprop_rules::{BoundRules, Pass, Registry, Relevance, RuleError, RuleSet};
use relprop_transformer::{AnswersAt, Batch, Outputs, PaddingSide, TokenizedText, Transformer};

use crate::account::Plan;
use crate::methods::reader::per_token;
use crate::methods::{Method, relevance_by_label};
use crate::runs::logits;
use crate::target::argmax;
use crate::{
    Absorbed, Explanation, Ledger, ModelInfo, PictureInfo, SCHEMA, SamplingError, Score, Target,
    TargetValue, TokenRelevance, UnknownTarget, WordRelevance,
};

/// The site at which relevance is read unless another is asked for: the input of the first block.
pub const DEFAULT_SITE: &str = "blocks";

/// Explains the decisions of one model under one rule set.
///
/// One forward and one backward pass explain a whole batch of texts. What a text gets does not
/// depend on the batch that it is in.
#[derive(Clone, Debug)]
pub struct Explainer<'m> {
    model: &'m Model,
    rules: BoundRules,
    rules_name: String,
    at: String,
    target: Target,
    score: Score,
    position: Option<usize>,
    recompute: bool,
    truncation: Truncation,
    padding: PaddingSide,
    ledger: Option<Plan>,
    method: Option<By<'m>>,
    /// The model in f64, once an account has needed it.
    double: Arc<OnceLock<Transformer>>,
}

/// What explains in the place of propagation.
#[derive(Clone)]
struct By<'m>(Arc<dyn Method + 'm>);

impl fmt::Debug for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// Why a text, or a model, cannot be explained as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The rule set does not fit the model, or there is no such site.
    #[error(transparent)]
    Rules(RuleError),
    /// The model has no such target.
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    /// The text cannot be given to the model.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The site has no relevance per token.
    #[error(
        "relevance cannot be read at `{site}`: its signal does not have one vector a token; \
         `blocks` and `embeddings.word` do"
    )]
    NotPerToken {
        /// The site.
        site: String,
    },
    /// The device failed: it is out of memory, or it is gone.
    #[error(
        "the device failed; it may be out of memory or lost: use fewer or shorter texts at once, \
         or another device\n{0}"
    )]
    Device(String),
    /// There is no method of this name.
    #[error("there is no method `{name}`; there are {}", known.join(", "))]
    UnknownMethod {
        /// What was asked for.
        name: String,
        /// The methods that there are.
        known: Vec<&'static str>,
    },
    /// A method cannot do with this parameter, or not without it.
    #[error("{method}: {message}")]
    MethodParameter {
        /// The method.
        method: String,
        /// What is wrong.
        message: String,
    },
    /// The method needs a token that the vocabulary does not have.
    #[error("the model's vocabulary has no {} to put in the place of others", names.join(" or "))]
    NoToken {
        /// What it may be called.
        names: Vec<&'static str>,
    },
    /// Only a language model reads at several positions.
    #[error("the model classifies whole texts: only a language model is explained at a position")]
    Position,
    /// Tokens cannot be drawn like that.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    /// The method explains one logit.
    #[error(
        "`{method}` explains one logit, not the difference of two: give one label as the target"
    )]
    Contrast {
        /// The method.
        method: String,
    },
    /// The method needs attention weights.
    #[error("the model has no attention weights")]
    NoAttention,
}

impl From<RuleError> for ExplainError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Device(error) => Self::Device(error),
            error => Self::Rules(error),
        }
    }
}

impl<'m> Explainer<'m> {
    /// Explains `model` under `rules`: the predicted label's logit, read at [`DEFAULT_SITE`].
    ///
    /// # Errors
    ///
    /// If the rule set does not fit the model: see [`RuleSet::bind`].
    pub fn new(model: &'m Model, rules: &RuleSet, registry: &Registry) -> Result<Self, RuleError> {
        Ok(Self {
            model,
            rules: rules.bind(&model.transformer.sites(), registry)?,
            rules_name: rules.name.clone(),
            at: DEFAULT_SITE.to_owned(),
            target: Target::default(),
            score: Score::default(),
            position: None,
            recompute: false,
            truncation: Truncation::default(),
            padding: PaddingSide::default(),
            ledger: None,
            method: None,
            double: Arc::default(),
        })
    }

    /// Reads relevance at `site` instead.
    ///
    /// # Errors
    ///
    /// If the model has no such site, or the signal there is not one vector a token.
    pub fn at(mut self, site: &str) -> Result<Self, ExplainError> {
        per_token(&self.model.transformer, site)?;
        site.clone_into(&mut self.at);
        self.recompute &= site == DEFAULT_SITE;
        Ok(match self.ledger {
            Some(_) => self.with_ledger(),
            None => self,
        })
    }

    /// Explains by `method` in the place of propagation. The rules, the site and the ledger then
    /// decide nothing, and the target must be one logit.
    pub fn by(mut self, method: Box<dyn Method + 'm>) -> Self {
        self.method = Some(By(Arc::from(method)));
        self
    }

    /// The name of the rule set.
    pub fn rules_name(&self) -> &str {
        &self.rules_name
    }

    /// Explains `target` instead.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`] if the model has no label of that index.
    pub fn target(mut self, target: Target) -> Result<Self, UnknownTarget> {
        let config = self.model.transformer.config();
        self.target = target.check(config.logits(), &config.labels)?;
        Ok(self)
    }

    /// Measures the target in this unit. Other methods than propagation know logits only.
    pub fn score(mut self, score: Score) -> Self {
        self.score = score;
        self
    }

    /// Explains what a language model expects after the token `position` of each text, counted from 0,
    /// in the place of the last one.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Position`] if the model is no language model.
    pub fn position(mut self, position: usize) -> Result<Self, ExplainError> {
        match self.model.transformer.config().head.answers_at() {
            AnswersAt::Last => {}
            AnswersAt::First => return Err(ExplainError::Position),
        }
        self.position = Some(position);
        Ok(self)
    }

    /// Keeps of the forward run only the inputs of the blocks, and runs each block again on the way
    /// back: less memory, more time, the same relevance up to rounding. Only for relevance that is read
    /// at [`DEFAULT_SITE`], without a ledger; other explanations are made as ever.
    pub fn recompute(mut self) -> Self {
        self.recompute = self.at == DEFAULT_SITE && self.ledger.is_none();
        self
    }

    /// The model that is explained.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// Says what to do with texts that are too long; they are cut unless it is said.
    pub fn truncation(mut self, truncation: Truncation) -> Self {
        self.truncation = truncation;
        self
    }

    /// Fills up shorter texts of a batch on this side. It makes no difference to the result.
    pub fn padding(mut self, side: PaddingSide) -> Self {
        self.padding = side;
        self
    }

    /// Keeps the account of every explanation: its [`Ledger`]. Texts are then explained one by one.
    /// Where the digits of f32 are too few to close it, the text is explained in f64, if the device
    /// has that.
    pub fn with_ledger(mut self) -> Self {
        self.ledger = Some(Plan::new(&self.model.transformer, &self.at));
        self.recompute = false;
        self
    }

    /// Splits a text into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, TextError> {
        let mut text = self.model.tokenize(text, None, self.truncation)?;
        if let Some(position) = self.position {
            let tokens = text.tokens.len();
            if position >= tokens {
                return Err(TextError::Position { position, tokens });
            }
            text.position = Some(position);
        }
        Ok(text)
    }

    /// Splits a pair of texts into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// As [`Explainer::tokenize`], and if the model does not read pairs.
    pub fn tokenize_pair(&self, first: &str, second: &str) -> Result<TokenizedText, TextError> {
        self.model.tokenize(first, Some(second), self.truncation)
    }

    /// Explains one text.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut, or [`ExplainError::Device`].
    pub fn explain(&self, text: &str) -> Result<Explanation, ExplainError> {
        let tokenized = self.tokenize(text)?;
        Ok(self.explain_batch(&[tokenized])?.remove(0))
    }

    /// Explains a batch of [tokenised](Explainer::tokenize) texts in one forward and one backward
    /// pass. Memory grows with the longest text and with the number of texts.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails, and [`RuleError::NoProbe`] if the model did not
    /// come by the site; it always should.
    pub fn explain_batch(&self, texts: &[TokenizedText]) -> Result<Vec<Explanation>, ExplainError> {
        if let Some(By(method)) = &self.method {
            return self.explain_by(method.as_ref(), texts);
        }
        if let Some(plan) = &self.ledger {
            // A bias is one number for all texts: what it absorbs is known text by text.
            return texts.iter().map(|text| self.account(plan, text)).collect();
        }
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let pass = Pass::new(&self.rules).with_probe(&self.at);
        let (explanations, ..) = self.run(&self.model.transformer, texts, pass)?;
        Ok(explanations)
    }

    /// Explains the texts by another method.
    fn explain_by(
        &self,
        method: &dyn Method,
        texts: &[TokenizedText],
    ) -> Result<Vec<Explanation>, ExplainError> {
        let logits = logits(&self.model.transformer, texts)?;
        let labels = logits.iter().map(|row| self.target.label(row));
        let labels: Option<Vec<usize>> = labels.collect();
        let labels = labels.ok_or_else(|| ExplainError::Contrast {
            method: method.name().to_owned(),
        })?;
        let of_texts: Vec<&TokenizedText> = texts.iter().collect();
        let relevance = relevance_by_label(method, &of_texts, &labels)?;
        let explanations = texts.iter().zip(logits).zip(relevance);
        let explanations = explanations.map(|((text, logits), relevance)| Explanation {
            method: method.name().to_owned(),
            rules: String::new(),
            ..self.explanation(text, &logits, &relevance)
        });
        Ok(explanations.collect())
    }

    /// Explains one text with its ledger. Rules that make relevance of both signs up, such as
    /// alpha-beta, can leave entries of many times the target, whose rounding shows.
    fn account(&self, plan: &Plan, text: &TokenizedText) -> Result<Explanation, ExplainError> {
        let transformer = &self.model.transformer;
        let explanation = self.account_in(transformer, plan, text)?;
        let closes = explanation.ledger.as_ref().is_some_and(Ledger::closes);
        if closes || !transformer.device().supports_dtype(DType::F64) {
            return Ok(explanation);
        }
        let double = || transformer.clone().cast(DType::F64);
        self.account_in(self.double.get_or_init(double), plan, text)
    }

    fn account_in(
        &self,
        transformer: &Transformer,
        plan: &Plan,
        text: &TokenizedText,
    ) -> Result<Explanation, ExplainError> {
        let texts = std::slice::from_ref(text);
        let (mut explanations, logits, mut recorded) =
            self.run(transformer, texts, plan.pass(&self.rules))?;
        let mut explanation = explanations.remove(0);
        let tokens = explanation.tokens.iter().map(|t| t.relevance).collect();
        let mut ledger = plan.ledger(&mut recorded, tokens)?;
        let scored = self.score.of(self.target.weights(&logits), &logits);
        if scored.entropy != 0.0 {
            ledger.enter(
                scored.value,
                Absorbed {
                    site: "log-probability".to_owned(),
                    operation: None,
                    kind: "entropy".to_owned(),
                    relevance: -scored.entropy,
                },
            );
        }
        explanation.ledger = Some(ledger);
        Ok(explanation)
    }

    /// Explains the texts in `pass`, and gives their logits and what else it recorded.
    fn run(
        &self,
        transformer: &Transformer,
        texts: &[TokenizedText],
        mut pass: Pass,
    ) -> Result<(Vec<Explanation>, Vec<f32>, Relevance), ExplainError> {
        // Of a model in training too: nothing is to flow to its weights.
        let transformer = transformer.clone().valid();
        let device = transformer.device();
        let padding_token = transformer.config().padding_token;
        let batch = Batch::new(texts, padding_token, self.padding, &device);

        let labels = transformer.config().logits();
        // One backward pass for all texts: no text's target depends on another text.
        let weigh = |values: &[f32], dtype: DType| {
            let rows = values.chunks(labels);
            let weights = rows.flat_map(|row| self.score.of(self.target.weights(row), row).weights);
            let weights = TensorData::new(weights.collect(), [texts.len(), labels]);
            Tensor::<2>::from_data(weights, (&device, dtype))
        };
        let (values, relevance, recorded) = if self.recompute {
            let mut read = Ok(Vec::new());
            let (_, relevance) = transformer.relevance_by_blocks(&batch, &self.rules, |logits| {
                let dtype = logits.dtype();
                read = numbers(logits);
                let lost = vec![0.0; texts.len() * labels];
                weigh(read.as_ref().unwrap_or(&lost), dtype)
            });
            (read?, relevance, pass.into_readings())
        } else {
            let logits = transformer.forward(&batch, &mut pass);
            let values = numbers(logits.clone())?;
            let target = (logits.clone() * weigh(&values, logits.dtype())).sum();
            let mut recorded = pass.backward(target);
            let relevance: Tensor<3> = recorded.take(&self.at)?;
            (values, relevance, recorded)
        };
        let rows: Vec<&[f32]> = values.chunks(labels).collect();

        let relevance = per_position(relevance, batch.positions.dims()[1]);
        let positions = relevance.dims()[1];
        let relevance = numbers(relevance)?;
        let of_text = relevance.par_chunks(positions).zip(&batch.spans);
        let explanations = texts.par_iter().zip(rows).zip(of_text);
        let explanations = explanations
            .map(|((text, logits), (relevance, span))| {
                self.explanation(text, logits, &relevance[span.clone()])
            })
            .collect();
        Ok((explanations, values, recorded))
    }

    fn explanation(&self, text: &TokenizedText, logits: &[f32], relevance: &[f32]) -> Explanation {
        let name = |index| self.model.output(index);
        let weights = self.target.weights(logits);
        let value = self.score.of(weights.clone(), logits).value as f32;
        let head = self.model.transformer.config().head;
        let (shown, probability) = match head.outputs() {
            Outputs::Labels => ((0..logits.len()).collect(), None),
            Outputs::Vocabulary => {
                let probability = probability(logits, argmax(logits));
                (likeliest(logits, &weights), Some(probability))
            }
        };
        let tokens = text.tokens.iter().zip(relevance);
        let tokens = tokens.map(|(token, relevance)| TokenRelevance::new(token, *relevance));
        let mut tokens: Vec<_> = tokens.collect();
        if let Some(picture) = text.picture() {
            let [_, columns] = picture.grid();
            for (token, found) in text.tokens.iter().zip(&mut tokens) {
                let Some(patch) = token.word.map(|word| word as usize) else {
                    continue;
                };
                found.text = format!("{},{}", patch / columns, patch % columns);
                found.area = Some(picture.area(patch));
            }
        }
        Explanation {
            schema: SCHEMA.to_owned(),
            text: text.text.clone(),
            picture: text.picture().map(|picture| {
                let ([width, height], [rows, columns]) = (picture.size(), picture.grid());
                PictureInfo {
                    width,
                    height,
                    rows,
                    columns,
                }
            }),
            method: "lrp".to_owned(),
            rules: self.rules_name.clone(),
            at: self.at.clone(),
            model: ModelInfo {
                family: self.model.family.name.to_owned(),
                sha256: self.model.sha256.clone(),
            },
            device: device_name(&self.model.transformer),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logits: shown.iter().map(|&index| logits[index]).collect(),
            labels: shown.iter().map(|&index| name(index)).collect(),
            prediction: name(argmax(logits)),
            probability,
            position: match head.answers_at() {
                AnswersAt::First => None,
                AnswersAt::Last => Some(text.last()),
            },
            target: TargetValue {
                label: self.target.name(logits, name),
                score: self.score,
                value,
            },
            tokens,
            words: match text.picture() {
                None => words(text, relevance),
                Some(_) => Vec::new(),
            },
            dropped_tokens: text.dropped,
            ledger: None,
        }
    }
}

/// How many of a language model's logits are kept.
const SHOWN: usize = 10;

/// The indices of the largest logits, and of those that have a weight, the largest first.
fn likeliest(logits: &[f32], weights: &[f32]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..logits.len()).collect();
    indices.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let places = indices.into_iter().enumerate();
    let shown = places.filter(|&(place, index)| place < SHOWN || weights[index] != 0.0);
    shown.map(|(_, index)| index).collect()
}

/// The softmax of the logits at `index`.
pub(crate) fn probability(logits: &[f32], index: usize) -> f32 {
    let largest = logits[argmax(logits)];
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    (logits[index] - largest).exp() / sum
}

/// Relevance of each position, `[batch, position, 1]`, of what has it feature by feature. At the pixels
/// there is no token before the patches yet: such tokens get nothing.
fn per_position(relevance: Tensor<3>, positions: usize) -> Tensor<3> {
    let relevance = relevance.sum_dim(2);
    let [texts, found, _] = relevance.dims();
    if found == positions {
        return relevance;
    }
    let options = (&relevance.device(), relevance.dtype());
    let nothing = Tensor::zeros([texts, positions - found, 1], options);
    Tensor::cat(vec![nothing, relevance], 1)
}

/// Merges the word pieces of each word.
pub fn words(text: &TokenizedText, relevance: &[f32]) -> Vec<WordRelevance> {
    let characters: Vec<char> = text.text.chars().collect();
    let mut words: Vec<(u32, WordRelevance)> = Vec::new();
    for (token, relevance) in text.tokens.iter().zip(relevance) {
        let Some(word) = token.word else { continue };
        match words.last_mut() {
            Some((last, merged)) if *last == word => {
                merged.end = token.end;
                merged.relevance += relevance;
            }
            _ => {
                let (start, end, relevance) = (token.start, token.end, *relevance);
                words.push((
                    word,
                    WordRelevance {
                        text: String::new(),
                        start,
                        end,
                        relevance,
                    },
                ));
            }
        }
    }
    let text_of = |word: &WordRelevance| characters[word.start..word.end].iter().collect();
    words
        .into_iter()
        .map(|(_, word)| WordRelevance {
            text: text_of(&word),
            ..word
        })
        .collect()
}

/// What Burn calls the device, in short, and the type of float unless that is f32: `flex`,
/// `wgpu (f16)`.
fn device_name(transformer: &Transformer) -> String {
    // Burn gives a device no name but its debug form, such as `Device<Flex(Cpu)>`. A `Cube` is
    // what runs kernels on cards, through what stands in its brackets.
    let name = format!("{:?}", transformer.device().without_autodiff());
    let name = name
        .trim_start_matches("Device<")
        .trim_start_matches("Cube(");
    let name = name.split(['(', '>', ' ']).next().unwrap_or(name);
    let name = name.to_lowercase();
    match transformer.dtype() {
        DType::F32 => name,
        dtype => format!("{name} ({})", dtype.name()),
    }
}

/// The numbers of a tensor, row by row. A device computes behind the program's back, so this is
/// where its failures show.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ExplainError> {
    let numbers = tensor.try_into_vec_as::<f32>();
    numbers.map_err(|error| ExplainError::Device(error.to_string()))
}
