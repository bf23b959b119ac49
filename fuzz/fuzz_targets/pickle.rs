//! Weights as `torch.save` writes them: a whole file, or the pickle in an archive.

#![no_main]

use std::sync::LazyLock;

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use relprop_checkpoints::{Files, Model};
use relprop_fuzz::{Folder, GPT2, model};

/// The files of a model besides its weights.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = Folder::new();
    model(GPT2)
        .save(folder.path())
        .expect("the folder can be written to");
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("it was written");
    ["config.json", "tokenizer.json"]
        .map(|name| (name.to_owned(), read(name)))
        .to_vec()
});

fuzz_target!(|bytes: &[u8]| {
    let mut files = FILES.clone();
    files.push(("pytorch_model.bin".to_owned(), bytes.to_vec()));
    let _ = Model::from_files(&Files::at_hand(files), &Device::flex(), &[]);
});
