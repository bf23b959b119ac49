//! Gradients along a path from a baseline.

use std::sync::Arc;

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_rules::Pass;
use relprop_transformer::{Batch, TokenizedText};
use serde::Deserialize;

use super::method::relevance_of;
use super::quadrature::gauss_legendre;
use super::reader::{Reader, check};
use super::{Accounted, Method};
use crate::View;
use crate::batching::{TOKENS, in_passes, rows, unknown_token};
use crate::{ExplainError, batching};

/// The site of the word embeddings alone.
const WORDS: &str = "embeddings.word";

/// The gradient, averaged on the straight line from a baseline x' to the input x, times x - x'
/// (integrated gradients; Sundararajan et al. 2017, equation 1), at the site where relevance is
/// read.
///
/// ```text
/// R_t = (x_t - x'_t) . integral from 0 to 1 of  df(x' + a (x - x')) / dx_t  da
/// ```
///
/// The integral is a Gauss-Legendre sum over `steps` points. Relevance sums to f(x) - f(x') but for
/// the error of that sum, which [`explain`](Self::explain) reports. It takes `steps` forward and
/// backward passes, and up to four forward passes.
#[derive(Clone, Debug)]
pub struct IntegratedGradients {
    reader: Reader,
    parameters: IntegratedGradientsParameters,
}

/// How [`IntegratedGradients`] integrates, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntegratedGradientsParameters {
    /// The number of points on the path, from 1 to 1000.
    pub steps: usize,
    /// Where the path begins.
    pub baseline: Baseline,
}

impl Default for IntegratedGradientsParameters {
    fn default() -> Self {
        Self {
            steps: 20,
            baseline: Baseline::Pad,
        }
    }
}

/// A text that says nothing. Special tokens, positions and segments stay as they are, except under
/// `Zero`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// All zeros at the read site, special tokens too.
    Zero,
    /// The padding token in the place of each token.
    Pad,
    /// The unknown token in the place of each token.
    Unk,
    /// The mean of the vocabulary's word embeddings in the place of each word embedding.
    Mean,
}

impl IntegratedGradients {
    /// Integrated gradients in `model`, at the input of the first block
    /// ([`DEFAULT_SITE`](crate::DEFAULT_SITE)).
    ///
    /// # Errors
    ///
    /// [`ExplainError::MethodParameter`] if `steps` is out of its range, [`ExplainError::NoToken`]
    /// if the vocabulary lacks the baseline's token.
    pub fn new(
        model: &Arc<Model>,
        parameters: IntegratedGradientsParameters,
    ) -> Result<Self, ExplainError> {
        let steps = parameters.steps;
        if !(1..=1000).contains(&steps) {
            return Err(ExplainError::MethodParameter {
                method: "integrated-gradients".to_owned(),
                message: format!("`steps` is {steps}: it must be from 1 to 1000"),
            });
        }
        if parameters.baseline == Baseline::Unk {
            unknown_token(model)?;
        }
        let reader = Reader::new(model);
        Ok(Self { reader, parameters })
    }

    /// Reads at `site` instead.
    ///
    /// # Errors
    ///
    /// If the model has no such site, or the signal there is not one vector a token.
    pub fn at(self, site: &str) -> Result<Self, ExplainError> {
        let reader = self.reader.at(site)?;
        Ok(Self { reader, ..self })
    }

    /// The relevance of every token of each text for the logit of `label`, and the convergence
    /// error: f(x) - f(x') minus the sum of relevance.
    ///
    /// # Errors
    ///
    /// If the model has no such label, or the device fails.
    pub fn explain(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Accounted>, ExplainError> {
        check(&self.reader.model, label)?;
        let path = gauss_legendre(self.parameters.steps);
        in_passes(texts, path.len(), |texts| self.pass(texts, label, &path))
    }

    fn pass(
        &self,
        texts: &[&TokenizedText],
        label: usize,
        path: &[(f64, f64)],
    ) -> Result<Vec<Accounted>, ExplainError> {
        let batch = self.reader.batch(texts.iter().copied());
        let signal = self.reader.signal(&batch, Pass::plain())?;
        let baseline = self.baseline(texts, &batch, &signal)?;
        let difference = signal.clone() - baseline.clone();

        let lengths = texts.iter().map(|text| text.tokens.len());
        let mut sums: Vec<Vec<f64>> = lengths.map(|length| vec![0.0; length]).collect();
        let [_, width, _] = signal.dims();
        let at_once = (TOKENS / (texts.len() * width)).max(1);
        for part in path.chunks(at_once) {
            let batch = self
                .reader
                .batch(part.iter().flat_map(|_| texts.iter().copied()));
            let points = part
                .iter()
                .map(|(place, _)| baseline.clone() + difference.clone() * *place);
            let points = Tensor::cat(points.collect(), 0);
            let gradient = self.reader.gradient(&batch, points, label)?;
            let shares = gradient * difference.clone().repeat_dim(0, part.len());
            let shares = rows(shares.sum_dim(2), &batch)?;
            for ((_, weight), shares) in part.iter().zip(shares.chunks(texts.len())) {
                for (sums, shares) in sums.iter_mut().zip(shares) {
                    for (sum, share) in sums.iter_mut().zip(shares) {
                        *sum += weight * f64::from(*share);
                    }
                }
            }
        }

        let at_text = self.reader.logits(&batch, signal, label)?;
        let at_baseline = self.reader.logits(&batch, baseline, label)?;
        let ends = at_text.iter().zip(&at_baseline);
        let accounted = sums.into_iter().zip(ends).map(|(sums, (end, start))| {
            let error = end - start - sums.iter().sum::<f64>();
            let relevance = sums.into_iter().map(|sum| sum as f32).collect();
            Accounted { relevance, error }
        });
        Ok(accounted.collect())
    }

    /// The baseline of each text at the read site, in the shape of `signal`.
    fn baseline(
        &self,
        texts: &[&TokenizedText],
        batch: &Batch,
        signal: &Tensor<3>,
    ) -> Result<Tensor<3>, ExplainError> {
        let transformer = &self.reader.model.transformer;
        let replaced = |id: u32| {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| View::Hidden(ordinary(text)).of(text, id))
                .collect();
            self.reader
                .signal(&self.reader.batch(&texts), Pass::plain())
        };
        match self.parameters.baseline {
            Baseline::Zero => Ok(signal.zeros_like()),
            Baseline::Pad => replaced(transformer.config().padding_token),
            Baseline::Unk => replaced(unknown_token(&self.reader.model)?),
            Baseline::Mean => {
                let words = Reader {
                    at: WORDS.to_owned(),
                    ..self.reader.clone()
                };
                let words = words.signal(batch, Pass::plain())?;
                let mean = transformer.word_embeddings().mean_dim(0).unsqueeze();
                let mut kept = Vec::new();
                let [_, width, _] = words.dims();
                for (text, span) in texts.iter().zip(&batch.spans) {
                    let mut row = vec![1.0; width];
                    for (place, ordinary) in span.clone().zip(ordinary(text)) {
                        row[place] = f32::from(u8::from(!ordinary));
                    }
                    kept.extend(row);
                }
                let kept = batching::tensor(transformer, kept, [texts.len(), width, 1]);
                let words = words * kept.clone() + mean * (-kept + 1.0);
                self.reader
                    .signal(batch, Pass::plain().with_signal(WORDS, words))
            }
        }
    }
}

/// True where a token is not special.
pub(super) fn ordinary(text: &TokenizedText) -> Vec<bool> {
    text.tokens.iter().map(|token| !token.special).collect()
}

impl Method for IntegratedGradients {
    fn name(&self) -> &str {
        "integrated-gradients"
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
