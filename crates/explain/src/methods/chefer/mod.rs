//! Rollout of attention relevance times attention gradient.

mod rules;

use std::sync::Arc;

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_rules::operations::Residual;
use relprop_rules::{BoundRules, Operation, Pass, Relevance};
use relprop_transformer::{Batch, TokenizedText};
use serde::Deserialize;

use super::Method;
use super::attention::{crop, positive, rollout, sites, weights_and_gradients, without_itself};
use super::reader::check;
use crate::ExplainError;
use crate::batching::{backward, in_passes};
use rules::Rescaled;

/// The relevance of attention weights times their gradient, positive parts, rolled out (Chefer et
/// al. CVPR 2021, equations 13 and 14).
///
/// ```text
/// A'_l = mean over heads of (dA_l * R^A_l)^+,   dA_l the gradient of the logit at A_l
/// A~_l = rows of (A'_l + I), scaled to sum to 1;   J = A~_L ... A~_start
/// R_k = J[CLS, k],   R_CLS = 0
/// ```
///
/// R^A_l is the relevance at A_l of 1 at the logit, under the rules of the released code: z-plus
/// without biases for linear maps; unchanged through norms, activations and the softmax; half to
/// each factor of a product; and at a residual sum y = a + b
///
/// ```text
/// R(a_i) = a_i / y_i * R(y_i) * s_a,   s_a such that  sum R(a) = |A| / (|A| + |B|) * sum R(y)
/// ```
///
/// and the same for b, where A and B are the sums of a_i / y_i * R(y_i) and b_i / y_i * R(y_i) over
/// the text. The factors of a residual sum depend on the relevance there, so this takes two forward
/// and backward passes, and one more for each residual sum after the first attention weights that
/// are used.
#[derive(Clone, Debug)]
pub struct Chefer {
    model: Arc<Model>,
    rules: BoundRules,
    start: usize,
    /// The attention weights of the blocks that are used.
    weights: Vec<String>,
    /// The residual sums after the first of these weights, the last sum first, each with the site
    /// of its branch.
    residuals: Vec<(String, String)>,
}

/// Where [`Chefer`] starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheferParameters {
    /// The first block that is used, counted from 0; the last block unless it is given, as in the
    /// released code for BERT.
    pub start: Option<usize>,
}

impl Chefer {
    /// The attention weights of `model`.
    ///
    /// # Errors
    ///
    /// [`ExplainError::MethodParameter`] if the model has no block `start`.
    pub fn new(model: &Arc<Model>, parameters: CheferParameters) -> Result<Self, ExplainError> {
        let all = model.transformer.sites();
        let mut weights = sites(model)?;
        let start = parameters.start.unwrap_or(weights.len() - 1);
        if start >= weights.len() {
            return Err(ExplainError::MethodParameter {
                method: "chefer".to_owned(),
                message: format!(
                    "`start` is {start}: the last block is {}",
                    weights.len() - 1
                ),
            });
        }
        weights.drain(..start);
        let after = all.iter().zip(all.iter().skip(1));
        let after = after.skip_while(|(site, _)| site.name != weights[0]);
        // The last thing that a branch computes stands just before its sum.
        let mut residuals: Vec<(String, String)> = after
            .filter(|(_, sum)| sum.operation == Some(Residual::NAME))
            .map(|(branch, sum)| (sum.name.clone(), branch.name.clone()))
            .collect();
        residuals.reverse();
        Ok(Self {
            model: Arc::clone(model),
            rules: rules::bind(&all)?,
            start,
            weights,
            residuals,
        })
    }

    /// R^A of every block that is used, `[batch, head, query, key]`.
    fn relevance_of_weights(
        &self,
        batch: &Batch,
        label: usize,
    ) -> Result<Vec<Tensor<4>>, ExplainError> {
        let mut rules = self.rules.clone();
        for (sum, branch) in &self.residuals {
            let pass = Pass::new(&rules).with_probe(sum).with_probe(branch);
            let mut found = self.backward(batch, pass, label);
            let sum_reading = found.read::<3>(sum)?;
            let branch = found.read::<3>(branch)?.signal;
            let skip = sum_reading.signal - branch.clone();
            let total =
                |part: Tensor<3>| (part * sum_reading.gradient.clone()).sum_dim(2).sum_dim(1);
            let rescaled = Rescaled::new(total(skip), total(branch));
            rules.set::<Residual>(sum, "rescaled", rescaled)?;
        }
        let pass = self
            .weights
            .iter()
            .fold(Pass::new(&rules), Pass::with_probe);
        let mut found = self.backward(batch, pass, label);
        let relevance = self.weights.iter().map(|site| Ok(found.take::<4>(site)?));
        relevance.collect()
    }

    /// Propagates 1 from the logit: relevance is gradient times value, so the gradient there is one
    /// over the logit.
    fn backward(&self, batch: &Batch, pass: Pass, label: usize) -> Relevance {
        let weigh = |logit: &Tensor<2>| {
            let zero = logit.clone().equal_elem(0.0);
            logit.clone().mask_fill(zero, 1.0).recip()
        };
        backward(&self.model.transformer, batch, pass, label, weigh).1
    }
}

impl Method for Chefer {
    fn name(&self) -> &str {
        "chefer"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.model, label)?;
        in_passes(texts, 1, |texts| {
            let (batch, blocks) = weights_and_gradients(&self.model, texts, label)?;
            let gradients = blocks.into_iter().skip(self.start).map(|b| b.gradient);
            let relevance = self.relevance_of_weights(&batch, label)?;
            let maps = gradients
                .zip(relevance)
                .map(|(gradient, relevance)| positive(gradient * relevance));
            let joint = rollout(maps).ok_or(ExplainError::NoAttention)?;
            let maps = crop(joint, &batch)?.into_iter();
            let rows = maps.zip(texts).map(|(map, text)| {
                let row = without_itself(&self.model, map, text);
                row.into_iter().map(|x| x as f32).collect()
            });
            Ok(rows.collect())
        })
    }
}
