//! Occlusion: how much the logit drops when a token is hidden.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_transformer::TokenizedText;

use super::Method;
use super::reader::check;
use crate::ExplainError;
use crate::batching::{hidden_logits, unknown_token};

/// What the logit loses when the unknown token stands in the place of one token (leave-one-out,
/// Li et al. 2016, "Understanding neural networks through representation erasure"; occlusion,
/// Zeiler and Fergus 2014, with a window of one token).
///
/// ```text
/// R_t = f(x) - f(x with [UNK] at t)
/// ```
///
/// Special tokens are occluded as well. It takes one forward pass for each token, and one more.
#[derive(Clone, Debug)]
pub struct Occlusion {
    model: Arc<Model>,
    unknown: u32,
}

impl Occlusion {
    /// Occlusion in `model`.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoToken`] if the vocabulary has no unknown token.
    pub fn new(model: &Arc<Model>) -> Result<Self, ExplainError> {
        let unknown = unknown_token(model)?;
        Ok(Self {
            model: Arc::clone(model),
            unknown,
        })
    }
}

impl Method for Occlusion {
    fn name(&self) -> &str {
        "occlusion"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.model, label)?;
        // The last mask hides nothing.
        let masks = |text: &TokenizedText| {
            let count = text.tokens.len();
            let mask = |hidden| (0..count).map(|token| token == hidden).collect();
            (0..=count).map(mask).collect()
        };
        let masked = texts.iter().map(|text| (*text, masks(text)));
        let logits = hidden_logits(&self.model, self.unknown, masked)?;
        let relevance = logits.iter().map(|logits| {
            let whole = logits[logits.len() - 1][label];
            let without = &logits[..logits.len() - 1];
            without.iter().map(|logits| whole - logits[label]).collect()
        });
        Ok(relevance.collect())
    }
}
