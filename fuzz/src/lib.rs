//! What the fuzz targets share: small models, and a folder to put files into.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use relprop_checkpoints::{Family, Model, Tokenizer};
use relprop_transformer::Transformer;
use tempfile::TempDir;

/// A GPT-2 of one block; its queries, keys and values are one tensor in the file.
pub const GPT2: &str = include_str!("../seeds/config/gpt2.json");
/// A BERT of one block.
pub const BERT: &str = include_str!("../seeds/config/bert.json");
/// Six words.
pub const TOKENIZER: &str = include_str!("../seeds/tokenizer/words.json");

/// A model with fresh weights.
pub fn model(config: &str) -> Model {
    let (_, config) = Family::read_config(config).expect("the seed is a configuration");
    let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the seed is a tokenizer");
    let transformer = Transformer::new(&config, &Device::flex()).expect("the seed makes a model");
    Model::new(transformer, tokenizer)
}

/// A folder for files that are written again and again; a TMPDIR in memory makes that quick.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a place for temporary files"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and says where it is.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).expect("the folder can be written to");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}
