//! Runs of a model over many texts, in passes that are bounded in size.

use std::ops::Range;

use burn::tensor::{DType, Tensor, TensorData};
use relprop_checkpoints::{Input, Model};
use relprop_rules::{Pass, Relevance};
use relprop_transformer::{Batch, PATCH_HIDDEN, PaddingSide, TokenizedText, Transformer};

use crate::ExplainError;
use crate::View;
use crate::explainer::numbers;

/// How many tokens go through a model in one pass, at most.
pub const TOKENS: usize = 4096;
/// How many tokens of texts with hidden ones are held at once, at most.
const HELD: usize = 32 * TOKENS;

/// What `run` gives for each text, in the order of `texts`. It is given texts of about the same
/// length, as many at once as fit into a pass when each goes through it `copies` times.
pub fn in_passes<T>(
    texts: &[TokenizedText],
    copies: usize,
    mut run: impl FnMut(&[&TokenizedText]) -> Result<Vec<T>, ExplainError>,
) -> Result<Vec<T>, ExplainError> {
    let mut by_length: Vec<usize> = (0..texts.len()).collect();
    by_length.sort_by_key(|&index| texts[index].tokens.len());
    let lengths: Vec<usize> = by_length
        .iter()
        .map(|&index| texts[index].tokens.len() * copies)
        .collect();
    let mut found: Vec<(usize, T)> = Vec::with_capacity(texts.len());
    for pass in passes(&lengths) {
        let indices = &by_length[pass];
        let of_pass: Vec<_> = indices.iter().map(|&index| &texts[index]).collect();
        found.extend(indices.iter().copied().zip(run(&of_pass)?));
    }
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

/// Cuts sorted lengths into runs of at most [`TOKENS`] tokens when padded, of one text at least.
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

/// The logits of every text.
pub fn logits(
    transformer: &Transformer,
    texts: &[TokenizedText],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    in_passes(texts, 1, |texts| {
        let batch = batch(transformer, texts.iter().copied());
        logits_of(transformer, &batch, Pass::plain())
    })
}

/// The logits of every text of a batch.
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

/// Runs `pass` forward, and backward from the logits of `label`, each times what `weigh` gives for
/// it. Gives these logits, `[batch, 1]`, and what the probes found.
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

/// The logits of each text with tokens hidden behind the token `unknown`: for each text, one row
/// for each of its masks, which are true where a token is hidden.
pub fn hidden_logits<'t>(
    model: &Model,
    unknown: u32,
    texts: impl IntoIterator<Item = (&'t TokenizedText, Vec<Vec<bool>>)>,
) -> Result<Vec<Vec<Vec<f32>>>, ExplainError> {
    let mut found = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    let mut held: Vec<TokenizedText> = Vec::new();
    let mut run = |held: &mut Vec<TokenizedText>, counts: &mut Vec<usize>| {
        let mut logits = logits(&model.transformer, held)?.into_iter();
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

/// Rows of one number a position, `[batch, position]`, without the padding.
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

/// The id of the token that stands for what the vocabulary does not have: `[UNK]` or `<unk>`. Other
/// tokens are hidden behind it. Patches of a picture are hidden behind [`PATCH_HIDDEN`].
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
pub fn token(model: &Model, names: &[&'static str]) -> Result<u32, ExplainError> {
    let tokenizer = model.tokenizer();
    let id = |name: &&str| tokenizer.and_then(|tokenizer| tokenizer.id(name));
    names
        .iter()
        .find_map(id)
        .ok_or_else(|| ExplainError::NoToken {
            names: names.to_vec(),
        })
}
