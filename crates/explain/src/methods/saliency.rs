//! Saliency: the norm of the gradient.

use std::sync::Arc;

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_rules::Pass;
use relprop_transformer::TokenizedText;

use super::Method;
use super::reader::{Reader, check};
use crate::ExplainError;
use crate::batching::{backward, in_passes, rows};

/// How sensitive the logit is to each token (Simonyan et al. 2014; for texts Li et al. 2016): the
/// L2 norm of the gradient at the read site.
///
/// ```text
/// R_t = || df / dx_t ||
/// ```
///
/// It is never negative: it cannot tell evidence for a label from evidence against it. One forward
/// and one backward pass.
#[derive(Clone, Debug)]
pub struct Saliency(Reader);

impl Saliency {
    /// Saliency in `model`, at the input of the first block ([`DEFAULT_SITE`](crate::DEFAULT_SITE)).
    pub fn new(model: &Arc<Model>) -> Self {
        Self(Reader::new(model))
    }

    /// Reads at `site` instead.
    ///
    /// # Errors
    ///
    /// If the model has no such site, or the signal there is not one vector a token.
    pub fn at(self, site: &str) -> Result<Self, ExplainError> {
        self.0.at(site).map(Self)
    }
}

impl Method for Saliency {
    fn name(&self) -> &str {
        "saliency"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let Reader { model, at } = &self.0;
        check(model, label)?;
        in_passes(texts, 1, |texts| {
            let batch = self.0.batch(texts.iter().copied());
            let pass = Pass::plain().with_probe(at);
            let transformer = &model.transformer;
            let (_, mut found) = backward(transformer, &batch, pass, label, Tensor::ones_like);
            let gradient: Tensor<3> = found.read(at)?.gradient;
            rows(gradient.square().sum_dim(2).sqrt(), &batch)
        })
    }

    fn site(&self) -> &str {
        &self.0.at
    }
}
