//! Attention rollout: the attention weights of all blocks, multiplied.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_transformer::TokenizedText;

use super::Method;
use super::attention::{crop, mean_of_heads, received, rollout, weights};
use crate::ExplainError;
use crate::batching::in_passes;

/// The attention weights of all blocks multiplied, with the residual connections (attention rollout;
/// Abnar and Zuidema 2020), summed over all queries as in the released code of Ali et al. 2022.
///
/// ```text
/// A~_l = rows of (mean over heads of A_l + I), scaled to sum to 1
/// R_k = sum over queries q of  (A~_L ... A~_2 A~_1)[q, k]
/// ```
///
/// In a language model, q is the token that is continued alone. It does not depend on the label. One
/// forward pass.
#[derive(Clone, Debug)]
pub struct AttentionRollout {
    model: Arc<Model>,
}

impl AttentionRollout {
    /// The attention weights of `model`.
    pub fn new(model: &Arc<Model>) -> Self {
        Self {
            model: Arc::clone(model),
        }
    }
}

impl Method for AttentionRollout {
    fn name(&self) -> &str {
        "attention-rollout"
    }

    fn relevance(&self, texts: &[&TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        in_passes(texts, 1, |texts| {
            let (batch, weights) = weights(&self.model, texts)?;
            let joint = rollout(weights.into_iter().map(mean_of_heads));
            let maps = crop(joint.ok_or(ExplainError::NoAttention)?, &batch)?;
            let of_text = maps.iter().zip(texts);
            let of_text = of_text.map(|(map, text)| received(&self.model, map, text));
            Ok(of_text.collect())
        })
    }
}
