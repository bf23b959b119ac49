//! What the methods on attention weights share.
//!
//! A map is a matrix `[query, key]`. A text has one for each block: the mean over heads of its
//! attention weights, or of what a method computes from them.

use burn::tensor::{Device, Int, Tensor};
use relprop_checkpoints::Model;
use relprop_rules::operations::AttentionWeights;
use relprop_rules::{Operation, Pass, Reading, Relevance};
use relprop_transformer::{AnswersAt, Batch, TokenizedText};

use crate::ExplainError;
use crate::batching::{backward, batch};
use crate::numbers::numbers;

/// A matrix `[query, key]` of one text.
pub(in crate::methods) type Map = Vec<Vec<f64>>;

/// The sites of the attention weights of every block, in order.
pub(in crate::methods) fn sites(model: &Model) -> Result<Vec<String>, ExplainError> {
    if model.transformer.config().decoder.is_some() {
        let method = "a method on attention weights";
        return Err(ExplainError::TwoStacks { method });
    }
    let sites = model.transformer.sites().into_iter();
    let weights = sites.filter(|site| site.operation == Some(AttentionWeights::NAME));
    let sites: Vec<String> = weights.map(|site| site.name).collect();
    if sites.is_empty() {
        return Err(ExplainError::NoAttention);
    }
    Ok(sites)
}

/// The attention weights of every block, `[batch, head, query, key]`.
pub(in crate::methods) fn weights(
    model: &Model,
    texts: &[&TokenizedText],
) -> Result<(Batch, Vec<Tensor<4>>), ExplainError> {
    let sites = sites(model)?;
    let batch = batch(&model.transformer, texts.iter().copied());
    let mut pass = sites.iter().fold(Pass::plain(), Pass::with_probe);
    model.transformer.forward(&batch, &mut pass);
    let weights = read(pass.into_readings(), &sites)?;
    Ok((batch, weights.into_iter().map(|r| r.signal).collect()))
}

/// The attention weights of every block, and the gradient of the logit of `label` there.
pub(in crate::methods) fn weights_and_gradients(
    model: &Model,
    texts: &[&TokenizedText],
    label: usize,
) -> Result<(Batch, Vec<Reading<4>>), ExplainError> {
    let sites = sites(model)?;
    let batch = batch(&model.transformer, texts.iter().copied());
    let pass = sites.iter().fold(Pass::plain(), Pass::with_probe);
    let (_, found) = backward(&model.transformer, &batch, pass, label, Tensor::ones_like);
    Ok((batch, read(found, &sites)?))
}

fn read(mut found: Relevance, sites: &[String]) -> Result<Vec<Reading<4>>, ExplainError> {
    let readings = sites.iter().map(|site| Ok(found.read::<4>(site)?));
    readings.collect()
}

/// The mean over heads, `[batch, query, key]`.
pub(in crate::methods) fn mean_of_heads(x: Tensor<4>) -> Tensor<3> {
    x.mean_dim(1).squeeze_dim(1)
}

/// The mean over heads of the positive part, E_h[(x)^+]: `[batch, query, key]`.
pub(in crate::methods) fn positive(x: Tensor<4>) -> Tensor<3> {
    mean_of_heads(x.clamp_min(0.0))
}

/// The identity for each text of a batch, `[batch, query, key]`.
pub(in crate::methods) fn identity(like: &Tensor<3>) -> Tensor<3> {
    let [batch, length, _] = like.dims();
    let device: Device = like.device();
    let index = Tensor::<1, Int>::arange(0..length as i64, &device);
    let row: Tensor<2, Int> = index.clone().unsqueeze_dim(0);
    let column: Tensor<2, Int> = index.unsqueeze_dim(1);
    let column = column.expand([length, length]);
    let equal = column.equal(row.expand([length, length]));
    let identity: Tensor<3> = equal.float().cast(like.dtype()).unsqueeze_dim(0);
    identity.expand([batch, length, length])
}

/// A map plus the identity, for the residual connection, with each query's row scaled to sum to 1.
///
/// ```text
/// A~_qk = (A_qk + [q = k]) / sum over k' of (A_qk' + [q = k'])
/// ```
pub(in crate::methods) fn with_residual(map: Tensor<3>) -> Tensor<3> {
    let map = map.clone() + identity(&map);
    map.clone() / map.sum_dim(2)
}

/// The product A~_L ... A~_2 A~_1 of the maps of the blocks, first to last (attention rollout).
pub(in crate::methods) fn rollout(maps: impl IntoIterator<Item = Tensor<3>>) -> Option<Tensor<3>> {
    let maps = maps.into_iter().map(with_residual);
    maps.reduce(|joint, map| map.matmul(joint))
}

/// The map of each text, `[batch, query, key]`, without the padding.
pub(in crate::methods) fn crop(maps: Tensor<3>, batch: &Batch) -> Result<Vec<Map>, ExplainError> {
    let [_, width, _] = maps.dims();
    let numbers = numbers(maps)?;
    let of_text = numbers.chunks(width * width).zip(&batch.spans);
    let crop = |(numbers, span): (&[f32], &std::ops::Range<usize>)| {
        let rows = numbers.chunks(width).take(span.end).skip(span.start);
        let row = |row: &[f32]| row[span.clone()].iter().map(|x| f64::from(*x)).collect();
        rows.map(row).collect()
    };
    Ok(of_text.map(crop).collect())
}

/// What each token of a text gets from all queries together. In a language model, what it gets from
/// the token that is continued, because every other query is for the next token of its own.
pub(in crate::methods) fn received(model: &Model, map: &Map, text: &TokenizedText) -> Vec<f32> {
    match model.transformer.config().head.answers_at() {
        AnswersAt::Last => map[text.last()].iter().map(|x| *x as f32).collect(),
        AnswersAt::First
        | AnswersAt::Each
        | AnswersAt::Mean
        | AnswersAt::Attended
        | AnswersAt::Patches
        | AnswersAt::FirstAndPatches => column_sums(map),
    }
}

/// What the token whose hidden state the head reads gives to the others: the first token or, in a
/// language model, the one that is continued.
pub(in crate::methods) fn without_itself(
    model: &Model,
    mut map: Map,
    text: &TokenizedText,
) -> Vec<f64> {
    let answer = model.transformer.config().head.answers_at().token(text);
    let mut row = map.swap_remove(answer);
    row[answer] = 0.0;
    row
}

/// What each key gets from all queries together.
fn column_sums(map: &Map) -> Vec<f32> {
    let sum = |key: usize| map.iter().map(|row| row[key]).sum::<f64>() as f32;
    (0..map.len()).map(sum).collect()
}
