//! mBART (Liu et al. 2020): a BART of many languages, with norms before the parts.

use super::bart;
use crate::Family;
use relprop_transformer::{NormPlacement, TransformerConfig};

/// mBART.
pub static MBART: Family = Family {
    name: "mbart",
    architecture: Some("MBartForConditionalGeneration"),
    start: || TransformerConfig {
        norm_placement: NormPlacement::Before,
        ..bart::start()
    },
    // An output begins with a language, which depends on the checkpoint.
    keys: &[
        bart::KEYS,
        bart::TIED_HEAD,
        &[("decoder_start_token_id", bart::REQUIRED_START)],
    ],
    tensors: &[
        bart::TENSORS,
        bart::POSITIONS,
        bart::EMBEDDING_NORMS,
        bart::LAST_NORMS,
        bart::HEAD,
    ],
    ..bart::BART
};
