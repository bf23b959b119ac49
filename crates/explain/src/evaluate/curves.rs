//! Activation and pruning curves, exactly as the released code of Ali et al. 2022 draws them.
//!
//! N is the number of tokens of a text, special tokens included; a step k = 0, 1, ..., 10 changes
//! the first ceil(k * 0.1 * N) tokens of an order.
//!
//! * *Activation*: all tokens are the unknown token; those of the highest relevance, sign and all, are
//!   shown first. The curve is the probability of the true label. The area under it is AUAC: higher
//!   is better.
//! * *Pruning*: all tokens are shown; those of the lowest absolute relevance become unknown first. The
//!   curves are the squared change of the logits, summed over labels, whose area is AU-MSE (lower is
//!   better), and the probability of the true label, whose area is AUPC (higher is better).
//!
//! All texts count, also those that the model gets wrong, and relevance is that of the true label's
//! logit.

use std::ops::Range;

use relprop_rules::Pass;
use relprop_transformer::{Batch, Model, PaddingSide, TokenizedText, Transformer};

use super::Method;
use crate::ExplainError;
use crate::explainer::numbers;

/// The number of points of a curve.
pub const STEPS: usize = 11;
/// How many tokens go through the model in one pass, at most.
const TOKENS: usize = 4096;
/// How many texts are explained in one pass, at most.
const TEXTS: usize = 32;

/// A value at each of the fractions 0, 0.1, ..., 1.
pub type Curve = [f64; STEPS];

/// A text and its true label.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The text.
    pub text: TokenizedText,
    /// The index of its label among the model's.
    pub label: usize,
}

/// The curves of one text under one method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextCurves {
    /// The probability of the true label while tokens are shown.
    pub activation: Curve,
    /// The probability of the true label while tokens are taken away.
    pub pruning: Curve,
    /// The squared change of the logits while tokens are taken away.
    pub error: Curve,
}

/// The area under a curve, by the trapezoidal rule.
pub fn area(curve: &Curve) -> f64 {
    let width = 1.0 / (STEPS - 1) as f64;
    let pairs = curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
    pairs.sum::<f64>() * width
}

/// The curves of every sample under `method`, with the token `unknown` in the place of hidden ones.
/// After some texts, `progress` is told how many more are done.
///
/// # Errors
///
/// If the method cannot explain the model, or the device fails.
pub fn faithfulness(
    model: &Model,
    method: &dyn Method,
    samples: &[Sample],
    unknown: u32,
    mut progress: impl FnMut(usize),
) -> Result<Vec<TextCurves>, ExplainError> {
    let mut curves = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(TEXTS) {
        let relevance = relevance(method, chunk)?;
        let variants: Vec<TokenizedText> = chunk
            .iter()
            .zip(&relevance)
            .flat_map(|(sample, relevance)| variants(&sample.text, relevance, unknown))
            .collect();
        let logits = logits(&model.transformer, &variants)?;
        let of_text = logits.chunks(2 * STEPS).zip(chunk);
        curves.extend(of_text.map(|(logits, sample)| read(logits, sample.label)));
        progress(chunk.len());
    }
    Ok(curves)
}

/// The relevance of each sample's tokens for its true label.
fn relevance(method: &dyn Method, samples: &[Sample]) -> Result<Vec<Vec<f32>>, ExplainError> {
    let mut relevance = vec![Vec::new(); samples.len()];
    let mut labels: Vec<usize> = samples.iter().map(|sample| sample.label).collect();
    labels.sort_unstable();
    labels.dedup();
    for label in labels {
        let of_label = || samples.iter().enumerate().filter(|(_, s)| s.label == label);
        let texts: Vec<_> = of_label().map(|(_, sample)| sample.text.clone()).collect();
        for ((index, _), found) in of_label().zip(method.relevance(&texts, label)?) {
            relevance[index] = found;
        }
    }
    Ok(relevance)
}

/// The text at each step of activation, then at each step of pruning.
fn variants(text: &TokenizedText, relevance: &[f32], unknown: u32) -> Vec<TokenizedText> {
    let highest_first = order(relevance, |r| -r);
    let weakest_first = order(relevance, f32::abs);
    let count = text.tokens.len();
    let hide = |hidden: &[usize]| {
        let mut text = text.clone();
        for &index in hidden {
            text.tokens[index].id = unknown;
        }
        text
    };
    let steps = (0..STEPS).map(|step| changed(step, count));
    let shown = steps.clone().map(|count| hide(&highest_first[count..]));
    let pruned = steps.map(|count| hide(&weakest_first[..count]));
    shown.chain(pruned).collect()
}

/// How many of `count` tokens are changed at a step. The product of fractions is not exact, and the
/// protocol rounds up: step 3 of 10 tokens changes 4, as it does there.
fn changed(step: usize, count: usize) -> usize {
    let fraction = if step + 1 == STEPS {
        1.0
    } else {
        step as f64 * 0.1
    };
    ((fraction * count as f64).ceil() as usize).min(count)
}

/// The places of the tokens by `key`, lowest first; equal ones stay in the order of the text.
fn order(relevance: &[f32], key: impl Fn(f32) -> f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevance.len()).collect();
    order.sort_by(|&a, &b| key(relevance[a]).total_cmp(&key(relevance[b])));
    order
}

/// The logits of every text, in passes of texts of about the same length.
fn logits(
    transformer: &Transformer,
    texts: &[TokenizedText],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let mut by_length: Vec<usize> = (0..texts.len()).collect();
    by_length.sort_by_key(|&index| texts[index].tokens.len());
    let mut logits = vec![Vec::new(); texts.len()];
    let padding_token = transformer.config().padding_token;
    for pass in passes(&by_length, texts) {
        let indices = &by_length[pass];
        let of_pass = indices.iter().map(|&index| &texts[index]);
        let device = transformer.device();
        let batch = Batch::new(of_pass, padding_token, PaddingSide::Right, &device);
        let found = transformer.forward(&batch, &mut Pass::plain());
        let labels = found.dims()[1];
        let found = numbers(found)?;
        for (&index, row) in indices.iter().zip(found.chunks(labels)) {
            logits[index] = row.to_vec();
        }
    }
    Ok(logits)
}

/// Cuts texts that are sorted by length into runs of at most [`TOKENS`] tokens when padded.
fn passes(by_length: &[usize], texts: &[TokenizedText]) -> Vec<Range<usize>> {
    let mut passes: Vec<Range<usize>> = Vec::new();
    for (place, &index) in by_length.iter().enumerate() {
        let length = texts[index].tokens.len();
        match passes.last_mut() {
            Some(pass) if (pass.len() + 1) * length <= TOKENS => pass.end = place + 1,
            _ => passes.push(place..place + 1),
        }
    }
    passes
}

/// The curves of one text, from its logits at each step of activation and of pruning.
fn read(logits: &[Vec<f32>], label: usize) -> TextCurves {
    let (shown, pruned) = logits.split_at(STEPS);
    let whole = &pruned[0];
    let curve = |value: &dyn Fn(usize) -> f64| std::array::from_fn(value);
    TextCurves {
        activation: curve(&|step| probability(&shown[step], label)),
        pruning: curve(&|step| probability(&pruned[step], label)),
        error: curve(&|step| {
            let changes = pruned[step].iter().zip(whole);
            changes
                .map(|(now, then)| f64::from(now - then).powi(2))
                .sum()
        }),
    }
}

/// The softmax of the logits, at one label.
fn probability(logits: &[f32], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: f32| f64::from(logit - largest).exp();
    weight(logits[label]) / logits.iter().copied().map(weight).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_that_of_the_trapezoids() {
        assert!((area(&[1.0; STEPS]) - 1.0).abs() < 1e-12);
        let line = std::array::from_fn(|step| step as f64);
        assert!((area(&line) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn as_many_tokens_change_as_numpy_says() {
        // numpy.ceil(numpy.linspace(0, 1, 11) * n)
        let steps = |count| {
            (0..STEPS)
                .map(|step| changed(step, count))
                .collect::<Vec<_>>()
        };
        assert_eq!(steps(10), [0, 1, 2, 4, 4, 5, 7, 8, 8, 9, 10]);
        assert_eq!(steps(3), [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]);
        assert_eq!(steps(1), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn orders_are_signed_or_absolute_and_stable() {
        let relevance = [0.5, -2.0, 0.5, 1.0];
        assert_eq!(order(&relevance, |r| -r), [3, 0, 2, 1]);
        assert_eq!(order(&relevance, f32::abs), [0, 2, 3, 1]);
    }
}
