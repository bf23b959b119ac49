//! FullGrad: Gradient x Input with the biases counted as inputs.

use std::sync::Arc;

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_rules::operations::{Linear, Norm};
use relprop_rules::{BoundRules, Operation, Pass, Registry, RuleSet};
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::method::relevance_of;
use super::reader::{Reader, check};
use super::{Accounted, Method};
use crate::ExplainError;
use crate::batching::{backward, in_passes, rows};
use crate::numbers::numbers;

/// Gradient x Input at the site where relevance is read, plus the relevance of each bias and norm
/// shift after it, at the token where it is added (FullGrad; Srinivas and Fleuret 2019, equation 2;
/// for Transformers Mehri et al. CVPR 2025).
///
/// ```text
/// R_t = x_t . df/dx_t  +  sum over biases b of  b . df/dy_bt,   y_b what b is added to
/// ```
///
/// Biases after the pooling go to the pooled token. Under `libra` the sum is the logit (LibraGrad's
/// completeness); the plain gradients of norms, products and activations miss some of it, which
/// [`explain`](Self::explain) reports. One forward and one backward pass.
#[derive(Clone, Debug)]
pub struct FullGrad {
    reader: Reader,
    rules: BoundRules,
    /// Where something is added.
    sites: Vec<String>,
}

/// The gradients of [`FullGrad`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FullGradParameters {
    /// The preset that decides the gradients. It must keep the plain gradient of linear maps.
    pub rules: String,
}

impl Default for FullGradParameters {
    fn default() -> Self {
        Self {
            rules: "gradient-x-input".to_owned(),
        }
    }
}

impl FullGrad {
    /// FullGrad in `model`, at the input of the first block
    /// ([`DEFAULT_SITE`](crate::DEFAULT_SITE)).
    ///
    /// # Errors
    ///
    /// If there is no such preset, or it does not fit the model;
    /// [`ExplainError::MethodParameter`] if it has another rule than the gradient for a linear map.
    pub fn new(model: &Arc<Model>, parameters: &FullGradParameters) -> Result<Self, ExplainError> {
        if model.transformer.config().decoder.is_some() {
            let method = "full-grad";
            return Err(ExplainError::TwoStacks { method });
        }
        let sites = model.transformer.sites();
        let rules = RuleSet::preset(&parameters.rules)?;
        let rules = rules.bind(&sites, &Registry::default())?;
        let mut linear = sites.iter().filter(|s| s.operation == Some(Linear::NAME));
        if let Some(site) = linear.find(|site| rules.name(&site.name) != Some("gradient")) {
            return Err(ExplainError::MethodParameter {
                method: "full-grad".to_owned(),
                message: format!(
                    "`rules` is {}, which has a rule of its own for the linear map at `{}`: what \
                     its bias holds is then not defined; `libra` leaves linear maps their gradient",
                    parameters.rules, site.name
                ),
            });
        }
        let reader = Reader::new(model);
        let sites = adding(&reader);
        Ok(Self {
            reader,
            rules,
            sites,
        })
    }

    /// Reads at `site` instead.
    ///
    /// # Errors
    ///
    /// If the model has no such site, or the signal there is not one vector a token.
    pub fn at(self, site: &str) -> Result<Self, ExplainError> {
        let reader = self.reader.at(site)?;
        let sites = adding(&reader);
        Ok(Self {
            reader,
            sites,
            ..self
        })
    }

    /// The relevance of every token of each text for the logit of `label`, and the completeness
    /// error: the logit minus the sum of relevance.
    ///
    /// # Errors
    ///
    /// If the model has no such label, or the device fails.
    pub fn explain(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Accounted>, ExplainError> {
        let Reader { model, at } = &self.reader;
        check(model, label)?;
        in_passes(texts, 1, |texts| {
            let batch = self.reader.batch(texts.iter().copied());
            let pass = Pass::new(&self.rules).with_probe(at);
            let pass = self.sites.iter().fold(pass, Pass::with_probe);
            let transformer = &model.transformer;
            let (logits, mut found) = backward(transformer, &batch, pass, label, Tensor::ones_like);

            let mut relevance = found.take::<3>(at)?.sum_dim(2);
            for site in &self.sites {
                let reading = found.read::<3>(site)?;
                if let Some(added) = reading.added {
                    let held = (reading.gradient * added.unsqueeze()).sum_dim(2);
                    relevance = relevance + per_token(held, transformer.answers(&batch));
                }
            }
            let relevance = rows(relevance, &batch)?;
            let accounted = relevance.into_iter().zip(numbers(logits)?);
            let accounted = accounted.map(|(relevance, logit)| {
                let sum: f64 = relevance.iter().copied().map(f64::from).sum();
                let error = f64::from(logit) - sum;
                Accounted { relevance, error }
            });
            Ok(accounted.collect())
        })
    }
}

/// The sites after the one where relevance is read, at which a bias or a shift may be added.
fn adding(reader: &Reader) -> Vec<String> {
    let sites = reader.model.transformer.sites().into_iter();
    let after = sites.skip_while(|site| site.name != reader.at).skip(1);
    let adding = [Linear::NAME, Norm::NAME];
    after
        .filter(|site| site.operation.is_some_and(|o| adding.contains(&o)))
        .map(|site| site.name)
        .collect()
}

/// `[batch, position, 1]`; what comes after the pooling, `[batch, 1, 1]`, goes to the pooled tokens, and where two poolings
/// stand side by side, half to those of each.
fn per_token(held: Tensor<3>, pooled: Option<Tensor<3>>) -> Tensor<3> {
    match (held.dims(), pooled) {
        ([_, 1, _], Some(pooled)) => pooled.mean_dim(1).cast(held.dtype()).swap_dims(1, 2) * held,
        _ => held,
    }
}

impl Method for FullGrad {
    fn name(&self) -> &str {
        "full-grad"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        self.explain(texts, label).map(relevance_of)
    }

    fn site(&self) -> &str {
        &self.reader.at
    }
}
