//! A model folder: `config.json`, `model.safetensors`, and `tokenizer.json` or
//! `preprocessor_config.json`.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use image::DynamicImage;
use serde_json::{Value, json};

use super::files::{WeightFiles, existing, io_error};
use super::{CheckpointError, Family, weights};
use crate::tokenizer::wordpiece;
use crate::{PictureError, Preprocessor, TextError, Tokenizer, Truncation};
use relprop_transformer::{InputConfig, Outputs, PatchConfig, TextEnd, TokenizedText, Transformer};

pub(super) const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// What a model for pictures has instead.
pub(super) const PREPROCESSOR: &str = "preprocessor_config.json";
/// What older folders of the BERT kind have instead.
pub(super) const VOCABULARY: &str = "vocab.txt";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// A model with everything that is needed to use it on texts, or on pictures.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub transformer: Transformer,
    /// What becomes of a text, or of a picture, before the network reads it.
    pub input: Input,
    /// The layout that it was read from, or will be written in.
    pub family: &'static Family,
    /// The SHA-256 of the weights that it was read from, in hexadecimal: of the file, or of several
    /// files one after another.
    pub sha256: Option<String>,
}

/// What a model reads, and what makes it ready to be read.
#[derive(Clone, Debug)]
pub enum Input {
    /// Texts, which a tokenizer splits into tokens.
    Text(Tokenizer),
    /// Pictures, which a preprocessor resizes, cuts and scales.
    Pictures(Preprocessor),
}

impl From<Tokenizer> for Input {
    fn from(tokenizer: Tokenizer) -> Self {
        Self::Text(tokenizer)
    }
}

impl From<Preprocessor> for Input {
    fn from(preprocessor: Preprocessor) -> Self {
        Self::Pictures(preprocessor)
    }
}

impl Model {
    /// A model that was made here, in the family that can express it. A network that reads texts needs
    /// a [`Tokenizer`], one that reads pictures a [`Preprocessor`].
    pub fn new(transformer: Transformer, input: impl Into<Input>) -> Self {
        let family = Family::of(transformer.config());
        Self {
            transformer,
            input: input.into(),
            family,
            sha256: None,
        }
    }

    /// Its tokenizer, if it reads texts.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        match &self.input {
            Input::Text(tokenizer) => Some(tokenizer),
            Input::Pictures(_) => None,
        }
    }

    /// Its preprocessor, if it reads pictures.
    pub fn preprocessor(&self) -> Option<&Preprocessor> {
        match &self.input {
            Input::Text(_) => None,
            Input::Pictures(preprocessor) => Some(preprocessor),
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
        let weights_files = WeightFiles::find(folder)?;
        let config_error = |message| CheckpointError::Config {
            path: config_file.clone(),
            message,
        };
        let text = fs::read_to_string(&config_file).map_err(io_error(&config_file))?;
        let (family, config) = Family::read_config(&text).map_err(config_error)?;

        let input = match &config.input {
            InputConfig::Tokens { vocabulary } => tokenizer_for(folder, *vocabulary)?.into(),
            InputConfig::Patches(patches) => preprocessor(folder, patches)?.into(),
        };

        let mut transformer =
            Transformer::new(&config, device).map_err(|source| CheckpointError::InvalidConfig {
                path: config_file.clone(),
                source,
            })?;
        weights::read(&mut transformer, family, &weights_files)?;
        Ok(Self {
            transformer: transformer.valid(),
            input,
            family,
            sha256: Some(weights_files.sha256()?),
        })
    }

    /// What the logit of this index is for: a label, or a token, as it would stand in a text.
    ///
    /// # Panics
    ///
    /// If there is no such label.
    pub fn output(&self, index: usize) -> String {
        let config = self.transformer.config();
        match config.head.outputs() {
            Outputs::Labels => config.labels[index].clone(),
            Outputs::Vocabulary => {
                let id = u32::try_from(index).ok();
                let text = id.and_then(|id| self.tokenizer()?.readable(id));
                // Vocabularies are often rounded up.
                text.unwrap_or_else(|| format!("token {index}"))
            }
        }
    }

    /// Splits a text, or a pair of texts, into tokens as the model reads them. A text that is too long
    /// is cut from the end that the head [names](relprop_transformer::Head::cuts_from).
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`]; [`TextError::Segment`] if the model does not read pairs,
    /// [`TextError::Pictures`] if it reads no texts.
    pub fn tokenize(
        &self,
        text: &str,
        second: Option<&str>,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let tokenizer = self.tokenizer().ok_or(TextError::Pictures)?;
        let config = self.transformer.config();
        let positions = config.positions;
        let truncation = match truncation {
            Truncation::Cut => match config.head.cuts_from() {
                TextEnd::Start => Truncation::CutStart,
                TextEnd::End => Truncation::Cut,
            },
            other => other,
        };
        let text = match second {
            None => tokenizer.encode(text, positions, truncation)?,
            Some(second) => {
                let pair = [text, second];
                tokenizer.encode_pair(pair, positions, truncation)?
            }
        };
        let segments = config.token_types;
        match text.types.iter().copied().max() {
            Some(segment) if segments > 0 && segment as usize >= segments => {
                Err(TextError::Segment { segment, segments })
            }
            _ => Ok(text),
        }
    }

    /// Cuts a picture into patches as the model reads them.
    ///
    /// # Errors
    ///
    /// [`PictureError::Texts`] if the model reads no pictures, [`PictureError::Size`] if the picture
    /// must not be resized and has another size.
    pub fn picture(
        &self,
        picture: &DynamicImage,
        name: &str,
    ) -> Result<TokenizedText, PictureError> {
        match (&self.input, &self.transformer.config().input) {
            (Input::Pictures(preprocessor), InputConfig::Patches(patches)) => {
                preprocessor.tokens(picture, patches, name)
            }
            _ => Err(PictureError::Texts),
        }
    }

    /// Writes a model folder, making it if it is not there.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file.
    pub fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        fs::create_dir_all(folder).map_err(io_error(folder))?;
        match &self.input {
            Input::Text(tokenizer) => self.save_tokenizer(tokenizer, folder)?,
            Input::Pictures(preprocessor) => {
                let file = folder.join(PREPROCESSOR);
                fs::write(&file, preprocessor.to_json()).map_err(io_error(&file))?;
            }
        }
        weights::write(&self.transformer, self.family, &folder.join(WEIGHTS))?;

        // Last: a folder with a config.json is a whole model.
        let config_file = folder.join(CONFIG);
        let config = Value::from(self.family.write(self.transformer.config()));
        fs::write(&config_file, format!("{config:#}\n")).map_err(io_error(&config_file))
    }
}

impl Model {
    fn save_tokenizer(&self, tokenizer: &Tokenizer, folder: &Path) -> Result<(), CheckpointError> {
        let tokenizer_file = folder.join(TOKENIZER);
        tokenizer
            .write(&tokenizer_file)
            .map_err(|message| CheckpointError::Tokenizer {
                path: tokenizer_file.clone(),
                message,
            })?;
        let settings_file = folder.join(TOKENIZER_CONFIG);
        let settings = format!("{:#}\n", self.tokenizer_config(tokenizer));
        fs::write(&settings_file, settings).map_err(io_error(&settings_file))
    }

    /// Tells Python's transformers to take `tokenizer.json` as it is, whatever the family's own
    /// tokenizer would do, and what to hand to the model.
    fn tokenizer_config(&self, tokenizer: &Tokenizer) -> Value {
        let config = self.transformer.config();
        let mut inputs = vec!["input_ids", "attention_mask"];
        if config.token_types > 1 {
            inputs.push("token_type_ids");
        }
        json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": inputs,
            "model_max_length": config.positions,
            "pad_token": tokenizer.token(config.padding_token),
        })
    }
}

/// Reads the preprocessor of a folder, which must make what the model reads.
fn preprocessor(folder: &Path, patches: &PatchConfig) -> Result<Preprocessor, CheckpointError> {
    let path = existing(folder, PREPROCESSOR, "it says how pictures are read")?;
    let text = fs::read_to_string(&path).map_err(io_error(&path))?;
    let read = Preprocessor::from_json(&text);
    let fits = read.and_then(|found| found.check(patches).map(|()| found));
    fits.map_err(|message| CheckpointError::Preprocessor { path, message })
}

/// Reads the tokenizer of a folder, whose tokens the model's vocabulary must have.
fn tokenizer_for(folder: &Path, vocabulary: usize) -> Result<Tokenizer, CheckpointError> {
    let (tokenizer, path) = tokenizer(folder)?;
    let tokens = tokenizer.vocabulary_size();
    if tokens > vocabulary {
        return Err(CheckpointError::Vocabulary {
            path,
            tokens,
            vocabulary,
        });
    }
    Ok(tokenizer)
}

/// Reads the tokenizer of a folder, and names the file that it came from.
fn tokenizer(folder: &Path) -> Result<(Tokenizer, PathBuf), CheckpointError> {
    let vocabulary = folder.join(VOCABULARY);
    let (file, read) = if vocabulary.is_file() && !folder.join(TOKENIZER).is_file() {
        let settings = folder.join(TOKENIZER_CONFIG);
        let settings = settings.is_file().then_some(settings);
        let tokenizer = wordpiece::read(&vocabulary, settings.as_deref());
        (vocabulary, tokenizer)
    } else {
        let purpose = "it says how text becomes tokens; in Python, \
                       AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it";
        let file = existing(folder, TOKENIZER, purpose)?;
        let tokenizer = Tokenizer::read(&file);
        (file, tokenizer)
    };
    match read {
        Ok(tokenizer) => Ok((tokenizer, file)),
        Err(message) => Err(CheckpointError::Tokenizer {
            path: file,
            message,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_can_be_shared_by_threads_and_copied() {
        fn shared<T: Send + Sync + Clone + 'static>() {}
        shared::<Model>();
    }
}
