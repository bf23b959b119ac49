//! The propagation rules, one a file.

mod alpha_beta;
mod detach_scale;
mod detach_weights;
mod epsilon;
mod gamma;
mod gradient;
mod half;
mod identity;
mod parts;
mod z_plus;

pub use alpha_beta::AlphaBeta;
pub use detach_scale::DetachScale;
pub use detach_weights::DetachWeights;
pub use epsilon::Epsilon;
pub use gamma::Gamma;
pub use gradient::Gradient;
pub use half::Half;
pub use identity::Identity;
pub use z_plus::ZPlus;
