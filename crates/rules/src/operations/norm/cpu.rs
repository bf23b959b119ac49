//! Norms on the CPU, a row at a time.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use relprop_kernels::{self as kernels, Through};

use super::{Held, Norm, NormScale};
use crate::flex;

impl Norm {
    /// [`Norm::holding`] in one pass forward and one backward. None on another device, or for
    /// another type than f32.
    pub(super) fn fused(&self, x: &Tensor<3>, held: Held) -> Option<Tensor<3>> {
        let numbers = flex::numbers(x).filter(|numbers| numbers.dtype() == DType::F32)?;
        let features = x.dims()[2];

        // A gamma or beta that is being trained needs a gradient, so Burn's operations apply it and
        // what comes after it.
        let tracked = |term: &Option<Tensor<1>>| term.as_ref().is_some_and(Tensor::is_tracked);
        let gamma_is_ours = !tracked(&self.gamma);
        let beta_is_ours = gamma_is_ours && !tracked(&self.beta);
        let ours = |term: &Option<Tensor<1>>, is_ours: bool, without: f32| match term {
            Some(term) if is_ours => flex::term(term),
            _ => Some(vec![without; features]),
        };
        let gamma = ours(&self.gamma, gamma_is_ours, 1.0)?;
        let beta = ours(&self.beta, beta_is_ours, 0.0)?;
        let centered = !matches!(self.scale, NormScale::RootMeanSquare(_));

        let kernel = kernels::Norm {
            centered,
            gamma: &gamma,
            beta: &beta,
        };
        let scale = self.scale.of_row(features);
        let (values, found) = kernel.forward(flex::slice(&numbers), scale);
        let y = Tensor::from_primitive::<Flex>(flex::like(values, &numbers));

        let y = if x.is_tracked() {
            // Only the slope of the scale needs x again.
            let seen = (!held.scale).then_some(numbers);
            flex::node(&y, x.clone(), move |gradient| {
                let kernel = kernels::Norm {
                    centered,
                    gamma: &gamma,
                    beta: &beta,
                };
                let through = Through {
                    mean: !held.mean,
                    scale: seen.as_ref().map(flex::slice),
                };
                flex::change(gradient, |flow| kernel.backward(flow, &found, through)).0
            })?
        } else {
            y
        };
        let theirs = Self {
            gamma: self.gamma.clone().filter(|_| !gamma_is_ours),
            beta: self.beta.clone().filter(|_| !beta_is_ours),
            ..self.clone()
        };
        Some(theirs.affine(y))
    }
}

impl NormScale {
    /// The scale of a row of `features` by the sum of its squares, and its slope: see
    /// [`Row::scale_slope`](relprop_kernels::Row::scale_slope).
    fn of_row(self, features: usize) -> impl Fn(f32) -> (f32, f32) + Copy + Send + Sync {
        let (count, epsilon) = (features as f32, self.epsilon() as f32);
        move |squares| match self {
            Self::InsideRoot(_) | Self::RootMeanSquare(_) => {
                let scale = (squares / count + epsilon).sqrt().recip();
                (scale, scale * scale / count)
            }
            Self::OutsideRoot(_) => {
                let variance = squares * (count - 1.0).recip();
                let deviation = variance.max(f32::MIN_POSITIVE).sqrt();
                let scale = (deviation + epsilon).recip();
                let moves = if variance > f32::MIN_POSITIVE {
                    1.0
                } else {
                    0.0
                };
                (scale, moves * scale / ((count - 1.0) * deviation))
            }
        }
    }
}
