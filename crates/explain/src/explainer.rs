//! Relevance as explanations of texts.

use std::sync::Arc;

use rayon::prelude::*;
use relprop_checkpoints::{Model, TextError, Truncation};
use relprop_rules::Registry;
use relprop_transformer::{Content, Head, TokenizedText};

use crate::batching::Passes;
use crate::methods::{Method, Question};
use crate::run::Run;
use crate::{ExplainError, Explanation, Plan, Scalar, SegmentRelevance, Target, hopped};

/// Explains the decisions of one model as a [`Plan`] says.
///
/// The explanation of a text does not depend on the other texts of a batch. An explainer shares
/// ownership of the model: it can be kept, cloned at no cost and used by several threads.
#[derive(Clone, Debug)]
pub struct Explainer {
    pub(crate) model: Arc<Model>,
    pub(crate) method: Arc<dyn Method>,
    pub(crate) plan: Plan,
    pub(crate) run: Run,
}

impl Explainer {
    /// Explains `model` as `plan` says.
    ///
    /// # Errors
    ///
    /// Everything that can be refused is refused here: rules that do not fit the model, a site, a
    /// label or a method that does not exist, and options that exclude each other.
    pub fn new(model: &Arc<Model>, plan: &Plan) -> Result<Self, ExplainError> {
        Self::with_registry(model, plan, &Registry::default())
    }

    /// The same with the rules of `registry`, which may hold rules of your own.
    ///
    /// # Errors
    ///
    /// As [`Explainer::new`].
    pub fn with_registry(
        model: &Arc<Model>,
        plan: &Plan,
        registry: &Registry,
    ) -> Result<Self, ExplainError> {
        plan.check(model)?;
        Self::by(model, plan.method(model, registry)?, plan)
    }

    /// The same with a method of your own. Only the target, its unit, the position and the
    /// treatment of long texts are taken from `plan`.
    ///
    /// # Errors
    ///
    /// If the model does not have the target or the position.
    pub fn by(
        model: &Arc<Model>,
        method: Arc<dyn Method>,
        plan: &Plan,
    ) -> Result<Self, ExplainError> {
        plan.check(model)?;
        plan.check_target(method.as_ref())?;
        Ok(Self {
            run: Run::new(model, method.as_ref()),
            model: Arc::clone(model),
            method,
            plan: plan.clone(),
        })
    }

    /// The same explainer, asked for another target.
    ///
    /// # Errors
    ///
    /// If the model does not have it, or the method does not explain it.
    pub fn target(&self, target: Target) -> Result<Self, ExplainError> {
        let mut plan = self.plan.clone();
        plan.target.of = target;
        Self::by(&self.model, Arc::clone(&self.method), &plan)
    }

    /// The model that is explained.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What was asked.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why there is next to no relevance at the site that was asked for, and where there is; none if there is no
    /// reason to say so.
    pub fn warning(&self) -> Option<String> {
        self.method.warning()
    }

    /// How relevance is found.
    pub fn method(&self) -> &dyn Method {
        self.method.as_ref()
    }

    /// Splits a text into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, TextError> {
        self.placed(self.model.tokenize(text, None, self.plan.truncation)?)
    }

    /// Writes a chat by the model's template, and splits it into tokens as the model reads them: a list of
    /// messages in JSON, or a text that a user says.
    ///
    /// # Errors
    ///
    /// As [`Model::tokenize_chat`], and [`Explainer::tokenize`].
    pub fn tokenize_chat(&self, text: &str) -> Result<TokenizedText, TextError> {
        self.placed(self.model.tokenize_chat(text, self.plan.truncation)?)
    }

    /// Splits a prompt into tokens, to be put before an answer; one that is written by the model's template, if
    /// it is a `chat`.
    ///
    /// # Errors
    ///
    /// As [`Explainer::tokenize`] and [`Explainer::tokenize_chat`].
    pub fn tokenize_prompt(&self, text: &str, chat: bool) -> Result<TokenizedText, TextError> {
        match chat {
            true => self.model.tokenize_chat(text, self.plan.truncation),
            false => self.model.tokenize(text, None, self.plan.truncation),
        }
    }

    /// The segments of a text, as the plan cuts it; none if it does not.
    pub(crate) fn segments(
        &self,
        text: &TokenizedText,
        relevance: &[f32],
    ) -> Vec<SegmentRelevance> {
        let segments = self.plan.segments.as_ref();
        let found = segments.and_then(|segments| segments.segments(text, relevance).ok());
        found.unwrap_or_default()
    }

    /// A text that is asked at the plan's place.
    pub(crate) fn placed(&self, mut text: TokenizedText) -> Result<TokenizedText, TextError> {
        if let Some(segments) = &self.plan.segments {
            segments.check(&text)?;
        }
        let Scalar { of, place, .. } = &self.plan.target;
        let given = of.is_given();
        if let Some(place) = place {
            // An answer stands after the prompt, or in the second text.
            let from = match text.content {
                Content::Text { second } if given => second.unwrap_or(0),
                Content::Text { .. } | Content::Picture(_) => 0,
            };
            text.asked = place.tokens(&text, from, || {
                self.entities(&text).map_err(|error| TextError::Place {
                    place: place.to_string(),
                    why: error.to_string(),
                })
            })?;
            if text.source > 0 && self.model.transformer.config().head == Head::Span {
                // The state of a token of the output answers for one of the source.
                text.asked.retain(|token| *token < text.source);
            }
        } else if given && text.asked.is_empty() {
            return Err(TextError::NoAnswer);
        }
        let goes_on = matches!(self.model.transformer.config().head, Head::NextToken { .. });
        if let (true, true, Some(place)) = (given, goes_on, place) {
            // A token is asked of the one before it.
            let before = text.asked.iter().map(|token| token.checked_sub(1));
            text.asked = before.collect::<Option<_>>().ok_or_else(|| {
                let why = "nothing stands before the first token of the text".to_owned();
                let place = place.to_string();
                TextError::Place { place, why }
            })?;
        }
        let is_mask = matches!(
            self.model.transformer.config().head,
            Head::MaskedToken { .. }
        );
        if is_mask && text.asked.len() != 1 {
            let mask = self.model.tokenizer().and_then(|tokenizer| {
                let mask = tokenizer.mask()?;
                tokenizer.token(mask)
            });
            return Err(TextError::Masks {
                mask: mask.unwrap_or_else(|| "[MASK]".to_owned()),
                found: text.asked,
            });
        }
        Ok(text)
    }

    /// Splits a pair of texts into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// As [`Explainer::tokenize`], and if the model does not read pairs.
    pub fn tokenize_pair(&self, first: &str, second: &str) -> Result<TokenizedText, TextError> {
        self.placed((self.model).tokenize(first, Some(second), self.plan.truncation)?)
    }

    /// A prompt with an answer that was given to it, for [`Target::Given`]: each token of the answer is asked of
    /// the token before it.
    ///
    /// # Errors
    ///
    /// As [`Explainer::answered`].
    pub fn tokenize_answer(
        &self,
        prompt: &str,
        answer: &str,
    ) -> Result<TokenizedText, ExplainError> {
        let prompt = self.model.tokenize(prompt, None, Truncation::Refuse)?;
        self.answered(prompt, answer)
    }

    /// The same for a [prompt](Explainer::tokenize_prompt) that was split into tokens.
    ///
    /// # Errors
    ///
    /// As [`Explainer::tokenize`]; [`ExplainError::NoContinuation`] if the model does not go on with texts.
    pub fn answered(
        &self,
        prompt: TokenizedText,
        answer: &str,
    ) -> Result<TokenizedText, ExplainError> {
        let config = self.model.transformer.config();
        if !matches!(config.head, Head::NextToken { .. }) {
            return Err(ExplainError::NoContinuation);
        }
        let mut text = prompt;
        let after = text.tokens.len();
        text.text.push_str(before_output(&text));
        let shift = text.text.chars().count();
        let words = text.tokens.iter().filter_map(|token| token.word).max();
        let words = words.map_or(0, |last| last + 1);
        // A tokenizer may put a token at the start of a text, but none belongs into its middle.
        for mut token in self.model.tokenize_output(answer)? {
            token.start += shift;
            token.end += shift;
            token.word = token.word.map(|word| word + words);
            text.tokens.push(token);
            text.types.push(0);
        }
        text.text.push_str(answer);
        text.content = Content::Text {
            second: Some(shift),
        };
        let tokens = text.tokens.len();
        let own = tokens - text.source;
        if own > config.positions {
            let positions = config.positions;
            return Err(TextError::TooLong {
                tokens: own,
                positions,
            }
            .into());
        }
        text.asked = (after.max(1) - 1..tokens - 1).collect();
        Ok(self.placed(text)?)
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

    /// Explains any number of [tokenized](Explainer::tokenize) texts, in passes that are bounded in memory.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails on a single text.
    pub fn explain_batch(&self, texts: &[TokenizedText]) -> Result<Vec<Explanation>, ExplainError> {
        let texts: Vec<_> = texts.iter().collect();
        self.explain_in(&mut Passes::default(), &texts, |_| ())
    }

    /// The same in `passes` of the caller, who can cancel the work. Calls `warn` when a pass was
    /// too large for the device.
    ///
    /// # Errors
    ///
    /// As [`Explainer::explain_batch`], and [`ExplainError::Cancelled`].
    pub fn explain_in(
        &self,
        passes: &mut Passes,
        texts: &[&TokenizedText],
        warn: impl Fn(&str),
    ) -> Result<Vec<Explanation>, ExplainError> {
        let question = self.question();
        if self.plan.hops > 0 {
            let hop = |text: &&TokenizedText| {
                let (mut found, hops) =
                    hopped(self.method.as_ref(), text, &question, self.plan.hops)?;
                if !self.plan.ledger {
                    found.ledger = None;
                }
                let explanation = Explanation::new(self, text, found);
                Ok(Explanation {
                    hops,
                    ..explanation
                })
            };
            return passes.run(texts, 1, |texts| texts.iter().map(hop).collect(), warn);
        }
        let explain = |texts: &[&TokenizedText]| {
            let found = self.method.find(texts, &question)?.into_par_iter();
            let explanations = texts.par_iter().zip(found);
            Ok(explanations
                .map(|(text, found)| Explanation::new(self, text, found))
                .collect())
        };
        let windowed = |text: &TokenizedText| self.is_in_windows(text);
        if !texts.iter().any(|text| windowed(text)) {
            return passes.run(texts, 1, explain, warn);
        }
        let at_once = texts.iter().copied().filter(|text| !windowed(text));
        let at_once: Vec<&TokenizedText> = at_once.collect();
        let mut at_once = passes.run(&at_once, 1, explain, &warn)?.into_iter();
        let each = texts.iter().map(|text| match windowed(text) {
            true => self.explain_windows(passes, text, &warn),
            false => Ok(at_once.next().expect("an explanation for each")),
        });
        each.collect()
    }

    /// The question to the method.
    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            model: &self.model,
            target: self.plan.target.of,
            score: self.plan.target.score,
            weights: None,
        }
    }
}

/// What stands between a text and its answer: a line break where they are the source and the output of a model that has a
/// decoder.
pub(crate) fn before_output(text: &TokenizedText) -> &'static str {
    if text.source > 0 { "\n" } else { "" }
}
