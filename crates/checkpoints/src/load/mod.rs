//! Reads models from files.

mod ends;
mod tokenizer;
mod towers;

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Device};
use relprop_transformer::{ConfigError, InputConfig, Transformer, TransformerConfig};
use serde_json::Value;

use crate::adapter::Adapter;
use crate::families::multimodal;
use crate::files::{CONFIG, PREPROCESSOR, PROCESSOR};
use crate::foreign;
use crate::gguf::Gguf;
use crate::json::from_json;
use crate::open_clip::OpenClip;
use crate::quantized::Quantized;
use crate::timm::{self, Timm};
use crate::towers::Pair;
use crate::vector::Modules;
use crate::weights::{self, Changes, Interpolation, Stored, WeightFiles};
use crate::{CheckpointError, Family, Files, Input, Model, Preprocessor, Writing};

use ends::ends;
use tokenizer::fitting;
pub(crate) use tokenizer::tokenizer;

impl Model {
    /// Reads a model folder onto `device`, ready to predict and to be explained. A folder with a LoRA adapter
    /// is read with the model that the adapter changes; a GGUF file may stand in the place of a folder.
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
    /// As [`Model::load`]. A file in memory is named by its name.
    pub fn from_files(
        files: &Files,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        Self::from_files_as(files, device, None, families)
    }

    /// The same with weights of this type of float, one tensor after another, so that the model is never held in another
    /// type. None: the type that the device computes in.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn from_files_as(
        files: &Files,
        device: &Device,
        dtype: Option<DType>,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        let place = &Place { device, dtype };
        if let Some(gguf) = Gguf::among(files)? {
            return Self::from_gguf(&gguf, place, families);
        }
        let Some(adapter) = Adapter::among(files)? else {
            return Self::put_together(files, files, None, place, families);
        };
        let base = adapter.base(files)?;
        let texts = match Adapter::has_tokenizer(files) {
            true => files,
            false => &base,
        };
        Self::put_together(&base, texts, Some(&adapter), place, families)
    }

    /// Reads a model from a GGUF file.
    fn from_gguf(
        gguf: &Gguf,
        place: &Place<'_>,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        let path = gguf.file().path();
        let (config, stored) = (gguf.config()?, gguf.tensors()?);
        let names: Vec<&str> = stored.keys().map(String::as_str).collect();
        let (family, mut config) =
            Family::read_config_among(families, &config, path, &names, false)?;
        let invalid = |source| CheckpointError::InvalidConfig {
            path: path.to_owned(),
            source,
        };
        config.check().map_err(invalid)?;
        let weight_files = gguf.weight_files();
        weights::untie(&mut config, family, &stored, &weight_files)?;
        let tokenizer = fitting(gguf.tokenizer()?, path, config.vocabulary())?;
        let mut transformer = place.zeros(&config).map_err(invalid)?;
        let changes = Changes::default();
        let sha256 = weights::read(&mut transformer, family, &weight_files, stored, changes)?;
        Ok(Self {
            transformer: transformer.valid(),
            input: Input::Text(tokenizer),
            // Any special token ends what it writes.
            ends: Vec::new(),
            writing: Writing::default(),
            family,
            sha256: Some(sha256),
        })
    }

    /// Reads a model from its `files`, and its tokenizer from `texts`.
    fn put_together(
        files: &Files,
        texts: &Files,
        adapter: Option<&Adapter>,
        place: &Place<'_>,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        if let Some(described) = OpenClip::among(files)? {
            return Err(CheckpointError::TwoTowers {
                path: described.path,
            });
        }
        let instead = |missing| foreign::instead(&files.paths(), missing);
        let config_file = files.required(CONFIG, "it says which parts the model is made of");
        let config_file = config_file.map_err(instead)?;
        let mut text = config_file.text()?;
        let timm = Timm::read(&text).transpose();
        let timm = timm.map_err(|message| CheckpointError::Config {
            path: config_file.path().to_owned(),
            message,
        })?;
        if Pair::of(&text).is_some() {
            return Err(CheckpointError::TwoTowers {
                path: config_file.path().to_owned(),
            });
        }
        let weight_files = WeightFiles::find(files).map_err(instead)?;
        // What is wrong in the configuration is said first.
        let mut stored = of_files(&weight_files, &text);
        let mut changes = Changes::default();
        if let (Some(adapter), Ok(stored)) = (adapter, &mut stored) {
            changes = adapter.changes(stored)?;
            text = adapter.config(&text, families, stored)?;
        }
        let names = stored.iter().flat_map(|stored| stored.keys());
        let names: Vec<&str> = names.map(String::as_str).collect();
        let modules = Modules::read(files)?;
        let is_vector = modules.is_some();
        let path = config_file.path();
        let (family, mut config) = match &timm {
            Some(timm) => (&timm::VIT, timm.config.clone()),
            None => Family::read_config_among(families, &text, path, &names, is_vector)?,
        };
        if let Some(modules) = &modules {
            modules.set(&mut config);
        }
        let invalid = |source| CheckpointError::InvalidConfig {
            path: config_file.path().to_owned(),
            source,
        };
        config.check().map_err(invalid)?;
        let mut stored = stored?;
        if let Some(modules) = &modules {
            modules.add_tensors(files, &mut stored)?;
        }
        weights::untie(&mut config, family, &stored, &weight_files)?;
        if let Some(adapter) = adapter.filter(|_| config.head.is_tied()) {
            let base = family.base_in(stored.keys().map(String::as_str));
            let words = family.tensor_name("embeddings.word.weight", base);
            adapter.keeps_tied(&words, &changes)?;
        }

        let input = match &config.input {
            InputConfig::Tokens { .. } => {
                let said: Option<Value> = serde_json::from_str(&text).ok();
                let class = said
                    .as_ref()
                    .and_then(|keys| keys["tokenizer_class"].as_str());
                let longest = modules.as_ref().and_then(|modules| modules.longest);
                text_input(texts, family, class, longest, &mut config)
            }
            InputConfig::Patches(_) => {
                let read = match timm {
                    Some(timm) => Ok(timm.preprocessor),
                    None => preprocessor(files),
                }?;
                if let (Some(way), Some(size)) = (Interpolation::of(family), read.size()) {
                    way.resize(&mut config, family, &mut stored, size);
                    config.check().map_err(invalid)?;
                }
                Ok(Input::Pictures(read))
            }
        }?;
        if let (Input::Pictures(read), InputConfig::Patches(patches)) = (&input, &config.input) {
            let fits = read.fits(patches);
            fits.map_err(|message| unfit(files, config_file.path(), message))?;
        }
        let ends = ends(files, &text, config_file.path())?;
        let writing = Writing::read(files, &text, config_file.path(), &mut config)?;
        let mut transformer = place.zeros(&config).map_err(invalid)?;
        let sha256 = weights::read(&mut transformer, family, &weight_files, stored, changes)?;
        Ok(Self {
            transformer: transformer.valid(),
            input,
            ends,
            writing,
            // What timm calls otherwise is written as transformers calls it, and a part as what it is alone.
            family: match multimodal::of_texts(family) {
                Some(texts) => texts,
                None if family == &timm::VIT => Family::of(&config),
                None => family,
            },
            sha256: Some(sha256),
        })
    }
}

/// Where a model is put, and the type of its weights.
struct Place<'a> {
    device: &'a Device,
    /// None: the type that the device computes in.
    dtype: Option<DType>,
}

impl Place<'_> {
    fn zeros(&self, config: &TransformerConfig) -> Result<Transformer, ConfigError> {
        let zeros = Transformer::zeros(config, self.device)?;
        Ok(match self.dtype {
            Some(dtype) => zeros.cast(dtype),
            None => zeros,
        })
    }
}

/// The tensors of a checkpoint, without the packing that its configuration may speak of.
fn of_files(
    files: &WeightFiles,
    config: &str,
) -> Result<BTreeMap<String, Stored>, CheckpointError> {
    let mut stored = weights::open(files)?;
    if let Ok(Value::Object(keys)) = serde_json::from_str(config)
        && let Ok(Some(quantized)) = Quantized::of(&keys)
    {
        let undone = quantized.undo(&mut stored);
        undone.map_err(|problems| files.wrong(problems))?;
    }
    Ok(stored)
}

/// Reads the tokenizer. A model whose texts are filled has the padding token of its tokenizer.
fn text_input(
    files: &Files,
    family: &Family,
    class: Option<&str>,
    longest: Option<usize>,
    config: &mut TransformerConfig,
) -> Result<Input, CheckpointError> {
    let vocabulary = config.vocabulary();
    let tokenizer = tokenizer(files, family, class, vocabulary)?.at_most(longest);
    if let (true, Some((padding, _))) = (config.filled, tokenizer.padding())
        && (padding as usize) < vocabulary
    {
        config.padding_token = padding;
    }
    Ok(Input::Text(tokenizer))
}

/// Reads the preprocessor.
fn preprocessor(files: &Files) -> Result<Preprocessor, CheckpointError> {
    if let (None, Some(file)) = (files.get(PREPROCESSOR), files.get(PROCESSOR)) {
        let keys: Result<Value, String> = from_json(&file.text()?);
        let read = keys.and_then(|keys| match &keys["image_processor"] {
            Value::Null => Err(
                "it has no `image_processor`, and no other file says how pictures are read"
                    .to_owned(),
            ),
            part => Preprocessor::parse(&part.to_string()),
        });
        return read.map_err(|message| unfit(files, file.path(), message));
    }
    let file = files.required(PREPROCESSOR, "it says how pictures are read")?;
    let read = Preprocessor::parse(&file.text()?);
    read.map_err(|message| unfit(files, file.path(), message))
}

/// The error of a preprocessor, in a file of its own or in that at `path`.
fn unfit(files: &Files, path: &Path, message: String) -> CheckpointError {
    let own = files.get(PREPROCESSOR);
    CheckpointError::Preprocessor {
        path: own.map_or_else(|| path.to_owned(), |file| file.path().to_owned()),
        message,
    }
}
