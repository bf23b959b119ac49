//! Marian (Junczys-Dowmunt et al. 2018), the OPUS-MT models of translation: a BART whose positions are sines, and without
//! norms after the embeddings.

use super::bart;
use crate::Family;
use crate::keys::Key;
use relprop_transformer::{Sinusoids, TransformerConfig};

/// Marian.
pub static MARIAN: Family = Family {
    name: "marian",
    architecture: Some("MarianMTModel"),
    start,
    keys: &[
        bart::KEYS,
        bart::TIED_HEAD,
        &[("share_encoder_decoder_embeddings", Key::Only("true"))],
    ],
    // The vocabulary of both languages, where they share their embeddings.
    ignored_keys: &[
        "activation_dropout",
        "decoder_layerdrop",
        "decoder_vocab_size",
        "encoder_layerdrop",
    ],
    tensors: &[bart::TENSORS, bart::HEAD],
    ignored_tensors: &[
        "$.encoder.embed_tokens.weight",
        "$.decoder.embed_tokens.weight",
        "lm_head.weight",
        // Sines and cosines.
        "$.encoder.embed_positions.weight",
        "$.decoder.embed_positions.weight",
    ],
    ..bart::BART
};

fn start() -> TransformerConfig {
    let config = TransformerConfig {
        first_position: 0,
        counted_padding: false,
        sinusoids: Some(Sinusoids::OverWidth),
        embedding_norm: None,
        ..bart::start()
    };
    bart::tokens(config, 58101, [58100, 58100])
}
