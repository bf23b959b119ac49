#![doc = include_str!("../README.md")]

mod gated;
mod heads;
mod linear;
mod matmul;
mod narrow;
mod norm;
mod parallel;
mod scalar;
mod softmax;
mod sum;

pub use gated::Gated;
pub use heads::{Heads, Order, products};
pub use linear::{linear, linear_backward};
pub use narrow::{Narrow, narrow_linear, narrow_linear_backward};
pub use norm::{Norm, Row, Through};
pub use parallel::multiply;
pub use softmax::{softmax, softmax_backward};
