//! Weights: the header of `model.safetensors`, a whole file, and the index of several.
//!
//! The first byte says which: `0` a header in front of the numbers of a small GPT-2, `1` a whole file,
//! `2` an index of two files.

#![no_main]

use std::sync::LazyLock;

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use relprop_fuzz::{Folder, GPT2, model};
use relprop_checkpoints::Model;

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A folder with a model, and the numbers behind the header of its weights.
static SAVED: LazyLock<(Folder, Vec<u8>)> = LazyLock::new(|| {
    let folder = Folder::new();
    model(GPT2)
        .save(folder.path())
        .expect("the folder can be written to");
    let whole = std::fs::read(folder.path().join(WHOLE)).expect("it was written");
    folder.write("a.safetensors", &whole);
    let header = u64::from_le_bytes(whole[..8].try_into().expect("8 bytes"));
    let numbers = whole[8 + header as usize..].to_vec();
    (folder, numbers)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let (folder, numbers) = &*SAVED;
    for file in [WHOLE, INDEX] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    match kind % 3 {
        0 => {
            let length = (bytes.len() as u64).to_le_bytes();
            folder.write(WHOLE, &[&length, bytes, numbers].concat());
        }
        1 => drop(folder.write(WHOLE, bytes)),
        _ => drop(folder.write(INDEX, bytes)),
    }
    let _ = Model::load(folder.path(), &Device::flex());
});
