//! Layer normalisation.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Operation;

/// y = (x - mean(x)) * scale(x) * gamma + beta, over the features of `[batch, position, feature]`.
#[derive(Clone, Debug)]
pub struct Norm {
    /// How the centred features are scaled.
    pub scale: NormScale,
    /// A factor for each feature, `[feature]`.
    pub gamma: Option<Tensor<1>>,
    /// A shift for each feature, `[feature]`.
    pub beta: Option<Tensor<1>>,
}

/// Where the epsilon of a norm stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormScale {
    /// 1 / sqrt(Var(x) + epsilon), with the biased variance: BERT and nearly everything else.
    InsideRoot(f64),
    /// 1 / (std(x) + epsilon), with the unbiased deviation: the released model of Ali et al. 2022.
    OutsideRoot(f64),
}

impl Norm {
    /// A norm without gamma and beta, epsilon inside the root.
    pub fn plain(epsilon: f64) -> Self {
        Self {
            scale: NormScale::InsideRoot(epsilon),
            gamma: None,
            beta: None,
        }
    }

    /// x - mean(x). This is linear in x: the matrix C = I - 1/N of the paper's LN-rule.
    pub fn centre(&self, x: Tensor<3>) -> Tensor<3> {
        let mean = self.mean(x.clone());
        x - mean
    }

    /// The mean of the features, `[batch, position, 1]`.
    pub fn mean(&self, x: Tensor<3>) -> Tensor<3> {
        x.mean_dim(2)
    }

    /// The factor that brings the centred features to unit size, `[batch, position, 1]`.
    pub fn scale(&self, centred: Tensor<3>) -> Tensor<3> {
        let features = centred.dims()[2] as f64;
        let squares = centred.square();
        match self.scale {
            NormScale::InsideRoot(epsilon) => (squares.mean_dim(2) + epsilon).sqrt().recip(),
            NormScale::OutsideRoot(epsilon) => {
                // The root of zero has an infinite slope: equal features would get NaN.
                let variance = squares.sum_dim(2) / (features - 1.0);
                (variance.clamp_min(f32::MIN_POSITIVE).sqrt() + epsilon).recip()
            }
        }
    }

    /// y * gamma + beta.
    pub fn affine(&self, y: Tensor<3>) -> Tensor<3> {
        let y = match &self.gamma {
            Some(gamma) => y * gamma.clone().unsqueeze(),
            None => y,
        };
        match &self.beta {
            Some(beta) => y + beta.clone().unsqueeze(),
            None => y,
        }
    }
}

impl Operation for Norm {
    const NAME: &'static str = "norm";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let centred = self.centre(x);
        let scale = self.scale(centred.clone());
        self.affine(centred * scale)
    }
}
