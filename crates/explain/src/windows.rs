//! Texts that are longer than the model reads, in windows that overlap.

use std::collections::BTreeMap;
use std::ops::Range;

use relprop_checkpoints::{Model, TextError, Truncation};
use relprop_transformer::{Outputs, TokenizedText};

use crate::batching::{Passes, logits};
use crate::methods::{Finding, Question};
use crate::numbers::argmax;
use crate::target::Chosen;
use crate::{ExplainError, Explainer, Explanation, Ledger, Plan, Score, Target};

/// The windows of a text: as many tokens as the model reads, each beginning half a window after the one before it, and
/// the last one ending with the text. The tokens around a text, such as `[CLS]`, stand around each.
struct Windows<'a> {
    text: &'a TokenizedText,
    /// How many tokens stand before the text, and after it.
    around: [usize; 2],
    /// The tokens of the text that each window has.
    parts: Vec<Range<usize>>,
}

impl<'a> Windows<'a> {
    fn new(text: &'a TokenizedText, positions: usize) -> Self {
        let tokens = &text.tokens;
        let special = |token: &&relprop_transformer::Token| token.special;
        let before = tokens.iter().take_while(special).count();
        let after = tokens[before..].iter().rev().take_while(special).count();
        let end = tokens.len() - after;
        let size = positions.saturating_sub(before + after).max(1);
        let last = end.saturating_sub(size).max(before);
        let starts = (before..last).step_by(size.div_ceil(2)).chain([last]);
        Self {
            text,
            around: [before, after],
            parts: starts.map(|start| start..(start + size).min(end)).collect(),
        }
    }

    /// The places in the whole text of a window's tokens.
    fn places(&self, part: &Range<usize>) -> impl Iterator<Item = usize> + use<> {
        let [before, after] = self.around;
        let count = self.text.tokens.len();
        (0..before).chain(part.clone()).chain(count - after..count)
    }

    /// The windows as texts.
    fn texts(&self) -> Vec<TokenizedText> {
        let of = |part| {
            let kept = self.places(part);
            let (tokens, types) = kept
                .map(|place| (self.text.tokens[place].clone(), self.text.types[place]))
                .unzip();
            TokenizedText {
                tokens,
                types,
                ..self.text.clone()
            }
        };
        self.parts.iter().map(of).collect()
    }

    /// What was found of the text: the mean over its windows, in which a token that several windows have has what they
    /// hold together.
    fn mean(&self, found: Vec<Finding>) -> Finding {
        let share = 1.0 / found.len() as f64;
        let places: Vec<Vec<usize>> = self
            .parts
            .iter()
            .map(|part| self.places(part).collect())
            .collect();
        let whole = |of_windows: &[&[f32]]| {
            let mut sums = vec![0.0_f64; self.text.tokens.len()];
            for (places, numbers) in places.iter().zip(of_windows) {
                for (place, number) in places.iter().zip(*numbers) {
                    sums[*place] += share * f64::from(*number);
                }
            }
            sums.into_iter().map(|sum| sum as f32).collect::<Vec<_>>()
        };
        let each = |of: fn(&Finding) -> &[f32]| found.iter().map(of).collect::<Vec<_>>();
        let ledgers: Option<Vec<&Ledger>> =
            found.iter().map(|found| found.ledger.as_ref()).collect();
        Finding {
            logits: mean(&each(|found| &found.logits)),
            value: share * found.iter().map(|found| found.value).sum::<f64>(),
            relevance: whole(&each(|found| &found.relevance)),
            ledger: ledgers.map(|ledgers| mean_ledger(&ledgers, share, whole)),
        }
    }
}

fn mean(rows: &[&[f32]]) -> Vec<f32> {
    let columns = 0..rows.first().map_or(0, |row| row.len());
    let sum = |column: usize| rows.iter().map(|row| f64::from(row[column])).sum::<f64>();
    columns
        .map(|column| (sum(column) / rows.len() as f64) as f32)
        .collect()
}

/// The mean of accounts that have the same sites. `whole` makes the tokens of the text of those of its windows.
fn mean_ledger(ledgers: &[&Ledger], share: f64, whole: impl Fn(&[&[f32]]) -> Vec<f32>) -> Ledger {
    let mean_of =
        |of: fn(&Ledger) -> f64| share * ledgers.iter().map(|ledger| of(ledger)).sum::<f64>();
    let mut found = ledgers[0].clone();
    found.target = mean_of(|ledger| ledger.target);
    found.tokens = mean_of(|ledger| ledger.tokens);
    found.unaccounted = mean_of(|ledger| ledger.unaccounted);
    let mut order = Vec::new();
    let mut sums = BTreeMap::new();
    for entry in ledgers.iter().flat_map(|ledger| &ledger.absorbed) {
        let key = (&entry.site, &entry.operation, &entry.kind);
        let sum = sums.entry(key).or_insert_with(|| {
            order.push(entry.clone());
            0.0
        });
        *sum += share * entry.relevance;
    }
    for entry in &mut order {
        entry.relevance = sums[&(&entry.site, &entry.operation, &entry.kind)];
    }
    found.absorbed = order;
    for (index, layer) in found.layers.iter_mut().enumerate() {
        let of_windows: Vec<_> = ledgers.iter().map(|ledger| &ledger.layers[index]).collect();
        let tokens: Vec<&[f32]> = of_windows.iter().map(|layer| &layer.tokens[..]).collect();
        let heads: Vec<&[f32]> = of_windows.iter().map(|layer| &layer.heads[..]).collect();
        layer.tokens = whole(&tokens);
        layer.heads = mean(&heads);
        layer.absorbed = share * of_windows.iter().map(|layer| layer.absorbed).sum::<f64>();
        layer.unaccounted = share
            * of_windows
                .iter()
                .map(|layer| layer.unaccounted)
                .sum::<f64>();
    }
    found
}

impl Plan {
    /// Refuses windows where the mean over them has no meaning: the logits of a text are means of those of its windows,
    /// so that what is explained must be a sum of logits.
    pub(crate) fn check_windows(&self, model: &Model) -> Result<(), ExplainError> {
        if self.truncation != Truncation::Windows {
            return Ok(());
        }
        let linear = match self.target.of {
            Target::Predicted | Target::Label(_) | Target::Contrast(..) => true,
            Target::AboveMean { top, .. } => top.is_none(),
            Target::Class(_) | Target::Given => false,
        };
        let labels = model.transformer.config().head.outputs() == Outputs::Labels;
        match labels && linear && self.target.score == Score::Logit && model.tokenizer().is_some() {
            true => Ok(()),
            false => Err(ExplainError::Windows),
        }
    }
}

impl Explainer {
    /// Whether this text is read in windows.
    pub(crate) fn is_in_windows(&self, text: &TokenizedText) -> bool {
        self.plan.truncation == Truncation::Windows && text.tokens.len() > self.model.longest()
    }

    /// Explains a text as the mean over its windows.
    pub(crate) fn explain_windows(
        &self,
        passes: &Passes,
        text: &TokenizedText,
        warn: impl Fn(&str),
    ) -> Result<Explanation, ExplainError> {
        let transformer = &self.model.transformer;
        let positions = self.model.longest();
        let windows = Windows::new(text, positions);
        if windows.around.iter().sum::<usize>() >= positions {
            let tokens = text.tokens.len();
            return Err(TextError::TooLong { tokens, positions }.into());
        }
        let texts = windows.texts();
        let texts: Vec<&TokenizedText> = texts.iter().collect();
        // What is predicted of the text, not of each window.
        let predicted = || {
            let rows = logits(transformer, &texts)?;
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            Ok::<_, ExplainError>(argmax(&mean(&rows)))
        };
        let target = match self.plan.target.of {
            Target::Predicted => Target::Label(predicted()?),
            Target::AboveMean {
                of: Chosen::Predicted,
                top,
            } => Target::AboveMean {
                of: Chosen::Label(predicted()?),
                top,
            },
            other => other,
        };
        let question = Question {
            target,
            ..self.question()
        };
        let find = |texts: &[&TokenizedText]| self.method.find(texts, &question);
        let found = passes.of_one(&texts, find, warn)?;
        Ok(Explanation {
            windows: windows.parts.len(),
            ..Explanation::new(self, text, windows.mean(found))
        })
    }
}
