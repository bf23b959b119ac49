//! A text that a language model continues, and the relevance of earlier tokens for each new token.

use relprop_rules::Pass;
use relprop_transformer::{Head, Token, TokenizedText, probability};
use serde::{Deserialize, Serialize};

use crate::batching::{batch, logits_of};
use crate::methods::Question;
use crate::numbers::argmax;
use crate::{
    ExplainError, Explainer, ModelInfo, Sampler, Sampling, Target, TargetValue, TokenRelevance,
};

/// The name and version of the JSON format that a [`Continuation`] is written in.
pub const CONTINUATION: &str = "relprop.continuation/1";

/// A prompt and the tokens that a language model added to it, each one explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    /// Always [`CONTINUATION`].
    pub schema: String,
    /// The prompt, and after it the new tokens. A token whose bytes are no whole character is
    /// written as �.
    pub text: String,
    /// The name of the rule set, or of the method.
    pub by: String,
    /// The site at which relevance was read.
    pub at: String,
    /// The model.
    pub model: ModelInfo,
    /// The version of relprop.
    pub version: String,
    /// How the new tokens were drawn; none if each is the likeliest.
    #[serde(default)]
    pub sampling: Option<Sampling>,
    /// How many of the tokens belong to the prompt.
    pub prompt: usize,
    /// All tokens, those of the prompt first. Their relevance is the sum over all steps.
    pub tokens: Vec<TokenRelevance>,
    /// The new tokens, in order.
    pub steps: Vec<Step>,
}

/// One new token, and the relevance of the tokens before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which token it is: an index into [`Continuation::tokens`].
    pub token: usize,
    /// The probability that the model gave to it, before temperature, top-k and top-p.
    pub probability: f32,
    /// What was explained: the token itself.
    pub target: TargetValue,
    /// The relevance of every token before it.
    pub relevance: Vec<f32>,
}

impl Explainer {
    /// Continues a text by up to `count` tokens and explains each of them. The tokens are drawn as
    /// `sampling` says; without `sampling`, each is the likeliest. It stops before a special token,
    /// such as the end of a text, and where the model has no position for more.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoContinuation`] if the model is no language model, [`ExplainError::Sampling`] if a
    /// number of `sampling` is out of its range, and as [`Explainer::explain_batch`].
    pub fn continuation(
        &self,
        prompt: &TokenizedText,
        count: usize,
        sampling: Option<Sampling>,
    ) -> Result<Continuation, ExplainError> {
        let model = self.model();
        let transformer = &model.transformer;
        let config = transformer.config();
        if !matches!(config.head, Head::NextToken { .. }) {
            return Err(ExplainError::NoContinuation);
        }
        let tokenizer = model.tokenizer().ok_or(ExplainError::NoContinuation)?;
        let mut text = TokenizedText {
            asked: Vec::new(),
            ..prompt.clone()
        };
        let begun = text.tokens.len();
        let mut sampler = sampling.map(Sampler::new).transpose()?;
        let mut probabilities = Vec::new();
        while text.tokens.len() < config.positions.min(begun + count) {
            let logits = logits_of(transformer, &batch(transformer, [&text]), Pass::plain())?;
            let index = match &mut sampler {
                Some(sampler) => sampler.draw(&logits[0]),
                None => argmax(&logits[0]),
            };
            let id = index as u32;
            if tokenizer.is_special(id) {
                break;
            }
            probabilities.push(probability(&logits[0], index) as f32);
            let token = tokenizer.token(id);
            append(&mut text, id, &model.output(index), token);
        }

        let mut steps = Vec::new();
        let mut sums = vec![0.0; text.tokens.len()];
        for (token, probability) in (begun..text.tokens.len()).zip(probabilities) {
            let target = Target::Label(text.tokens[token].id as usize);
            let at_token = TokenizedText {
                asked: vec![token - 1],
                ..text.clone()
            };
            let question = Question {
                target,
                ..self.question()
            };
            for found in self.method.find(&[&at_token], &question)? {
                let relevance = found.relevance[..token].to_vec();
                for (sum, relevance) in sums.iter_mut().zip(&relevance) {
                    *sum += relevance;
                }
                steps.push(Step {
                    token,
                    probability,
                    target: question.value(&at_token, &found.logits),
                    relevance,
                });
            }
        }
        let tokens = text.tokens.iter().zip(sums);
        let tokens = tokens.map(|(token, relevance)| TokenRelevance::new(token, relevance));
        Ok(Continuation {
            schema: CONTINUATION.to_owned(),
            tokens: tokens.collect(),
            text: text.text,
            by: self.run.title().to_owned(),
            at: self.run.at.clone(),
            model: self.run.model.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sampling,
            prompt: begun,
            steps,
        })
    }
}

/// Appends a token to a text.
fn append(text: &mut TokenizedText, id: u32, readable: &str, token: Option<String>) {
    let start = text.text.chars().count();
    let spaces = readable.chars().take_while(|c| c.is_whitespace()).count();
    text.text.push_str(readable);
    let end = text.text.chars().count();
    let last = text.tokens.iter().rev().find_map(|token| token.word);
    text.tokens.push(Token {
        text: token.unwrap_or_default(),
        id,
        start: (start + spaces).min(end),
        end,
        word: Some(match last {
            Some(word) if spaces == 0 => word,
            Some(word) => word + 1,
            None => 0,
        }),
        special: false,
    });
    text.types.push(0);
}
