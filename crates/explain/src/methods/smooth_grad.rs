//! The gradient, averaged over noise.

use std::sync::Arc;

use burn::tensor::Tensor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use relprop_checkpoints::Model;
use relprop_rules::Pass;
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::Method;
use super::random::generator;
use super::reader::{Reader, check};
use crate::ExplainError;
use crate::batching::{TOKENS, in_passes, tensor};
use crate::numbers::numbers;

/// [Saliency](super::Saliency) of the gradient averaged over noisy inputs (SmoothGrad; Smilkov et
/// al. 2017, section 3), at the read site.
///
/// ```text
/// R_t = || mean over samples of  df(x + e) / dx_t ||,   e ~ N(0, (noise * (max x - min x))^2)
/// ```
///
/// `max x` and `min x` are the largest and the smallest number of the text. It takes one forward
/// pass, and as many forward and backward passes as there are samples.
#[derive(Clone, Debug)]
pub struct SmoothGrad {
    reader: Reader,
    parameters: SmoothGradParameters,
}

/// How [`SmoothGrad`] samples.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmoothGradParameters {
    /// The number of noisy inputs, at least 1.
    pub samples: usize,
    /// The standard deviation of the noise, in units of the range of the text's numbers; at least 0.
    pub noise: f64,
    /// The seed of the noise.
    pub seed: u64,
}

impl Default for SmoothGradParameters {
    fn default() -> Self {
        Self {
            samples: 20,
            noise: 0.1,
            seed: 0,
        }
    }
}

impl SmoothGrad {
    /// SmoothGrad in `model`, at the input of the first block
    /// ([`DEFAULT_SITE`](crate::DEFAULT_SITE)).
    ///
    /// # Errors
    ///
    /// [`ExplainError::MethodParameter`] if a parameter is out of its range.
    pub fn new(model: &Arc<Model>, parameters: SmoothGradParameters) -> Result<Self, ExplainError> {
        let SmoothGradParameters { samples, noise, .. } = parameters;
        let refuse = |message| {
            Err(ExplainError::MethodParameter {
                method: "smooth-grad".to_owned(),
                message,
            })
        };
        if samples == 0 {
            return refuse("`samples` is 0: it must be at least 1".to_owned());
        }
        if !(noise.is_finite() && noise >= 0.0) {
            return refuse(format!(
                "`noise` is {noise}: it must be a finite number not below 0"
            ));
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

    fn pass(&self, texts: &[&TokenizedText], label: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        let SmoothGradParameters {
            samples,
            noise,
            seed,
        } = self.parameters;
        let batch = self.reader.batch(texts.iter().copied());
        let signal = self.reader.signal(&batch, Pass::plain())?;
        let [count, width, features] = signal.dims();
        let shape = [count, width, features];
        let values = numbers(signal.clone())?;

        // For each text: where its numbers lie in those of the batch, its noise, and the deviation
        // of the noise.
        let mut sources: Vec<_> = texts
            .iter()
            .zip(&batch.spans)
            .enumerate()
            .map(|(row, (text, span))| {
                let first = row * width;
                let place = (first + span.start) * features..(first + span.end) * features;
                let own = &values[place.clone()];
                let highest = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let lowest = own.iter().copied().fold(f32::INFINITY, f32::min);
                let deviation = noise as f32 * (highest - lowest);
                (place, generator(seed, text), deviation)
            })
            .collect();
        let mut draw = || {
            let mut numbers = vec![0.0; values.len()];
            for (place, generator, deviation) in &mut sources {
                fill(&mut numbers[place.clone()], generator, *deviation);
            }
            signal.clone() + tensor(&self.reader.model.transformer, numbers, shape)
        };

        let mut sum = signal.zeros_like();
        let at_once = (TOKENS / (count * width)).max(1);
        let mut left = samples;
        while left > 0 {
            let copies = left.min(at_once);
            left -= copies;
            let points = Tensor::cat((0..copies).map(|_| draw()).collect(), 0);
            let repeated = (0..copies).flat_map(|_| texts.iter().copied());
            let gradient = self
                .reader
                .gradient(&self.reader.batch(repeated), points, label)?;
            let by_copy = gradient.reshape([copies, count, width, features]);
            sum = sum + by_copy.sum_dim(0).squeeze_dim(0);
        }
        let mean = sum * (samples as f64).recip();
        crate::batching::rows(mean.square().sum_dim(2).sqrt(), &batch)
    }
}

/// Draws normally distributed numbers.
fn fill(numbers: &mut [f32], generator: &mut ChaCha8Rng, deviation: f32) {
    for number in numbers {
        *number = deviation * generator.sample::<f32, _>(StandardNormal);
    }
}

impl Method for SmoothGrad {
    fn name(&self) -> &str {
        "smooth-grad"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.reader.model, label)?;
        in_passes(texts, self.parameters.samples, |texts| {
            self.pass(texts, label)
        })
    }

    fn site(&self) -> &str {
        &self.reader.at
    }
}
