//! Forward decomposition: what each token holds of every number of the head.

mod rules;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use relprop_checkpoints::Model;
use relprop_rules::{Pass, Site};
use relprop_transformer::{HeadOutput, TokenizedText};
use serde::Deserialize;

use super::{Finding, Method};
use crate::batching::{TOKENS, batch};
use crate::numbers::numbers;
use crate::question::Question;
use crate::{DEFAULT_SITE, ExplainError, Score};

/// Carries the share of every token forward to all numbers of the head at once (DecompX; Modarressi et al. 2023),
/// from the input of the first block.
///
/// ```text
/// x_i = sum_k x_i,k,    x_i,k = x_i where i = k, else 0
/// ```
///
/// Attention weights, the scales of norms and the quotients of activations are those of the text, and each factor
/// of a product gets half of it. What biases add belongs to no token, so that the relevance is that of the rule
/// set `libra`, found forward and not backward; or it is spread over the tokens, whose shares then sum to every
/// number.
///
/// It takes one forward pass with a row for each token of a text, and one more. It explains any target, and all of
/// them at that cost: see [`Decomposition::shares`].
#[derive(Clone, Debug)]
pub struct Decomposition {
    model: Arc<Model>,
    sites: Arc<[Site]>,
    parameters: DecompositionParameters,
}

/// What a [`Decomposition`] is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecompositionParameters {
    /// Whose the terms are that maps and norms add by themselves.
    pub biases: Biases,
}

/// Whose the terms are that operations add by themselves: biases, and the shifts of norms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Biases {
    /// They are nobody's.
    #[default]
    Apart,
    /// They are spread over the tokens, to each by the size of its product with what the token holds where the
    /// term is added: `|b z_k| / sum_k |b z_k|`. All rows of a text stand in one pass then.
    Spread,
}

/// What the tokens of a text hold of the numbers that a head gives for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// The numbers, as [`Transformer::forward`](relprop_transformer::Transformer::forward) gives them.
    pub numbers: Vec<f32>,
    /// The share of each token in each of them, `[token][number]`.
    pub of_token: Vec<Vec<f32>>,
}

impl Decomposition {
    /// Decomposes what `model` computes.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Rules`] if the model has an operation that shares cannot be carried through.
    pub fn new(
        model: &Arc<Model>,
        parameters: DecompositionParameters,
    ) -> Result<Self, ExplainError> {
        // The rows of its batch are shares of one text, which is not so where a batch has two parts.
        if model.transformer.config().decoder.is_some() {
            let method = "decomposition";
            return Err(ExplainError::TwoStacks { method });
        }
        let sites = model.transformer.sites();
        rules::bind(&sites, 2, false)?;
        Ok(Self {
            model: Arc::clone(model),
            sites: sites.into(),
            parameters,
        })
    }

    /// What each token of the text holds of every number of the head: all logits at once.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails.
    pub fn shares(&self, text: &TokenizedText) -> Result<Shares, ExplainError> {
        let mut found = Shares {
            numbers: Vec::new(),
            of_token: Vec::new(),
        };
        self.carry(text, |head| {
            let width = head.numbers.dims()[1];
            let all = numbers(head.numbers)?;
            let mut rows = all.chunks(width.max(1)).map(<[f32]>::to_vec);
            found.numbers = rows.next().unwrap_or_default();
            found.of_token.extend(rows);
            Ok(())
        })?;
        Ok(found)
    }

    /// Runs the text and the shares of its tokens, a few at a time: `read` gets what the head gives for each,
    /// that of the text first.
    fn carry(
        &self,
        text: &TokenizedText,
        mut read: impl FnMut(HeadOutput) -> Result<(), ExplainError>,
    ) -> Result<(), ExplainError> {
        let transformer = self.model.transformer.clone().valid();
        let tokens = text.tokens.len();
        let signal = {
            let mut pass = Pass::plain().with_probe(DEFAULT_SITE);
            transformer.forward(&batch(&transformer, [text]), &mut pass);
            let mut readings = pass.into_readings();
            readings.read::<3>(DEFAULT_SITE)?.signal
        };
        let positions = signal.dims()[1];
        let spread = self.parameters.biases == Biases::Spread;
        let at_once = match spread {
            true => tokens,
            false => (TOKENS / tokens.max(1))
                .saturating_sub(1)
                .clamp(1, tokens.max(1)),
        };
        for first in (0..tokens).step_by(at_once.max(1)) {
            let count = at_once.min(tokens - first);
            let marks = (0..=count).flat_map(|row| {
                let is_there = move |place: usize| row == 0 || place == first + row - 1;
                (0..positions).map(move |place| f32::from(u8::from(is_there(place))))
            });
            let marks = TensorData::new(marks.collect(), [count + 1, positions, 1]);
            let marks = Tensor::<3>::from_data(marks, (&signal.device(), signal.dtype()));
            let rules = rules::bind(&self.sites, count + 1, spread)?;
            let mut pass = Pass::new(&rules).with_signal(DEFAULT_SITE, signal.clone() * marks);
            let copies = batch(&transformer, vec![text; count + 1]);
            read(transformer.forward_with_state(&copies, &mut pass))?;
        }
        Ok(())
    }

    fn find_one(&self, text: &TokenizedText, question: &Question) -> Result<Finding, ExplainError> {
        let mut found: Option<Finding> = None;
        let mut weights = Vec::new();
        self.carry(text, |head| {
            // What the weights of the target are on.
            let read = match question.score {
                Score::Norm => head.state.flatten::<2>(1, 2),
                _ => head.numbers.clone(),
            };
            let found = match &mut found {
                Some(found) => found,
                None => {
                    let scored = question.scored(text, &numbers(read.clone().narrow(0, 0, 1))?);
                    weights = scored.weights;
                    found.insert(Finding {
                        logits: numbers(head.numbers.narrow(0, 0, 1))?,
                        value: scored.value,
                        relevance: Vec::new(),
                        ledger: None,
                    })
                }
            };
            let [rows, width] = read.dims();
            let data = TensorData::new(weights.clone(), [width, 1]);
            let column = Tensor::<2>::from_data(data, (&read.device(), read.dtype()));
            let shares = read.narrow(0, 1, rows - 1).matmul(column);
            found.relevance.extend(numbers(shares)?);
            Ok(())
        })?;
        Ok(found.unwrap_or(Finding {
            logits: Vec::new(),
            value: 0.0,
            relevance: Vec::new(),
            ledger: None,
        }))
    }
}

impl Method for Decomposition {
    fn name(&self) -> &str {
        "decomposition"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let question = Question::of_label(&self.model, label)?;
        let found = self.find(texts, &question)?;
        Ok(found.into_iter().map(|found| found.relevance).collect())
    }

    fn find(
        &self,
        texts: &[&TokenizedText],
        question: &Question,
    ) -> Result<Vec<Finding>, ExplainError> {
        let each = texts.iter().map(|text| self.find_one(text, question));
        each.collect()
    }

    fn takes_any_target(&self) -> bool {
        true
    }
}
