//! Layer normalization.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;
pub mod rules;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Operation;
use crate::precision::widen;

/// LayerNorm or RMSNorm, over the features of `[batch, position, feature]`.
///
/// ```text
/// LayerNorm:  y = (x - mean(x)) * scale(x - mean(x)) * gamma + beta
/// RMSNorm:    y = x * scale(x) * gamma + beta
/// ```
#[derive(Clone, Debug)]
pub struct Norm {
    /// How the centered features are scaled.
    pub scale: NormScale,
    /// A factor for each feature, `[feature]`.
    pub gamma: Option<Tensor<1>>,
    /// A shift for each feature, `[feature]`.
    pub beta: Option<Tensor<1>>,
}

/// How a norm scales its features to unit size, and where its epsilon stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormScale {
    /// 1 / sqrt(Var(x) + epsilon), with the biased variance: BERT and nearly everything else.
    InsideRoot(f64),
    /// 1 / (std(x) + epsilon), with the unbiased deviation: the released model of Ali et al. 2022.
    OutsideRoot(f64),
    /// 1 / sqrt(mean(x^2) + epsilon), of features that are not centered: RMSNorm.
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

/// Which parts of a norm are constants in the backward pass; by default none is. See
/// [`Norm::holding`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whether nothing flows back through the mean.
    pub mean: bool,
    /// Whether nothing flows back through the scale.
    pub scale: bool,
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
    /// not center: C = I.
    pub fn center(&self, x: Tensor<3>) -> Tensor<3> {
        match self.scale {
            NormScale::RootMeanSquare(_) => x,
            NormScale::InsideRoot(_) | NormScale::OutsideRoot(_) => x.clone() - x.mean_dim(2),
        }
    }

    /// The number that is subtracted from every feature, `[batch, position, 1]`: their mean, or 0
    /// for RMSNorm.
    pub fn mean(&self, x: Tensor<3>) -> Tensor<3> {
        let mean = x.mean_dim(2);
        match self.scale {
            NormScale::RootMeanSquare(_) => mean.zeros_like(),
            NormScale::InsideRoot(_) | NormScale::OutsideRoot(_) => mean,
        }
    }

    /// The factor that brings the centered features to unit size, `[batch, position, 1]`.
    pub fn scale(&self, centered: Tensor<3>) -> Tensor<3> {
        let features = centered.dims()[2] as f64;
        let squares = centered.square();
        match self.scale {
            NormScale::InsideRoot(epsilon) | NormScale::RootMeanSquare(epsilon) => {
                (squares.mean_dim(2) + epsilon).sqrt().recip()
            }
            NormScale::OutsideRoot(epsilon) => {
                // The root has an infinite slope at zero, so the gradient of equal features would
                // be NaN. Burn rounds the gradient of a division by a number to f32, so multiply.
                let variance = squares.sum_dim(2) * (features - 1.0).recip();
                (variance.clamp_min(f32::MIN_POSITIVE).sqrt() + epsilon).recip()
            }
        }
    }

    /// The norm of `x`, `[batch, position, feature]`, with the parts that `held` names taken as constants.
    ///
    /// The value is the same whatever is held; only the gradient differs. With nothing held it is the
    /// plain gradient of the norm.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use relprop_rules::operations::{Held, Norm};
    ///
    /// let x = Tensor::<3>::from_data([[[3.0, 1.0]]], &Device::flex().autodiff()).require_grad();
    /// // x - mean(x) = (1, -1), whose scale is 1.
    /// let held = Held { mean: true, scale: true };
    /// let y = Norm::plain(1e-9).holding(x.clone(), held).slice([0..1, 0..1, 0..1]).sum();
    /// let gradient = x.grad(&y.backward()).unwrap().into_data_as::<f32>();
    /// assert_eq!(gradient.to_vec::<f32>().unwrap(), [1.0, 0.0]);
    /// ```
    pub fn holding(&self, x: Tensor<3>, held: Held) -> Tensor<3> {
        #[cfg(feature = "flex")]
        if let Some(y) = self.fused(&x, held) {
            return y;
        }
        let centered = match held.mean {
            true => x.clone() - self.mean(x.detach()),
            false => self.center(x),
        };
        let scale = match held.scale {
            true => self.scale(centered.clone().detach()),
            false => self.scale(centered.clone()),
        };
        self.affine(centered * scale)
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

/// There is no conversion from Burn's `LayerNorm`, because it keeps its epsilon private.
impl From<&burn::nn::RmsNorm> for Norm {
    fn from(module: &burn::nn::RmsNorm) -> Self {
        Self {
            scale: NormScale::RootMeanSquare(module.epsilon),
            gamma: Some(module.gamma.val()),
            beta: None,
        }
    }
}

impl Operation for Norm {
    const NAME: &'static str = "norm";
    const ABSORBS: &'static str = "scale";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.holding(x, Held::default())
    }

    fn added(&mut self) -> Option<(&'static str, &mut Tensor<1>)> {
        Some(("shift", self.beta.as_mut()?))
    }
}
