//! A text that a language model continues, and the relevance of earlier tokens for each new token.

use relprop_checkpoints::{TextError, Tokenizer};
use relprop_rules::Pass;
use relprop_transformer::{Content, Head, Token, TokenizedText, probability};
use serde::{Deserialize, Serialize};

use crate::batching::{batch, logits_of};
use crate::explainer::before_output;
use crate::methods::Question;
use crate::numbers::argmax;
use crate::{
    ExplainError, Explainer, ModelInfo, Sampler, Sampling, SegmentRelevance, Target, TargetValue,
    TokenRelevance,
};

/// The name and version of the JSON format that a [`Continuation`] is written in.
pub const CONTINUATION: &str = "relprop.continuation/1";

/// A prompt and the tokens that a language model added to it, each one explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    /// Always [`CONTINUATION`].
    pub schema: String,
    /// The prompt, and after it the new tokens. Bytes at the end that are no whole character are
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
    /// How many of those the model's encoder read, if it has one: they stand first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub source: usize,
    /// All tokens, those of the prompt first. Their relevance is the sum over all steps.
    pub tokens: Vec<TokenRelevance>,
    /// The segments of the text, if it was [cut](crate::Plan::segments) into some, each with the sum over its
    /// tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentRelevance>,
    /// The new tokens, in order.
    pub steps: Vec<Step>,
    /// The token with which the model ended the text, after the last step; none if it would have gone on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// The end of a text, which is no part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The token as the vocabulary has it: `</s>`.
    pub text: String,
    /// Its id in the vocabulary.
    pub id: u32,
    /// How probable the model found it.
    pub probability: f32,
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
    /// Goes on with a text for up to `count` tokens, drawn as `sampling` says or else always the
    /// likeliest, and explains each of them. It stops where the model has no position for more, and before
    /// a token that [ends](relprop_checkpoints::Model::ends) a text; of a model whose files name none,
    /// before any special token.
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
        let Written {
            text,
            begun,
            probabilities,
            end,
        } = self.write(prompt, count, sampling)?;
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
                let relevance = &found.relevance[..token];
                for (sum, relevance) in sums.iter_mut().zip(relevance) {
                    *sum += relevance;
                }
                steps.push(Step {
                    token,
                    probability,
                    target: question.named(&at_token, &found),
                    relevance: relevance.to_vec(),
                });
            }
        }
        let written = TokenizedText {
            content: answer_after(prompt),
            ..text.clone()
        };
        let segments = self.segments(&written, &sums);
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
            source: text.source,
            segments,
            steps,
            end,
        })
    }

    /// Goes on with a text as [`Explainer::continuation`] does, and makes what it wrote the answer to it, for a
    /// [target](crate::Target::Given) that takes it as a whole, or the part of it that the plan's place says.
    ///
    /// # Errors
    ///
    /// As [`Explainer::continuation`]; [`TextError::NoAnswer`] if the model ends the text at once.
    pub fn generate(
        &self,
        prompt: &TokenizedText,
        count: usize,
        sampling: Option<Sampling>,
    ) -> Result<TokenizedText, ExplainError> {
        let Written {
            mut text, begun, ..
        } = self.write(prompt, count, sampling)?;
        let tokens = text.tokens.len();
        if tokens == begun {
            return Err(TextError::NoAnswer.into());
        }
        text.content = answer_after(prompt);
        text.asked = (begun.max(1) - 1..tokens - 1).collect();
        Ok(self.placed(text)?)
    }

    /// Goes on with a text.
    fn write(
        &self,
        prompt: &TokenizedText,
        count: usize,
        sampling: Option<Sampling>,
    ) -> Result<Written, ExplainError> {
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
        let (mut probabilities, mut end) = (Vec::new(), None);
        let most = (config.positions + text.source).min(begun + count);
        while text.tokens.len() < most {
            let mut logits = logits_of(transformer, &batch(transformer, [&text]), Pass::plain())?;
            for &never in &model.writing.never {
                logits[0][never as usize] = f32::NEG_INFINITY;
            }
            let index = match &mut sampler {
                Some(sampler) => sampler.draw(&logits[0]),
                None => argmax(&logits[0]),
            };
            let id = index as u32;
            let found = probability(&logits[0], index) as f32;
            let token = tokenizer.token(id).unwrap_or_else(|| model.output(index));
            let ends = match model.ends.is_empty() {
                true => tokenizer.is_special(id),
                false => model.ends.contains(&id),
            };
            if ends {
                end = Some(End {
                    text: token,
                    id,
                    probability: found,
                });
                break;
            }
            probabilities.push(found);
            text.tokens.push(Token {
                text: token,
                id,
                start: 0,
                end: 0,
                word: None,
                special: false,
            });
            text.types.push(0);
        }
        if text.tokens.len() > begun {
            let between = before_output(&text);
            text.text.push_str(between);
        }
        place(&mut text, begun, tokenizer);
        Ok(Written {
            text,
            begun,
            probabilities,
            end,
        })
    }
}

/// The place of an answer behind a prompt.
fn answer_after(prompt: &TokenizedText) -> Content {
    let second = prompt.text.chars().count() + before_output(prompt).len();
    Content::Text {
        second: Some(second),
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a language model wrote.
struct Written {
    /// The prompt, and after it the new tokens.
    text: TokenizedText,
    /// How many tokens the prompt has.
    begun: usize,
    /// How probable each new token was.
    probabilities: Vec<f32>,
    /// The token with which the model ended the text, if it did.
    end: Option<End>,
}

/// Gives the tokens from number `begun` on their places after the text, which they make longer, and their
/// words. A character of several tokens is a part of each of them.
fn place(text: &mut TokenizedText, begun: usize, tokenizer: &Tokenizer) {
    let (before, new) = text.tokens.split_at_mut(begun);
    let ids: Vec<u32> = new.iter().map(|token| token.id).collect();
    let (added, places) = tokenizer.joined(&ids);
    let characters: Vec<char> = added.chars().collect();
    let start = text.text.chars().count();
    let mut last = before.iter().rev().find_map(|token| token.word);
    let mut reached = 0;
    for (token, place) in new.iter_mut().zip(places) {
        let spaces = characters[place.clone()].iter();
        let spaces = spaces.take_while(|c| c.is_whitespace()).count();
        token.start = start + place.start + spaces;
        token.end = start + place.end;
        // White space of which a token before has a part begins no word once more.
        let begins = spaces > 0 && place.start >= reached;
        last = Some(match last {
            Some(word) if begins => word + 1,
            Some(word) => word,
            None => 0,
        });
        token.word = last;
        reached = place.end;
    }
    text.text.push_str(&added);
}
