//! Pegasus (Zhang et al. 2020), which writes summaries: positions are sines, and norms stand before the parts.

use super::{bart, marian};
use crate::Family;
use relprop_transformer::{NormPlacement, Sinusoids, TransformerConfig};

/// Pegasus.
pub static PEGASUS: Family = Family {
    name: "pegasus",
    architecture: Some("PegasusForConditionalGeneration"),
    start,
    keys: &[bart::KEYS, bart::TIED_HEAD],
    ignored_keys: bart::IN_TRAINING,
    tensors: &[bart::TENSORS, bart::LAST_NORMS, bart::HEAD],
    ..marian::MARIAN
};

fn start() -> TransformerConfig {
    let config = TransformerConfig {
        first_position: 0,
        counted_padding: false,
        sinusoids: Some(Sinusoids::OverWidth),
        embedding_norm: None,
        norm_placement: NormPlacement::Before,
        ..bart::start()
    };
    bart::tokens(config, 50265, [0, 0])
}
