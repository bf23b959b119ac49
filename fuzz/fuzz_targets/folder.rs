//! A copy of the BERT of the fixtures, to put a damaged file into.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use relprop_transformer::{Model, Truncation};
use tempfile::TempDir;

/// The folder; it is removed when this is dropped.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/bert");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            fs::copy(fixture.join(file), folder.path().join(file)).expect("the fixture is there");
        }
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Loads the folder with `bytes` for `file`, and reads texts with what was loaded.
    pub fn load_with(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path(file), bytes).expect("the folder can be written");
        if let Ok(model) = Model::load(self.0.path(), &Device::flex()) {
            for (text, second) in [("a film", None), ("naïve 映画 (!)", Some("not good"))] {
                let _ = model.tokenize(text, second, Truncation::Cut);
            }
        }
    }
}
