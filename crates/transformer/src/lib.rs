#![doc = include_str!("../README.md")]

mod batch;
mod config;
mod head;
mod model;
mod picture;
mod softmax;
mod text;

pub use batch::{Batch, BatchInput, PaddingSide};
pub use config::{
    AttentionConfig, Biases, BlockAttention, Branches, ClippedGate, ConfigError, DecoderConfig,
    Disentangled, Distillation, ExpertsConfig, FeedForwardConfig, InputConfig, NormConfig,
    NormPlacement, PATCH_HIDDEN, PATCH_VISIBLE, PatchConfig, Placed, PositionBias, RotaryConfig,
    RotaryFactors, RotaryScaling, Sinusoids, Stages, TransformerConfig,
};
pub use head::{AnswersAt, Dense, Head, Outputs, Probabilities, Targets, VectorPooling};
pub use model::{HeadOutput, ParameterPath, Part, Transformer};
pub use picture::Picture;
pub use softmax::{log_sum_exp, probability, softmax};
pub use text::{Content, TextEnd, Token, TokenizedText};
