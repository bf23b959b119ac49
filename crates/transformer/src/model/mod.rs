//! The Transformer, part by part.

mod attention;
mod attention_context;
mod attention_pooling;
mod block;
mod cap;
mod decide;
mod decoder;
mod distances;
mod dropout;
mod embeddings;
mod experts;
mod feed_forward;
mod grid;
mod layer_norm;
mod linear;
mod output;
mod parts;
mod patch_embeddings;
mod path;
mod pooler;
mod precision;
mod recompute;
mod rotary;
mod sight;
mod sinusoids;
mod stacks;
mod token_embeddings;
mod transformer;
mod windows;

pub use parts::Part;
pub use path::ParameterPath;
pub use transformer::{HeadOutput, Transformer};
