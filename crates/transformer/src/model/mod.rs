//! The Transformer, part by part.

mod attention;
mod block;
mod embeddings;
mod feed_forward;
mod layer_norm;
mod linear;
mod patch_embeddings;
mod pooler;
mod precision;
mod recompute;
mod rotation;
mod transformer;

pub use transformer::Transformer;
