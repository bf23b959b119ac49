//! The rules for linear maps, one in each file.

mod alpha_beta;
mod epsilon;
mod flat;
mod gamma;
mod gamma_positive;
mod w_squared;
mod z_plus;

pub use alpha_beta::AlphaBeta;
pub use epsilon::Epsilon;
pub use flat::Flat;
pub use gamma::Gamma;
pub use gamma_positive::GammaPositive;
pub use w_squared::WSquared;
pub use z_plus::ZPlus;
