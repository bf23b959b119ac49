//! Reads models of two towers from files.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Device};
use relprop_transformer::{InputConfig, TransformerConfig};
use serde_json::Value;

use super::{Place, of_files, preprocessor, text_input, unfit};
use crate::adapter::Adapter;
use crate::files::CONFIG;
use crate::open_clip::{self, OpenClip};
use crate::towers::{Pair, Towers};
use crate::weights::{self, Changes, Stored, WeightFiles};
use crate::{CheckpointError, Family, Files, Input, Model, Writing};

impl Towers {
    /// Reads a model folder of two towers onto `device`.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file, and the tensor or key in it; [`CheckpointError::OneTower`] if it is
    /// another kind of model.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::from_files(&Files::in_folder(folder)?, device)
    }

    /// Reads a model of two towers from its files, wherever they are, onto `device`.
    ///
    /// # Errors
    ///
    /// As [`Towers::load`]. A file in memory is named by its name.
    pub fn from_files(files: &Files, device: &Device) -> Result<Self, CheckpointError> {
        Self::from_files_as(files, device, None)
    }

    /// The same with weights of this type of float. None: the type that the device computes in.
    ///
    /// # Errors
    ///
    /// As [`Towers::load`].
    pub fn from_files_as(
        files: &Files,
        device: &Device,
        dtype: Option<DType>,
    ) -> Result<Self, CheckpointError> {
        let place = Place { device, dtype };
        let open_clip = OpenClip::among(files)?;
        let (text, path) = match &open_clip {
            Some(described) => (described.config.clone(), described.path.clone()),
            None => {
                let file = files.required(CONFIG, "it says which parts the model is made of")?;
                (file.text()?, file.path().to_owned())
            }
        };
        let path = path.as_path();
        let Some(pair) =
            Pair::of(&text).filter(|_| Adapter::among(files).is_ok_and(|a| a.is_none()))
        else {
            return Err(CheckpointError::OneTower {
                path: path.to_owned(),
            });
        };
        let weight_files = match open_clip {
            Some(_) => WeightFiles::of_open_clip(files)?,
            None => WeightFiles::find(files)?,
        };
        let tower = |of_both: &'static Family, alone: &'static Family, table: &'static Family| {
            let mut stored = of_files(&weight_files, &text)?;
            if open_clip.is_some() {
                stored = open_clip::renamed(stored);
            }
            let names: Vec<&str> = stored.keys().map(String::as_str).collect();
            let (_, mut config) =
                Family::read_config_among(&[of_both], &text, path, &names, false)?;
            let invalid = |source| CheckpointError::InvalidConfig {
                path: path.to_owned(),
                source,
            };
            config.check().map_err(invalid)?;
            let input = match (&open_clip, config.patches()) {
                (Some(described), Some(_)) => Input::Pictures(described.preprocessor.clone()),
                _ => input(files, alone, path, &text, &mut config)?,
            };
            let mut transformer = place.zeros(&config).map_err(invalid)?;
            let numbers = [
                number(&mut stored, &weight_files, "logit_scale")?,
                match pair.biased {
                    true => number(&mut stored, &weight_files, "logit_bias")?,
                    false => 0.0,
                },
            ];
            let changes = Changes::default();
            let sha256 = weights::read(&mut transformer, table, &weight_files, stored, changes)?;
            let model = Model {
                transformer: transformer.valid(),
                input,
                ends: Vec::new(),
                writing: Writing::default(),
                family: alone,
                sha256: Some(sha256),
            };
            Ok::<_, CheckpointError>((model, numbers))
        };
        let [of_texts, of_pictures] = pair.alone;
        let tables = match open_clip {
            Some(_) => [&open_clip::TEXT, &open_clip::PICTURE],
            None => pair.alone,
        };
        let (of_texts, [scale, bias]) = tower(pair.text, of_texts, tables[0])?;
        let (of_pictures, _) = tower(pair.picture, of_pictures, tables[1])?;
        let [features, others] =
            [&of_pictures, &of_texts].map(|tower| tower.transformer.config().logits());
        if features != others {
            return Err(CheckpointError::Config {
                path: path.to_owned(),
                message: format!(
                    "the vectors of pictures have {features} features, and those of texts {others}"
                ),
            });
        }
        Ok(Self {
            text: of_texts,
            picture: of_pictures,
            family: pair.text.name,
            // As transformers has it, in f32.
            scale: f64::from((scale as f32).exp()),
            bias,
            probabilities: pair.probabilities,
        })
    }
}

/// What a tower reads.
fn input(
    files: &Files,
    family: &'static Family,
    path: &Path,
    text: &str,
    config: &mut TransformerConfig,
) -> Result<Input, CheckpointError> {
    match config.input {
        InputConfig::Tokens { .. } => {
            let said: Option<Value> = serde_json::from_str(text).ok();
            let class = said
                .as_ref()
                .and_then(|keys| keys["tokenizer_class"].as_str());
            text_input(files, family, class, None, config)
        }
        InputConfig::Patches(patches) => {
            let read = preprocessor(files)?;
            let fits = read.fits(&patches);
            fits.map_err(|message| unfit(files, path, message))?;
            Ok(Input::Pictures(read))
        }
    }
}

/// Takes out a tensor of one number.
fn number(
    stored: &mut BTreeMap<String, Stored>,
    files: &WeightFiles,
    name: &str,
) -> Result<f64, CheckpointError> {
    let wrong = |problem: &str| files.wrong(vec![format!("{name} {problem}")]);
    let found = stored.remove(name).ok_or_else(|| wrong("is missing"))?;
    if found.dtype().is_err() {
        return Err(wrong("is no float"));
    }
    let numbers = found.floats();
    let numbers = numbers.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    match numbers.as_slice() {
        [number] if number.is_finite() => Ok(*number),
        [_] => Err(wrong("is not finite")),
        _ => Err(wrong("is more than one number")),
    }
}
