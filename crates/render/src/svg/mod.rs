//! Drawings as SVG: a heat map by itself, and the curves of an evaluation.

mod curves;
mod heat_map;

pub use curves::evaluation_curves;
pub use heat_map::svg;
