//! Layer normalisation.

#[cfg(feature = "flex")]
mod vector;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::precision::widen;
use crate::{Operation, Terms};

/// LayerNorm or RMSNorm: y = (x - mean(x)) * scale(x) * gamma + beta, the latter without the mean, over the features of `[batch, position, feature]`.
#[derive(Clone, Debug)]
pub struct Norm {
    /// How the centred features are scaled.
    pub scale: NormScale,
    /// A factor for each feature, `[feature]`.
    pub gamma: Option<Tensor<1>>,
    /// A shift for each feature, `[feature]`.
    pub beta: Option<Tensor<1>>,
}

/// How a norm brings its features to unit size, and where its epsilon stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormScale {
    /// 1 / sqrt(Var(x) + epsilon), with the biased variance: BERT and nearly everything else.
    InsideRoot(f64),
    /// 1 / (std(x) + epsilon), with the unbiased deviation: the released model of Ali et al. 2022.
    OutsideRoot(f64),
    /// 1 / sqrt(mean(x^2) + epsilon), of features that are not centred: RMSNorm.
    RootMeanSquare(f64),
}

impl NormScale {
    /// The number that keeps the division from overflowing.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::InsideRoot(epsilon)
            | Self::OutsideRoot(epsilon)
            | Self::RootMeanSquare(epsilon) => epsilon,
        }
    }
}

/// What of a norm is a constant on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constant {
    /// Nothing: the plain gradient.
    Nothing,
    /// The scale.
    Scale,
    /// The scale and the mean.
    Moments,
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

    /// x - mean(x). This is linear in x: the matrix C = I - 1/N of the paper's LN-rule. RMSNorm does
    /// not centre: C = I.
    pub fn centre(&self, x: Tensor<3>) -> Tensor<3> {
        match self.scale {
            NormScale::RootMeanSquare(_) => x,
            NormScale::InsideRoot(_) | NormScale::OutsideRoot(_) => x.clone() - x.mean_dim(2),
        }
    }

    /// What is taken off every feature, `[batch, position, 1]`: their mean, or 0 for RMSNorm.
    pub fn mean(&self, x: Tensor<3>) -> Tensor<3> {
        let mean = x.mean_dim(2);
        match self.scale {
            NormScale::RootMeanSquare(_) => mean.zeros_like(),
            NormScale::InsideRoot(_) | NormScale::OutsideRoot(_) => mean,
        }
    }

    /// The factor that brings the centred features to unit size, `[batch, position, 1]`.
    pub fn scale(&self, centred: Tensor<3>) -> Tensor<3> {
        let features = centred.dims()[2] as f64;
        let squares = centred.square();
        match self.scale {
            NormScale::InsideRoot(epsilon) | NormScale::RootMeanSquare(epsilon) => {
                (squares.mean_dim(2) + epsilon).sqrt().recip()
            }
            NormScale::OutsideRoot(epsilon) => {
                // The root of zero has an infinite slope: equal features would get NaN.
                // Burn rounds the gradient of a division by a number to f32, so multiply.
                let variance = squares.sum_dim(2) * (features - 1.0).recip();
                (variance.clamp_min(f32::MIN_POSITIVE).sqrt() + epsilon).recip()
            }
        }
    }

    /// All of the norm in one operation, where a device has it; the value is the same for every
    /// `constant`.
    #[cfg_attr(not(feature = "flex"), expect(unused_variables))]
    pub(crate) fn at_once(&self, x: &Tensor<3>, constant: Constant) -> Option<Tensor<3>> {
        #[cfg(feature = "flex")]
        return self.kernel(x, constant);
        #[cfg(not(feature = "flex"))]
        None
    }

    /// y * gamma + beta.
    pub fn affine(&self, y: Tensor<3>) -> Tensor<3> {
        let y = match &self.gamma {
            Some(gamma) => y * widen(gamma.clone()).unsqueeze(),
            None => y,
        };
        match &self.beta {
            Some(beta) => y + widen(beta.clone()).unsqueeze(),
            None => y,
        }
    }
}

impl Operation for Norm {
    const NAME: &'static str = "norm";
    const ABSORBS: &'static str = "scale";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        if let Some(y) = self.at_once(&x, Constant::Nothing) {
            return y;
        }
        let centred = self.centre(x);
        let scale = self.scale(centred.clone());
        self.affine(centred * scale)
    }

    fn added(&self) -> Option<&Tensor<1>> {
        self.beta.as_ref()
    }

    fn watch_terms(&mut self, terms: &mut Terms) {
        terms.watch("shift", &mut self.beta);
    }
}
