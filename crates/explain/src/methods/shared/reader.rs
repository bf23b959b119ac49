//! Signals, gradients and logits at the site where a method reads relevance.

use std::sync::Arc;

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_rules::{Pass, find_site};
use relprop_transformer::{Batch, TokenizedText, Transformer};

use crate::{DEFAULT_SITE, ExplainError, Target, UnknownTarget, batching};

/// A model, and the site where relevance is read.
#[derive(Clone, Debug)]
pub(in crate::methods) struct Reader {
    pub(in crate::methods) model: Arc<Model>,
    pub(in crate::methods) at: String,
}

impl Reader {
    /// Reads at [`DEFAULT_SITE`].
    pub(in crate::methods) fn new(model: &Arc<Model>) -> Self {
        Self {
            model: Arc::clone(model),
            at: DEFAULT_SITE.to_owned(),
        }
    }

    /// Reads at `site` instead, where the signal must be one vector a token.
    pub(in crate::methods) fn at(self, site: &str) -> Result<Self, ExplainError> {
        per_token(&self.model.transformer, site)?;
        let at = site.to_owned();
        Ok(Self { at, ..self })
    }

    /// The texts as one batch.
    pub(in crate::methods) fn batch<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t TokenizedText>,
    ) -> Batch {
        batching::batch(&self.model.transformer, texts)
    }

    /// The signal at the site, `[batch, position, feature]`, after `pass`.
    pub(in crate::methods) fn signal(
        &self,
        batch: &Batch,
        pass: Pass,
    ) -> Result<Tensor<3>, ExplainError> {
        let mut pass = pass.with_probe(&self.at);
        self.model.transformer.forward(batch, &mut pass);
        Ok(pass.into_readings().read(&self.at)?.signal)
    }

    /// The gradient of the logit of `label` at the site, where the signal is `signal`:
    /// `[batch, position, feature]`.
    pub(in crate::methods) fn gradient(
        &self,
        batch: &Batch,
        signal: Tensor<3>,
        label: usize,
    ) -> Result<Tensor<3>, ExplainError> {
        let pass = Pass::plain()
            .with_signal(&self.at, signal)
            .with_probe(&self.at);
        let transformer = &self.model.transformer;
        let (_, mut found) = batching::backward(transformer, batch, pass, label, Tensor::ones_like);
        Ok(found.read(&self.at)?.gradient)
    }

    /// The logit of `label` of each text, where the signal at the site is `signal`.
    pub(in crate::methods) fn logits(
        &self,
        batch: &Batch,
        signal: Tensor<3>,
        label: usize,
    ) -> Result<Vec<f64>, ExplainError> {
        let pass = Pass::plain().with_signal(&self.at, signal);
        let logits = batching::logits_of(&self.model.transformer, batch, pass)?;
        Ok(logits.iter().map(|row| row[label].into()).collect())
    }
}

/// Checks that the signal at `site` is one vector a token.
pub(crate) fn per_token(transformer: &Transformer, site: &str) -> Result<(), ExplainError> {
    let patches = transformer.config().patches();
    let positions = transformer.config().traced_positions();
    // A site at which the tokens before the patches are not there yet.
    let fewer = patches.map(|patches| positions - patches.special());
    match find_site(&transformer.sites(), site)?.shape[..] {
        [1, found, _] if found == positions => Ok(()),
        [1, found, _] if Some(found) == fewer && site.starts_with("embeddings.") => Ok(()),
        _ => Err(ExplainError::NotPerToken {
            site: site.to_owned(),
        }),
    }
}

/// Checks that the model has a label of this index.
pub(in crate::methods) fn check(model: &Model, label: usize) -> Result<(), UnknownTarget> {
    let config = model.transformer.config();
    let target = Target::Label(label).check(config.logits(), &config.labels);
    target.map(|_| ())
}
