//! Rollout of attention times its gradient.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_rules::Reading;
use relprop_transformer::TokenizedText;

use super::Method;
use super::attention::{crop, positive, received, rollout, weights_and_gradients};
use super::reader::check;
use crate::ExplainError;
use crate::batching::in_passes;

/// [Attention rollout](super::AttentionRollout) of attention times its gradient, positive parts
/// (Grad-Rollout in the tables of Ali et al. 2022; what their released code calls GAE for SST-2).
///
/// ```text
/// A'_l = mean over heads of (A_l * dA_l)^+,   dA_l the gradient of the logit at A_l
/// A~_l = rows of (A'_l + I), scaled to sum to 1;   J = A~_L ... A~_2 A~_1,   J[CLS, CLS] = 0
/// R_k = sum over queries q of J[q, k]
/// ```
///
/// One forward and one backward pass.
#[derive(Clone, Debug)]
pub struct GradRollout {
    model: Arc<Model>,
}

impl GradRollout {
    /// The attention weights of `model`.
    pub fn new(model: &Arc<Model>) -> Self {
        Self {
            model: Arc::clone(model),
        }
    }
}

impl Method for GradRollout {
    fn name(&self) -> &str {
        "grad-rollout"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.model, label)?;
        in_passes(texts, 1, |texts| {
            let (batch, blocks) = weights_and_gradients(&self.model, texts, label)?;
            let maps = blocks.into_iter().map(Reading::relevance).map(positive);
            let joint = rollout(maps).ok_or(ExplainError::NoAttention)?;
            let maps = crop(joint, &batch)?.into_iter();
            let relevance = maps.zip(texts).map(|(mut map, text)| {
                map[0][0] = 0.0;
                received(&self.model, &map, text)
            });
            Ok(relevance.collect())
        })
    }
}
