//! A model folder: `config.json`, `model.safetensors`, `tokenizer.json`.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use sha2::{Digest, Sha256};

use super::{CheckpointError, Family, weights};
use crate::{Tokenizer, Transformer};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// A model with everything that is needed to use it on text.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub transformer: Transformer,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// The layout that it was read from, or will be written in.
    pub family: Family,
    /// The SHA-256 of the weights' file that it was read from, in hexadecimal.
    pub sha256: Option<String>,
}

impl Model {
    /// A model that was made here, in the family that can express it.
    pub fn new(transformer: Transformer, tokenizer: Tokenizer) -> Self {
        let family = Family::of(transformer.config());
        Self {
            transformer,
            tokenizer,
            family,
            sha256: None,
        }
    }

    /// Reads a model folder onto `device`, ready to predict and to be explained.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file, and the tensor or key in it.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, CheckpointError> {
        if !folder.is_dir() {
            return Err(CheckpointError::NoFolder(folder.to_owned()));
        }
        let config_file = existing(folder, CONFIG, "it says which parts the model is made of")?;
        let tokenizer_file = existing(folder, TOKENIZER, "it says how text becomes tokens")?;
        let weights_file = existing(folder, WEIGHTS, "it holds the weights")?;

        let config_error = |message| CheckpointError::Config {
            path: config_file.clone(),
            message,
        };
        let text = fs::read_to_string(&config_file).map_err(io_error(&config_file))?;
        let json = serde_json::from_str(&text).map_err(|error| config_error(error.to_string()))?;
        let (family, config) = Family::read_config(&json).map_err(config_error)?;

        let tokenizer =
            Tokenizer::read(&tokenizer_file).map_err(|message| CheckpointError::Tokenizer {
                path: tokenizer_file.clone(),
                message,
            })?;
        let tokens = tokenizer.vocabulary();
        if tokens > config.vocabulary {
            let (path, vocabulary) = (tokenizer_file, config.vocabulary);
            return Err(CheckpointError::Vocabulary {
                path,
                tokens,
                vocabulary,
            });
        }

        let mut transformer =
            Transformer::new(&config, device).map_err(|source| CheckpointError::InvalidConfig {
                path: config_file.clone(),
                source,
            })?;
        weights::read(&mut transformer, family, &weights_file)?;
        let sha256 = Some(sha256(&weights_file).map_err(io_error(&weights_file))?);
        Ok(Self {
            transformer: transformer.valid(),
            tokenizer,
            family,
            sha256,
        })
    }

    /// Writes a model folder, making it if it is not there.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file.
    pub fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        fs::create_dir_all(folder).map_err(io_error(folder))?;
        let tokenizer_file = folder.join(TOKENIZER);
        self.tokenizer
            .write(&tokenizer_file)
            .map_err(|message| CheckpointError::Tokenizer {
                path: tokenizer_file.clone(),
                message,
            })?;
        weights::write(&self.transformer, self.family, &folder.join(WEIGHTS))?;

        // Last: a folder with a config.json is a whole model.
        let config_file = folder.join(CONFIG);
        let config = self.family.write_config(self.transformer.config());
        fs::write(&config_file, format!("{config:#}\n")).map_err(io_error(&config_file))
    }
}

fn existing(
    folder: &Path,
    file: &'static str,
    purpose: &'static str,
) -> Result<PathBuf, CheckpointError> {
    let path = folder.join(file);
    if path.is_file() {
        Ok(path)
    } else {
        Err(CheckpointError::NoFile {
            file,
            path,
            purpose,
        })
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CheckpointError {
    move |source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    }
}

fn sha256(file: &Path) -> io::Result<String> {
    let mut file = fs::File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
