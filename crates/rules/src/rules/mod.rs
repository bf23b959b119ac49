//! The propagation rules, one a file.

mod alpha_beta;
mod detach_gate;
mod detach_moments;
mod detach_scale;
mod detach_weights;
mod epsilon;
mod flat;
mod gamma;
mod gamma_positive;
mod gradient;
mod half;
mod identity;
mod parts;
mod residual_ratio;
mod residual_symmetric;
mod w_squared;
mod z_plus;

pub use alpha_beta::AlphaBeta;
pub use detach_gate::DetachGate;
pub use detach_moments::DetachMoments;
pub use detach_scale::DetachScale;
pub use detach_weights::DetachWeights;
pub use epsilon::Epsilon;
pub use flat::Flat;
pub use gamma::Gamma;
pub use gamma_positive::GammaPositive;
pub use gradient::Gradient;
pub use half::Half;
pub use identity::Identity;
pub use residual_ratio::Ratio;
pub use residual_symmetric::Symmetric;
pub use w_squared::WSquared;
pub use z_plus::ZPlus;
