//! Files to a model.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use relprop_transformer::{InputConfig, PatchConfig, Transformer};
use serde_json::Map;

use crate::files::{CONFIG, File, PREPROCESSOR, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY};
use crate::json::from_json;
use crate::weights::{self, WeightFiles};
use crate::{CheckpointError, Family, Files, Input, Model, Preprocessor, Tokenizer};

impl Model {
    /// Reads a model folder onto `device`, ready to predict and to be explained.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file, and the tensor or key in it.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_with(folder, device, &[])
    }

    /// The same for a folder that may be of one of these `families`, which go before those that are
    /// known here.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn load_with(
        folder: &Path,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        Self::from_files(&Files::in_folder(folder)?, device, families)
    }

    /// Reads a model from its files, wherever they are, onto `device`: as
    /// [`load_with`](Model::load_with) does from a folder.
    ///
    /// # Errors
    ///
    /// As [`Model::load`]. A file at hand is called by its name.
    pub fn from_files(
        files: &Files,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        let config_file = files.required(CONFIG, "it says which parts the model is made of")?;
        let weight_files = WeightFiles::find(files)?;
        let text = config_file.text()?;
        let (family, config) = Family::read_config_among(families, &text, config_file.path())?;

        let input = match &config.input {
            InputConfig::Tokens { vocabulary } => tokenizer(files, *vocabulary).map(Input::Text),
            InputConfig::Patches(patches) => preprocessor(files, patches).map(Input::Pictures),
        }?;
        let transformer = Transformer::new(&config, device);
        let mut transformer = transformer.map_err(|source| CheckpointError::InvalidConfig {
            path: config_file.path().to_owned(),
            source,
        })?;
        weights::read(&mut transformer, family, &weight_files)?;
        Ok(Self {
            transformer: transformer.valid(),
            input,
            family,
            sha256: Some(weight_files.sha256()?),
        })
    }
}

/// Reads the preprocessor, which must make what the model reads.
fn preprocessor(files: &Files, patches: &PatchConfig) -> Result<Preprocessor, CheckpointError> {
    let file = files.required(PREPROCESSOR, "it says how pictures are read")?;
    let read = Preprocessor::parse(&file.text()?);
    let fits = read.and_then(|found| found.fits(patches).map(|()| found));
    fits.map_err(|message| CheckpointError::Preprocessor {
        path: file.path().to_owned(),
        message,
    })
}

/// Reads the tokenizer, whose tokens the model's vocabulary must have.
fn tokenizer(files: &Files, vocabulary: usize) -> Result<Tokenizer, CheckpointError> {
    let (file, tokenizer) = match (files.get(TOKENIZER), files.get(VOCABULARY)) {
        (None, Some(file)) => word_pieces(file, files.get(TOKENIZER_CONFIG))?,
        _ => {
            let purpose = "it says how text becomes tokens; in Python, \
                           AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it";
            let file = files.required(TOKENIZER, purpose)?;
            let read = Tokenizer::parse(&file.text()?);
            let tokenizer = read.map_err(|message| no_tokenizer(&file, message))?;
            (file, tokenizer)
        }
    };
    let tokens = tokenizer.vocabulary_size();
    match tokens > vocabulary {
        false => Ok(tokenizer),
        true => Err(CheckpointError::Vocabulary {
            path: file.path().to_owned(),
            tokens,
            vocabulary,
        }),
    }
}

/// The tokenizer of a vocabulary, one token a line, and of the settings beside it, if there are any;
/// with it the file of the vocabulary.
fn word_pieces(
    vocabulary: File,
    settings: Option<File>,
) -> Result<(File, Tokenizer), CheckpointError> {
    let settings = match settings {
        None => Map::new(),
        Some(file) => from_json(&file.text()?).map_err(|message| no_tokenizer(&file, message))?,
    };
    let read = Tokenizer::parse_vocabulary(&vocabulary.read()?, &settings);
    match read {
        Ok(tokenizer) => Ok((vocabulary, tokenizer)),
        Err(message) => Err(no_tokenizer(&vocabulary, message)),
    }
}

fn no_tokenizer(file: &File, message: String) -> CheckpointError {
    CheckpointError::Tokenizer {
        path: file.path().to_owned(),
        message,
    }
}
