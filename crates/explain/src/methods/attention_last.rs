//! The attention weights of the last block.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_transformer::TokenizedText;

use super::Method;
use super::attention::{crop, mean_of_heads, received, weights};
use crate::ExplainError;
use crate::batching::in_passes;

/// How much attention all tokens give to a token in the last block (A-Last, as in the released code
/// of Ali et al. 2022).
///
/// ```text
/// R_k = mean over heads of  sum over queries q of  A_L[h, q, k]
/// ```
///
/// In a language model, q is the token that is continued alone. It does not depend on the label. One
/// forward pass.
#[derive(Clone, Debug)]
pub struct AttentionLast {
    model: Arc<Model>,
}

impl AttentionLast {
    /// The attention weights of `model`.
    pub fn new(model: &Arc<Model>) -> Self {
        Self {
            model: Arc::clone(model),
        }
    }
}

impl Method for AttentionLast {
    fn name(&self) -> &str {
        "attention-last"
    }

    fn relevance(&self, texts: &[&TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        in_passes(texts, 1, |texts| {
            let (batch, mut weights) = weights(&self.model, texts)?;
            let last = weights.pop().ok_or(ExplainError::NoAttention)?;
            let maps = crop(mean_of_heads(last), &batch)?;
            let of_text = maps.iter().zip(texts);
            let of_text = of_text.map(|(map, text)| received(&self.model, map, text));
            Ok(of_text.collect())
        })
    }
}
