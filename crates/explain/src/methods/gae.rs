//! Attention times its gradient, added up over the blocks.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_rules::Reading;
use relprop_transformer::TokenizedText;

use super::Method;
use super::attention::{crop, identity, positive, weights_and_gradients, without_itself};
use super::reader::check;
use crate::ExplainError;
use crate::batching::in_passes;

/// Attention times its gradient, positive parts, added up from block to block (generic attention
/// explainability; Chefer et al. ICCV 2021, equations 5 and 6), as the released code of Ali et al.
/// 2022 does it for IMDB.
///
/// ```text
/// A'_l = mean over heads of (A_l * dA_l)^+,   dA_l the gradient of the logit at A_l
/// R <- I;   R <- R + A'_l R  for each block;   R_k = R[CLS, k],   R_CLS = 0
/// ```
///
/// In a language model the token that is continued takes the place of `[CLS]`. In the end it is scaled
/// to [0, 1]. One forward and one backward pass.
#[derive(Clone, Debug)]
pub struct Gae {
    model: Arc<Model>,
}

impl Gae {
    /// The attention weights of `model`.
    pub fn new(model: &Arc<Model>) -> Self {
        Self {
            model: Arc::clone(model),
        }
    }
}

impl Method for Gae {
    fn name(&self) -> &str {
        "gae"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.model, label)?;
        in_passes(texts, 1, |texts| {
            let (batch, blocks) = weights_and_gradients(&self.model, texts, label)?;
            let mut maps = blocks.into_iter().map(Reading::relevance).map(positive);
            let first = maps.next().ok_or(ExplainError::NoAttention)?;
            let identity = identity(&first);
            let joint = maps.fold(identity + first, |joint, map| {
                joint.clone() + map.matmul(joint)
            });
            let maps = crop(joint, &batch)?;
            Ok(maps
                .into_iter()
                .zip(texts)
                .map(|(map, text)| scaled(without_itself(&self.model, map, text)))
                .collect())
        })
    }
}

/// Numbers scaled so that the smallest is 0 and the largest 1; zeros if all are equal.
fn scaled(row: Vec<f64>) -> Vec<f32> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = row.iter().copied().fold(f64::INFINITY, f64::min);
    let range = largest - smallest;
    let scale = if range > 0.0 { range.recip() } else { 0.0 };
    let scaled = row.into_iter().map(|x| ((x - smallest) * scale) as f32);
    scaled.collect()
}
