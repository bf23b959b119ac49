//! The labels of a text's tokens, and what each rests on.

use relprop_transformer::{Outputs, Probabilities, TextEnd, TokenizedText, TransformerConfig};
use serde::{Deserialize, Serialize};

use crate::batching::{Passes, logits};
use crate::numbers::argmax;
use crate::question::{slice, tag};
use crate::words::words;
use crate::{
    ExplainError, Explainer, Explanation, LRP, Ledger, ModelInfo, SCHEMA, SegmentRelevance,
    Subject, TargetValue, TokenRelevance, WordRelevance,
};

/// The name and version of the JSON format that a [`Labelling`] is written in.
pub const LABELLING: &str = "relprop.labelling/1";

/// What of a text is explained, one after another, where each token has a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parts {
    /// Each entity: neighbouring tokens whose labels go on, `B-PER` and `I-PER`. Tokens with the label
    /// `O` belong to none.
    #[default]
    Entities,
    /// Each token, special ones left out.
    Tokens,
}

/// A text whose tokens have labels, with what each label rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labelling {
    /// Always [`LABELLING`].
    pub schema: String,
    /// The text.
    pub text: String,
    /// The name of the rule set.
    pub by: String,
    /// The site at which relevance was read.
    pub at: String,
    /// The model.
    pub model: ModelInfo,
    /// The device that computed it.
    pub device: String,
    /// The version of relprop.
    pub version: String,
    /// The labels, in the order of the logits.
    pub labels: Vec<String>,
    /// The tokens, special ones included, each with its label.
    pub tokens: Vec<LabelledToken>,
    /// What was explained, in the order of the text.
    pub parts: Vec<LabelledPart>,
    /// How many tokens were cut because the model has no position for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_tokens: usize,
    /// From which end of the text they were cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_from: Option<TextEnd>,
}

/// A token and what the model says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledToken {
    /// The token as the vocabulary has it.
    pub text: String,
    /// Its id.
    pub id: u32,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// Whether it was added around the text.
    pub special: bool,
    /// The label with the largest logit.
    pub label: String,
    /// A logit a label.
    pub logits: Vec<f32>,
}

/// One or several tokens whose labels were explained together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledPart {
    /// The text of the tokens.
    pub text: String,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// The tokens, as indices into [`Labelling::tokens`].
    pub tokens: Vec<usize>,
    /// What was explained: the sum of the tokens' logits.
    pub target: TargetValue,
    /// The relevance of every token of the text.
    pub relevance: Vec<f32>,
    /// The relevance of every word of the text.
    pub words: Vec<WordRelevance>,
    /// The segments of the text, if it was [cut](crate::Plan::segments) into some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentRelevance>,
    /// The account of the target, if it was [asked for](crate::Plan::ledger).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

impl Explainer {
    /// Labels the tokens of a text and explains the labels, part by part.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoTokenLabels`] if the model does not label tokens, and as
    /// [`Explainer::explain_in`].
    pub fn labelling(
        &self,
        passes: &mut Passes,
        text: &TokenizedText,
        parts: Parts,
        warn: impl Fn(&str),
    ) -> Result<Labelling, ExplainError> {
        let transformer = &self.model.transformer;
        let config = transformer.config();
        if config.head.outputs() != Outputs::TokenLabels {
            return Err(ExplainError::NoTokenLabels);
        }
        let numbers = logits(transformer, &[text])?.remove(0);
        let by_token: Vec<&[f32]> = numbers.chunks(config.logits()).collect();
        let predicted = predicted(config, &numbers);
        let groups = match parts {
            Parts::Tokens => each_token(text),
            Parts::Entities => entities(text, &predicted),
        };
        let asked: Vec<TokenizedText> = (groups.into_iter())
            .map(|asked| TokenizedText {
                asked,
                ..text.clone()
            })
            .collect();
        let question = self.question();
        let found = passes.run(
            &asked.iter().collect::<Vec<_>>(),
            1,
            |texts| self.method.find(texts, &question),
            warn,
        )?;
        let parts = asked.into_iter().zip(found).map(|(part, found)| {
            let (first, last) = (part.asked[0], part.asked[part.asked.len() - 1]);
            LabelledPart {
                text: slice(text, first, last),
                start: text.tokens[first].start,
                end: text.tokens[last].end,
                target: question.named(&part, &found),
                words: words(text, &found.relevance),
                segments: self.segments(text, &found.relevance),
                relevance: found.relevance,
                ledger: found.ledger,
                tokens: part.asked,
            }
        });
        let tokens = text.tokens.iter().zip(&by_token).zip(&predicted);
        Ok(Labelling {
            schema: LABELLING.to_owned(),
            text: text.text.clone(),
            by: self.run.title().to_owned(),
            at: self.run.at.clone(),
            model: self.run.model.clone(),
            device: self.run.device.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            labels: config.labels.clone(),
            tokens: tokens
                .map(|((token, logits), label)| LabelledToken {
                    text: token.text.clone(),
                    id: token.id,
                    start: token.start,
                    end: token.end,
                    special: token.special,
                    label: (*label).to_owned(),
                    logits: logits.to_vec(),
                })
                .collect(),
            parts: parts.collect(),
            dropped_tokens: text.dropped,
            dropped_from: (text.dropped > 0).then(|| self.model.cuts_from()),
        })
    }
}

impl Explainer {
    /// The tokens of each entity of a text, in the order of the text, as the model labels them.
    pub(crate) fn entities(&self, text: &TokenizedText) -> Result<Vec<Vec<usize>>, ExplainError> {
        let transformer = &self.model.transformer;
        let numbers = logits(transformer, &[text])?.remove(0);
        Ok(entities(text, &predicted(transformer.config(), &numbers)))
    }
}

/// The label of each token, where these are the logits of one token after another.
fn predicted<'c>(config: &'c TransformerConfig, numbers: &[f32]) -> Vec<&'c str> {
    let by_token = numbers.chunks(config.logits());
    by_token.map(|row| &*config.labels[argmax(row)]).collect()
}

impl Labelling {
    /// Each part as an explanation of the text, to be shown as one.
    pub fn explanations(&self) -> impl Iterator<Item = Explanation> {
        self.parts.iter().map(|part| {
            let first = &self.tokens[part.tokens[0]];
            let tokens = self.tokens.iter().zip(&part.relevance);
            let tokens = tokens.map(|(token, relevance)| TokenRelevance {
                text: token.text.clone(),
                id: token.id,
                start: token.start,
                end: token.end,
                special: token.special,
                relevance: *relevance,
                area: None,
            });
            Explanation {
                schema: SCHEMA.to_owned(),
                text: self.text.clone(),
                subject: Subject::TEXT,
                method: LRP.to_owned(),
                rules: self.by.clone(),
                at: self.at.clone(),
                model: self.model.clone(),
                device: self.device.clone(),
                version: self.version.clone(),
                logits: first.logits.clone(),
                labels: self.labels.clone(),
                prediction: first.label.clone(),
                probability: None,
                probabilities: Probabilities::default(),
                answer: None,
                position: None,
                target: TargetValue {
                    label: format!("{} ({})", part.target.label, part.text),
                    ..part.target.clone()
                },
                tokens: tokens.collect(),
                parts: Vec::new(),
                words: part.words.clone(),
                segments: part.segments.clone(),
                dropped_tokens: self.dropped_tokens,
                dropped_from: self.dropped_from,
                windows: 0,
                hops: Vec::new(),
                ledger: part.ledger.clone(),
            }
        })
    }
}

/// Each token of a text by itself, special ones left out.
fn each_token(text: &TokenizedText) -> Vec<Vec<usize>> {
    let tokens = text.tokens.iter().enumerate();
    let tokens = tokens.filter(|(_, token)| !token.special);
    tokens.map(|(index, _)| vec![index]).collect()
}

/// The entities of a text whose tokens have these labels: `B` starts one, and so does a label of another
/// name than the token before has.
fn entities(text: &TokenizedText, labels: &[&str]) -> Vec<Vec<usize>> {
    let mut found: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, (token, label)) in text.tokens.iter().zip(labels).enumerate() {
        let (place, name) = tag(label);
        if token.special || *label == "O" {
            continue;
        }
        let starts = matches!(place, Some('B' | 'S' | 'U'));
        match found.last_mut() {
            Some((last, tokens)) if !starts && *last == name && tokens.ends_with(&[index - 1]) => {
                tokens.push(index);
            }
            _ => found.push((name, vec![index])),
        }
    }
    found.into_iter().map(|(_, tokens)| tokens).collect()
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use relprop_transformer::{Content, Token};
    use rstest::rstest;

    use super::*;

    fn text(tokens: usize) -> TokenizedText {
        let token = |special| Token {
            text: String::new(),
            id: 0,
            start: 0,
            end: 0,
            word: None,
            special,
        };
        TokenizedText {
            text: String::new(),
            content: Content::Text { second: None },
            tokens: (0..tokens)
                .map(|i| token(i == 0 || i + 1 == tokens))
                .collect(),
            types: vec![0; tokens],
            dropped: 0,
            asked: Vec::new(),
            source: 0,
        }
    }

    #[rstest]
    #[case("O B-PER I-PER O O", "1+2")]
    #[case("O B-PER B-PER I-LOC O", "1 2 3")]
    #[case("B-PER I-PER O I-PER I-PER", "1 3")]
    #[case("O NOUN NOUN VERB O", "1+2 3")]
    #[case("O S-LOC S-LOC O O", "1 2")]
    #[case("O O O O O", "")]
    fn entities_are_neighbours_whose_labels_go_on(#[case] labels: &str, #[case] expected: &str) {
        let labels: Vec<&str> = labels.split(' ').collect();
        let found = entities(&text(5), &labels).into_iter();
        let found = found.map(|tokens| tokens.iter().map(usize::to_string).collect::<Vec<_>>());
        let found: Vec<String> = found.map(|tokens| tokens.join("+")).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn special_tokens_are_no_part() {
        assert_eq!(each_token(&text(4)), [[1], [2]]);
    }
}
