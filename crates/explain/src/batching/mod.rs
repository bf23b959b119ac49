//! Cuts texts into passes through a model whose memory is bounded.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use burn::tensor::{DType, Tensor, TensorData};
use relprop_checkpoints::{Input, Model};
use relprop_rules::{Pass, Relevance};
use relprop_transformer::{
    AnswersAt, Batch, PATCH_HIDDEN, PaddingSide, TokenizedText, Transformer,
};

use crate::numbers::numbers;
use crate::{ExplainError, View};

/// The largest number of tokens in one pass, padding included. It bounds the memory of a pass.
pub const TOKENS: usize = 4096;
/// The largest number of tokens, of versions of texts with hidden tokens, that are held at once.
const HELD: usize = 32 * TOKENS;

/// Cuts any number of texts into passes, of texts of about the same length, so that little of a
/// pass is padding. If the device fails on a pass, the pass is halved, and later passes stay as
/// small.
#[derive(Clone, Debug)]
pub struct Passes {
    /// How many texts go into a pass at most.
    most: usize,
    cancelled: Arc<AtomicBool>,
    /// How many texts are done.
    done: Arc<AtomicUsize>,
}

impl Default for Passes {
    fn default() -> Self {
        Self {
            most: usize::MAX,
            cancelled: Arc::default(),
            done: Arc::default(),
        }
    }
}

impl Passes {
    /// Passes that stop with [`ExplainError::Cancelled`] before the next one, once `cancelled` is true.
    pub fn until(cancelled: Arc<AtomicBool>) -> Self {
        Self {
            cancelled,
            ..Self::default()
        }
    }

    /// The same passes, which add each text that is done to `done`.
    #[must_use]
    pub fn counting(self, done: Arc<AtomicUsize>) -> Self {
        Self { done, ..self }
    }

    /// The same as [`run`](Passes::run) for the parts of one text, which count as one.
    pub(crate) fn of_one<T>(
        &self,
        parts: &[&TokenizedText],
        run: impl FnMut(&[&TokenizedText]) -> Result<Vec<T>, ExplainError>,
        warn: impl Fn(&str),
    ) -> Result<Vec<T>, ExplainError> {
        let mut of_parts = Self {
            done: Arc::default(),
            ..self.clone()
        };
        let found = of_parts.run(parts, 1, run, warn)?;
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(found)
    }

    /// Calls `run` with as many texts at once as fit into a pass if each of them takes the place of
    /// `copies` texts. Returns what `run` gives for each text, in the order of `texts`. Calls
    /// `warn` when a pass is halved.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Cancelled`], an error of `run`, or the failure of the device on a single
    /// text.
    pub fn run<T>(
        &mut self,
        texts: &[&TokenizedText],
        copies: usize,
        mut run: impl FnMut(&[&TokenizedText]) -> Result<Vec<T>, ExplainError>,
        warn: impl Fn(&str),
    ) -> Result<Vec<T>, ExplainError> {
        let mut by_length: Vec<usize> = (0..texts.len()).collect();
        by_length.sort_by_key(|&index| texts[index].tokens.len());
        let lengths = by_length.iter().map(|&i| texts[i].tokens.len() * copies);
        let mut found: Vec<(usize, T)> = Vec::with_capacity(texts.len());
        for pass in passes(&lengths.collect::<Vec<_>>()) {
            let mut left = &by_length[pass];
            while !left.is_empty() {
                if self.cancelled.load(Ordering::Relaxed) {
                    return Err(ExplainError::Cancelled);
                }
                let (now, after) = left.split_at(left.len().min(self.most));
                let of_pass: Vec<_> = now.iter().map(|&index| texts[index]).collect();
                match run(&of_pass) {
                    Ok(done) => {
                        found.extend(now.iter().copied().zip(done));
                        self.done.fetch_add(now.len(), Ordering::Relaxed);
                        left = after;
                    }
                    Err(ExplainError::Device(_)) if now.len() > 1 => {
                        self.most = now.len() / 2;
                        let (failed, most) = (now.len(), self.most);
                        warn(&format!(
                            "the device failed on {failed} texts at once; going on with {most}"
                        ));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        found.sort_by_key(|(index, _)| *index);
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }
}

/// [`Passes::run`] without warnings.
///
/// # Errors
///
/// As [`Passes::run`].
pub fn in_passes<T>(
    texts: &[&TokenizedText],
    copies: usize,
    run: impl FnMut(&[&TokenizedText]) -> Result<Vec<T>, ExplainError>,
) -> Result<Vec<T>, ExplainError> {
    Passes::default().run(texts, copies, run, |_| ())
}

/// Cuts sorted lengths into ranges of at least one text, and otherwise of at most [`TOKENS`] tokens
/// when padded.
fn passes(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut passes: Vec<Range<usize>> = Vec::new();
    for (place, length) in lengths.iter().enumerate() {
        match passes.last_mut() {
            Some(pass) if (pass.len() + 1) * length <= TOKENS => pass.end = place + 1,
            _ => passes.push(place..place + 1),
        }
    }
    passes
}

/// The texts as one batch on the model's device.
pub fn batch<'t>(
    transformer: &Transformer,
    texts: impl IntoIterator<Item = &'t TokenizedText>,
) -> Batch {
    let padding_token = transformer.config().padding_token;
    let device = transformer.device();
    Batch::new(texts, padding_token, PaddingSide::Right, &device)
}

/// The numbers that the head gives for every text: logits. Where a text has several answers, they stand
/// one after another.
///
/// # Errors
///
/// [`ExplainError::Device`] if the device fails.
pub fn logits(
    transformer: &Transformer,
    texts: &[&TokenizedText],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let config = transformer.config();
    let whole = |text: &&TokenizedText| text.tokens.len() == config.positions;
    if config.stages.is_some() && !texts.iter().all(whole) {
        return Err(ExplainError::WholePictures);
    }
    in_passes(texts, 1, |texts| {
        let batch = batch(transformer, texts.iter().copied());
        let layout = Layout::new(transformer, texts, &batch);
        let values = numbers(transformer.forward(&batch, &mut Pass::plain()))?;
        let rows = 0..texts.len();
        Ok(rows.map(|text| values[layout.of(text)].to_vec()).collect())
    })
}

/// Where the numbers of each text stand in what the head gives for a batch.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// How many numbers a row has.
    pub(crate) row: usize,
    /// Where those of the text stand in its row.
    within: Vec<Range<usize>>,
}

impl Layout {
    pub(crate) fn new(transformer: &Transformer, texts: &[&TokenizedText], batch: &Batch) -> Self {
        let config = transformer.config();
        let outputs = config.logits();
        let answers = |text: &TokenizedText| text.asked.len().max(1);
        let (answers, within): (usize, Vec<Range<usize>>) = match config.head.answers_at() {
            AnswersAt::First
            | AnswersAt::Mean
            | AnswersAt::Attended
            | AnswersAt::Patches
            | AnswersAt::FirstAndPatches => (1, vec![0..1; texts.len()]),
            AnswersAt::Each => {
                // Where there are a source and an output, the tokens of the output answer.
                let source = batch.source();
                let place = |at: usize| at.max(source) - source;
                let spans = batch.spans.iter();
                let spans = spans.map(|span| place(span.start)..place(span.end));
                (batch.padding.dims()[1] - source, spans.collect())
            }
            AnswersAt::Last => (
                texts.iter().map(|text| answers(text)).max().unwrap_or(1),
                texts.iter().map(|text| 0..answers(text)).collect(),
            ),
        };
        let numbers = |answers: Range<usize>| answers.start * outputs..answers.end * outputs;
        Self {
            row: answers * outputs,
            within: within.into_iter().map(numbers).collect(),
        }
    }

    /// The same where each answer has `width` numbers, and not `outputs`.
    pub(crate) fn with(&self, outputs: usize, width: usize) -> Self {
        let places = |place: usize| place / outputs * width;
        let within = self.within.iter();
        Self {
            row: places(self.row),
            within: within
                .map(|range| places(range.start)..places(range.end))
                .collect(),
        }
    }

    /// The numbers of a text, by their places in all rows.
    pub(crate) fn of(&self, text: usize) -> Range<usize> {
        let Range { start, end } = self.within[text];
        text * self.row + start..text * self.row + end
    }
}

/// The logits of every text of a batch.
///
/// # Errors
///
/// [`ExplainError::Device`] if the device fails.
pub fn logits_of(
    transformer: &Transformer,
    batch: &Batch,
    mut pass: Pass,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let logits = transformer.forward(batch, &mut pass);
    let labels = logits.dims()[1];
    let logits = numbers(logits)?;
    Ok(logits.chunks(labels).map(<[f32]>::to_vec).collect())
}

/// Runs `pass` forward, and backward from the logits of `label`, each multiplied by its weight from
/// `weigh`. Returns these logits, `[batch, 1]`, and what the probes found.
pub fn backward(
    transformer: &Transformer,
    batch: &Batch,
    mut pass: Pass,
    label: usize,
    weigh: impl FnOnce(&Tensor<2>) -> Tensor<2>,
) -> (Tensor<2>, Relevance) {
    let logits = transformer.forward(batch, &mut pass);
    // One backward pass for all texts: no text's logit depends on another text.
    let logits = logits.narrow(1, label, 1);
    let values = logits.clone().without_autodiff();
    let relevance = pass.backward((logits * weigh(&values)).sum());
    (values, relevance)
}

/// The logits of each text with some tokens replaced by the token `unknown`: for each text, one row
/// for each of its masks. A mask is true where a token is hidden.
///
/// # Errors
///
/// [`ExplainError::Device`] if the device fails.
pub fn hidden_logits<'t>(
    model: &Model,
    unknown: u32,
    texts: impl IntoIterator<Item = (&'t TokenizedText, Vec<Vec<bool>>)>,
) -> Result<Vec<Vec<Vec<f32>>>, ExplainError> {
    let mut found = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    let mut held: Vec<TokenizedText> = Vec::new();
    let mut run = |held: &mut Vec<TokenizedText>, counts: &mut Vec<usize>| {
        let texts: Vec<&TokenizedText> = held.iter().collect();
        let mut logits = logits(&model.transformer, &texts)?.into_iter();
        let of_text = counts.drain(..).map(|n| logits.by_ref().take(n).collect());
        found.extend(of_text);
        held.clear();
        Ok::<_, ExplainError>(())
    };
    let mut tokens = 0;
    for (text, masks) in texts {
        counts.push(masks.len());
        tokens += masks.len() * text.tokens.len();
        held.extend(
            masks
                .into_iter()
                .map(|mask| View::Hidden(mask).of(text, unknown)),
        );
        if tokens >= HELD {
            run(&mut held, &mut counts)?;
            tokens = 0;
        }
    }
    run(&mut held, &mut counts)?;
    Ok(found)
}

/// Rows of one number for each position, `[batch, position]`, without the padding.
///
/// # Errors
///
/// [`ExplainError::Device`] if the numbers could not be computed or read.
pub fn rows<const D: usize>(
    tensor: Tensor<D>,
    batch: &Batch,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let numbers = numbers(tensor)?;
    let width = numbers.len() / batch.spans.len();
    let of_text = numbers.chunks(width).zip(&batch.spans);
    Ok(of_text
        .map(|(row, span)| row[span.clone()].to_vec())
        .collect())
}

/// A tensor of these numbers on the model's device, in the type of float that the model
/// [computes in](relprop_rules::precision): f64 if its weights are, else f32.
pub fn tensor<const D: usize>(
    transformer: &Transformer,
    numbers: Vec<f32>,
    shape: [usize; D],
) -> Tensor<D> {
    let data = TensorData::new(numbers, shape);
    let dtype = match transformer.dtype() {
        DType::F64 => DType::F64,
        _ => DType::F32,
    };
    Tensor::from_data(data, (&transformer.device(), dtype))
}

/// The id of the token for everything that the vocabulary does not have: `[UNK]` or `<unk>`. It
/// replaces hidden tokens. [`PATCH_HIDDEN`] replaces the hidden patches of a picture.
///
/// # Errors
///
/// [`ExplainError::NoToken`] if the vocabulary has neither.
pub fn unknown_token(model: &Model) -> Result<u32, ExplainError> {
    match &model.input {
        Input::Text(_) => token(model, &["[UNK]", "<unk>"]),
        Input::Pictures(_) => Ok(PATCH_HIDDEN),
    }
}

/// The id of the first of `names` that the vocabulary has.
///
/// # Errors
///
/// [`ExplainError::NoToken`] if it has none.
pub fn token(model: &Model, names: &[&'static str]) -> Result<u32, ExplainError> {
    let tokenizer = model.tokenizer();
    let id = |name: &&str| tokenizer.and_then(|tokenizer| tokenizer.id(name));
    let found = names.iter().find_map(id);
    found.ok_or_else(|| ExplainError::NoToken {
        names: names.to_vec(),
    })
}

#[cfg(test)]
mod tests;
