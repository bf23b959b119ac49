//! Mixtures of experts: the weights that a router gives them, and what each contributes.

pub mod law;
pub mod rules;

use burn::tensor::{Bool, Tensor, activation::softmax};

use crate::Operation;

/// The weights of the experts of each token: a softmax over all experts, or over those that are chosen. The choice
/// is a constant.
#[derive(Clone, Debug)]
pub struct RouterWeights {
    /// True where an expert is not chosen, `[batch, position, expert]`. At least one is chosen for each token.
    pub unchosen: Tensor<3, Bool>,
    /// Whether the weights of those that are chosen sum to 1. If not, those of all experts do, and what is not chosen
    /// is left out.
    pub normalized: bool,
}

impl Operation for RouterWeights {
    const NAME: &'static str = "router-weights";
    const ABSORBS: &'static str = "softmax";
    /// Scores `[batch, position, expert]`.
    type Input = Tensor<3>;
    /// `[batch, position, expert]`; exactly zero where an expert is not chosen.
    type Output = Tensor<3>;

    fn forward(&self, scores: Self::Input) -> Self::Output {
        let unchosen = self.unchosen.clone();
        match self.normalized {
            true => {
                // So low that its exponential is exactly zero, but finite.
                let info = scores.dtype().finfo();
                let lowest = info.map_or(f64::from(f32::MIN), |info| info.min);
                softmax(scores.mask_fill(unchosen, lowest), 2)
            }
            false => softmax(scores, 2).mask_fill(unchosen, 0.0),
        }
    }
}

/// What an expert contributes: y = w * e, elementwise on `[batch, position, feature]`; the weight w is the same for
/// all features of a token.
#[derive(Clone, Copy, Debug)]
pub struct ExpertProduct;

impl Operation for ExpertProduct {
    const NAME: &'static str = "expert";
    const ABSORBS: &'static str = "product";
    /// The router's weight, and what the expert gives.
    type Input = (Tensor<3>, Tensor<3>);
    type Output = Tensor<3>;

    fn forward(&self, (weight, output): Self::Input) -> Self::Output {
        weight * output
    }
}
