//! M2M100 (Fan et al. 2021) and NLLB (NLLB team 2022), which translate between many languages: positions are sines whose
//! rows are counted as in RoBERTa, norms stand before the parts, and logits have no constants.

use relprop_rules::operations::Activation;

use super::bart;
use crate::Family;
use crate::keys::feed_forward;
use relprop_transformer::{Biases, NormPlacement, Sinusoids, TransformerConfig};

/// M2M100.
pub static M2M_100: Family = Family {
    name: "m2m_100",
    architecture: Some("M2M100ForConditionalGeneration"),
    start,
    keys: &[bart::KEYS, bart::TIED_HEAD],
    tensors: &[
        bart::TENSORS,
        bart::LAST_NORMS,
        &[("classifier", "lm_head")],
    ],
    ignored_tensors: &[
        "$.encoder.embed_tokens.weight",
        "$.decoder.embed_tokens.weight",
        "lm_head.weight",
        // Sines and cosines.
        "$.encoder.embed_positions.weights",
        "$.decoder.embed_positions.weights",
    ],
    ..bart::BART
};

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        counted_padding: false,
        scaled_embeddings: true,
        sinusoids: Some(Sinusoids::ToTheEnd),
        embedding_norm: None,
        norm_placement: NormPlacement::Before,
        biases: Biases::default(),
        attention_dropout: 0.1,
        ..bart::start()
    };
    feed_forward(&mut config).activation = Activation::Relu;
    bart::tokens(config, 128_112, [1, 2])
}
