//! `config.json` of every family: it is read, refused, or makes a model.

#![no_main]

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use relprop_checkpoints::Family;
use relprop_transformer::Transformer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok((_, config)) = Family::read_config(text) else {
        return;
    };
    if Transformer::new(&config, &Device::flex()).is_ok() {
        // The family that it would be saved as.
        Family::of(&config);
    }
});
