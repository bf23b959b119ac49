//! A group of rows: which of them can be explained, and what was found for each.

use std::error::Error;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use burn::tensor::DType;
use image::DynamicImage;
use rayon::prelude::*;
use relprop_data::{BadRow, Place, Rows, objects, texts};
use relprop_explain::batching::Passes;
use relprop_explain::{ExplainError, Explainer, Explanation, NotFinite};
use relprop_transformer::{TextEnd, TokenizedText};

use crate::picture::read_picture;
use crate::{EngineError, Found, RowKind, Second};

/// Rows and what was found for them.
#[derive(Debug)]
pub struct Group {
    /// The rows that were explained, with the columns of the input.
    pub batch: RecordBatch,
    /// The column of the texts.
    pub column: usize,
    /// What was found for each row of `batch`.
    pub found: Vec<Found>,
    /// The picture of each row of `batch`, if rows are pictures.
    pub pictures: Vec<DynamicImage>,
    /// The rows that were not explained, in order.
    pub bad: Vec<BadRow>,
    /// The texts that were too long for the model: their place, and how many tokens were cut and
    /// kept.
    pub cut: Vec<(Place, usize, usize)>,
    /// From which end they were cut.
    pub cut_from: TextEnd,
}

impl Group {
    /// The explanations by the first explainer.
    pub fn explanations(&self) -> impl Iterator<Item = &Explanation> {
        self.found.iter().filter_map(Found::explanation)
    }
}

/// Explains groups of rows of any size, in passes of bounded memory.
#[derive(Debug)]
pub struct Worker<'a> {
    /// The explainer that was asked for, and those to compare it with.
    explainers: &'a [Explainer],
    content: RowKind,
    passes: Passes,
    /// Whether texts are chats.
    chat: bool,
    /// Makes the message for a row that the model cannot read.
    tell: fn(&(dyn Error + 'static)) -> String,
}

/// What was found for one text, or for one picture.
#[derive(Debug)]
pub struct FoundText {
    /// What was found.
    pub found: Found,
    /// The picture, if it is one.
    pub picture: Option<DynamicImage>,
    /// How many tokens were cut, because the text is too long for the model.
    pub dropped: usize,
    /// How many were kept.
    pub kept: usize,
}

impl<'a> Worker<'a> {
    /// Explains by `explainers`. The first is the one that was asked for; the others are to compare
    /// it with.
    ///
    /// # Panics
    ///
    /// If there is no explainer.
    pub fn new(explainers: &'a [Explainer], content: RowKind) -> Self {
        assert!(!explainers.is_empty(), "somebody must explain");
        Self {
            explainers,
            content,
            passes: Passes::default(),
            chat: false,
            tell: |error| error.to_string(),
        }
    }

    /// The same with `tell`, which makes the message for a row that the model cannot read. A front
    /// end can add what to do about it.
    #[must_use]
    pub fn telling(self, tell: fn(&(dyn Error + 'static)) -> String) -> Self {
        Self { tell, ..self }
    }

    /// The same for texts that are chats, if `chat` is true: the model's template
    /// [writes](Explainer::tokenize_chat) them.
    #[must_use]
    pub fn chatting(self, chat: bool) -> Self {
        Self { chat, ..self }
    }

    /// The same in passes that can be cancelled.
    #[must_use]
    pub fn in_passes(self, passes: Passes) -> Self {
        Self { passes, ..self }
    }

    /// Explains the texts in `column` of `rows`. A row is bad if it has no text, if the model
    /// cannot read the text, or if its explanation holds a number that is not finite. Calls `warn`
    /// when a pass was too large for the device.
    ///
    /// # Errors
    ///
    /// If the device fails on a single text.
    pub fn explain(
        &mut self,
        rows: Rows,
        column: usize,
        warn: impl Fn(&str),
    ) -> Result<Group, EngineError> {
        let Rows { batch, places, bad } = rows;
        let seconds = match &self.content {
            RowKind::Texts {
                second: Some(Second::Column(name)),
            }
            | RowKind::Labelled {
                second: Some(Second::Column(name)),
                ..
            }
            | RowKind::Answered(Second::Column(name)) => {
                Some(texts(&batch, second_column(&batch, name)?)?)
            }
            _ => None,
        };
        let seconds = seconds.as_ref().map(|seconds| seconds.iter().collect());
        let found = self.explain_texts(texts(&batch, column)?.iter().collect(), seconds, warn)?;
        let (mut outcomes, mut pictures, mut cut) = (Vec::new(), Vec::new(), Vec::new());
        for (found, place) in found.into_iter().zip(&places) {
            outcomes.push(found.map(|text| {
                if text.dropped > 0 {
                    cut.push((*place, text.dropped, text.kept));
                }
                pictures.extend(text.picture);
                text.found
            }));
        }
        let (batch, found, bad) = divide(batch, &places, outcomes, bad)?;
        let cut_from = self.explainers[0].model().cuts_from();
        Ok(Group {
            batch,
            column,
            found,
            pictures,
            bad,
            cut,
            cut_from,
        })
    }

    /// Explains texts that are at hand: what was found for each, or why nothing was. `seconds` are their second
    /// texts, where [`Second::Column`] says that each has one of its own. Calls `warn` when a pass was too
    /// large for the device.
    ///
    /// # Errors
    ///
    /// If the device fails on a single text.
    pub fn explain_texts(
        &mut self,
        texts: Vec<Option<&str>>,
        seconds: Option<Vec<Option<&str>>>,
        warn: impl Fn(&str),
    ) -> Result<Vec<Result<FoundText, String>>, EngineError> {
        let read = self.read(texts, seconds);
        let tokens: Vec<_> = (read.iter().flatten()).map(|(tokens, _)| tokens).collect();
        let mut found = self.find(&tokens, warn)?.into_iter();
        let outcomes = read.into_iter().map(|read| {
            let (tokens, picture) = read?;
            let found = found.next().ok_or("it was not explained")?;
            found.finite().map_err(|error| self.not_finite(error))?;
            Ok(FoundText {
                found,
                picture,
                dropped: tokens.dropped,
                kept: tokens.tokens.len(),
            })
        });
        Ok(outcomes.collect())
    }

    /// What is said of a number that is none.
    fn not_finite(&self, error: NotFinite) -> String {
        match self.explainers[0].model().transformer.dtype() {
            DType::F16 => (self.tell)(&EngineError::Overflow {
                place: error.place,
                value: error.value,
            }),
            _ => (self.tell)(&error),
        }
    }

    /// The tokens of each row, or the reason why it has none. Uses all cores.
    fn read(
        &self,
        texts: Vec<Option<&str>>,
        seconds: Option<Vec<Option<&str>>>,
    ) -> Vec<Result<(TokenizedText, Option<DynamicImage>), String>> {
        let explainer = &self.explainers[0];
        let rows = texts.into_par_iter().enumerate();
        let texts = rows.map(|(row, text)| {
            let text = text.ok_or("the row has no text")?;
            let tokens = match &self.content {
                RowKind::Pictures => {
                    let read = read_picture(explainer.model(), text);
                    return read
                        .map(|(tokens, picture)| (tokens, Some(picture)))
                        .map_err(|error| (self.tell)(&error));
                }
                RowKind::Texts {
                    second: Some(Second::Text(second)),
                }
                | RowKind::Labelled {
                    second: Some(Second::Text(second)),
                    ..
                } => explainer.tokenize_pair(text, second),
                RowKind::Texts {
                    second: Some(Second::Before(first)),
                }
                | RowKind::Labelled {
                    second: Some(Second::Before(first)),
                    ..
                } => explainer.tokenize_pair(first, text),
                RowKind::Texts {
                    second: Some(Second::Column(_)),
                }
                | RowKind::Labelled {
                    second: Some(Second::Column(_)),
                    ..
                } => {
                    let second = seconds.as_ref().and_then(|seconds| seconds[row]);
                    let second = second.ok_or("the row has no second text")?;
                    explainer.tokenize_pair(text, second)
                }
                RowKind::Hypotheses(hypotheses) => {
                    // Each of the pairs must be readable; the first stands for all.
                    let pairs = hypotheses
                        .labels
                        .iter()
                        .map(|label| explainer.tokenize_pair(text, &hypotheses.hypothesis(label)));
                    let pairs: Result<Vec<_>, _> = pairs.collect();
                    pairs.map(|mut pairs| pairs.remove(0))
                }
                RowKind::Answered(answer) => {
                    let answer = match answer {
                        Second::Text(answer) | Second::Before(answer) => answer,
                        Second::Column(_) => {
                            let answer = seconds.as_ref().and_then(|seconds| seconds[row]);
                            answer.ok_or("the row has no answer")?
                        }
                    };
                    let prompt = explainer.tokenize_prompt(text, self.chat);
                    let tokens = prompt.map_err(ExplainError::from);
                    let tokens = tokens.and_then(|prompt| explainer.answered(prompt, answer));
                    return tokens
                        .map(|tokens| (tokens, None))
                        .map_err(|error| (self.tell)(&error));
                }
                RowKind::Written { tokens, sampling } => {
                    let prompt = explainer.tokenize_prompt(text, self.chat);
                    let prompt = prompt.map_err(ExplainError::from);
                    let text =
                        prompt.and_then(|prompt| explainer.generate(&prompt, *tokens, *sampling));
                    return text
                        .map(|text| (text, None))
                        .map_err(|error| (self.tell)(&error));
                }
                RowKind::Texts { second: None }
                | RowKind::Labelled { second: None, .. }
                | RowKind::Prompts { .. } => match self.chat {
                    true => explainer.tokenize_chat(text),
                    false => explainer.tokenize(text),
                },
            };
            tokens
                .map(|tokens| (tokens, None))
                .map_err(|error| (self.tell)(&error))
        });
        texts.collect()
    }

    /// Explains each text.
    fn find(
        &mut self,
        texts: &[&TokenizedText],
        warn: impl Fn(&str),
    ) -> Result<Vec<Found>, ExplainError> {
        if let RowKind::Prompts { tokens, sampling } = self.content {
            let go_on = |text: &&TokenizedText| {
                let found = self.explainers[0].continuation(text, tokens, sampling)?;
                Ok(Found::Continuation(Box::new(found)))
            };
            return texts.iter().map(go_on).collect();
        }
        if let RowKind::Labelled { parts, .. } = self.content {
            let label = |text: &&TokenizedText| {
                let found = self.explainers[0].labelling(&mut self.passes, text, parts, &warn)?;
                Ok(Found::Labelling(Box::new(found)))
            };
            return texts.iter().map(label).collect();
        }
        if let RowKind::Hypotheses(hypotheses) = &self.content {
            let passes = &mut self.passes;
            let choose = |text: &&TokenizedText| {
                let found =
                    self.explainers[0].zero_shot(passes, text.first(), hypotheses, &warn)?;
                Ok(Found::ZeroShot(Box::new(found)))
            };
            return texts.iter().map(choose).collect();
        }
        let mut by_text = vec![Vec::new(); texts.len()];
        for explainer in self.explainers {
            let found = explainer.explain_in(&mut self.passes, texts, &warn)?;
            for (of_text, explanation) in by_text.iter_mut().zip(found) {
                of_text.push(explanation);
            }
        }
        Ok(by_text.into_iter().map(Found::Explanations).collect())
    }
}

/// The column of the second texts.
fn second_column(batch: &RecordBatch, name: &str) -> Result<usize, EngineError> {
    let schema = batch.schema();
    schema.index_of(name).map_err(|_| EngineError::NoColumn {
        name: name.to_owned(),
        known: schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
    })
}

/// Divides rows into good and bad ones.
fn divide(
    batch: RecordBatch,
    places: &[Place],
    outcomes: Vec<Result<Found, String>>,
    mut bad: Vec<BadRow>,
) -> Result<(RecordBatch, Vec<Found>, Vec<BadRow>), EngineError> {
    let good: BooleanArray = outcomes
        .iter()
        .map(|outcome| Some(outcome.is_ok()))
        .collect();
    let mut found = Vec::new();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(of_text) => found.push(of_text),
            Err(reason) => bad.push(BadRow {
                place: places[index],
                reason,
                input: serde_json::from_str(&objects(&batch.slice(index, 1))?.remove(0))?,
            }),
        }
    }
    bad.sort_by_key(|row| row.place);
    Ok((filter_record_batch(&batch, &good)?, found, bad))
}
