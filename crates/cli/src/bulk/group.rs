//! A group of rows: which of them can be explained, and their explanations.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use rayon::prelude::*;
use relprop_data::{BadRow, Place, Rows, objects, texts};
use relprop_explain::{Explainer, Explanation};
use relprop_render as render;
use relprop_transformer::{TextEnd, TokenizedText};

use super::passes::explain_texts;
use crate::halving::Halving;
use crate::way_out::told;

/// Rows and their explanations.
pub(crate) struct Group {
    /// The rows that were explained, with the columns of the input.
    pub(crate) batch: RecordBatch,
    /// The column of the texts.
    pub(crate) column: usize,
    /// The explanations of each row of `batch`, one from each explainer.
    pub(crate) explanations: Vec<Vec<Explanation>>,
    /// The rows that were not, in order.
    pub(crate) bad: Vec<BadRow>,
    /// The texts that the model cannot read whole: how many tokens were cut, and left.
    pub(crate) cut: Vec<(Place, usize, usize)>,
    /// From which end they were cut.
    pub(crate) cut_from: TextEnd,
}

impl Group {
    /// The explanations by the explainer that was asked for.
    pub(crate) fn asked(&self) -> impl ExactSizeIterator<Item = &Explanation> {
        self.explanations.iter().map(|of_text| &of_text[0])
    }
}

/// Explains groups of rows.
pub(crate) struct Worker<'a, 'm> {
    /// The explainer that was asked for, and those beside it.
    explainers: &'a [Explainer<'m>],
    /// What the model reads after each text.
    second: Option<&'a str>,
    /// Whether an explanation may hold numbers that are not finite.
    any_number: bool,
    halving: Halving,
}

impl<'a, 'm> Worker<'a, 'm> {
    pub(crate) fn new(
        explainers: &'a [Explainer<'m>],
        second: Option<&'a str>,
        any_number: bool,
    ) -> Self {
        Self {
            explainers,
            second,
            any_number,
            halving: Halving::new(),
        }
    }

    /// Explains the texts in `column` of `rows`. A row without a text, or with one that the model
    /// cannot be given, is a bad row.
    pub(crate) fn explain(
        &mut self,
        rows: Rows,
        column: usize,
        warn: impl Fn(&str),
    ) -> anyhow::Result<Group> {
        let Rows { batch, places, bad } = rows;
        let mut outcomes: Vec<Result<Vec<Explanation>, String>> = Vec::new();
        let (mut tokenized, mut indices, mut cut) = (Vec::new(), Vec::new(), Vec::new());
        let tokens_of_texts = self.tokenize(texts(&batch, column)?.iter().collect());
        for (index, tokens) in tokens_of_texts.into_iter().enumerate() {
            outcomes.push(tokens.map(|tokens| {
                if tokens.dropped > 0 {
                    cut.push((places[index], tokens.dropped, tokens.tokens.len()));
                }
                tokenized.push(tokens);
                indices.push(index);
                Vec::new()
            }));
        }
        let explanations = explain_texts(self.explainers, tokenized, &mut self.halving, warn)?;
        for (index, of_text) in indices.into_iter().zip(explanations) {
            let finite = || render::finite(&of_text[..1]).map_err(|error| error.to_string());
            outcomes[index] = match self.any_number {
                true => Ok(of_text),
                false => finite().map(|()| of_text),
            };
        }
        let (batch, explanations, bad) = divide(batch, &places, outcomes, bad)?;
        let config = self.explainers[0].model().transformer.config();
        Ok(Group {
            batch,
            column,
            explanations,
            bad,
            cut,
            cut_from: config.head.cuts_from(),
        })
    }

    /// The tokens of each text, or why it has none, on all cores.
    fn tokenize(&self, texts: Vec<Option<&str>>) -> Vec<Result<TokenizedText, String>> {
        let (explainer, second) = (&self.explainers[0], self.second);
        let texts = texts.into_par_iter().map(|text| {
            let text = text.ok_or("the row has no text")?;
            let tokens = match second {
                None => explainer.tokenize(text),
                Some(second) => explainer.tokenize_pair(text, second),
            };
            tokens.map_err(|error| told(&error))
        });
        texts.collect()
    }
}

/// Puts the good rows on one side and the bad ones on the other.
fn divide(
    batch: RecordBatch,
    places: &[Place],
    outcomes: Vec<Result<Vec<Explanation>, String>>,
    mut bad: Vec<BadRow>,
) -> anyhow::Result<(RecordBatch, Vec<Vec<Explanation>>, Vec<BadRow>)> {
    let good: BooleanArray = outcomes
        .iter()
        .map(|outcome| Some(outcome.is_ok()))
        .collect();
    let mut explanations = Vec::new();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(of_text) => explanations.push(of_text),
            Err(reason) => bad.push(BadRow {
                place: places[index],
                reason,
                input: serde_json::from_str(&objects(&batch.slice(index, 1))?.remove(0))?,
            }),
        }
    }
    bad.sort_by_key(|row| row.place);
    Ok((filter_record_batch(&batch, &good)?, explanations, bad))
}
