//! Folders of sentence-transformers: which vector a model makes of a text.

use std::collections::BTreeMap;
use std::path::Path;

use relprop_rules::operations::Activation;
use relprop_transformer::{Dense, Head, TransformerConfig, VectorPooling};
use serde::Deserialize;
use serde_json::Value;

use crate::CheckpointError;
use crate::files::{File, Files};
use crate::json::from_json;
use crate::weights::{self, Stored, WeightFiles};

/// The modules that a text goes through, one after another.
pub(crate) const MODULES: &str = "modules.json";
/// What is said of the transformer among them.
pub(crate) const TRANSFORMER: &str = "sentence_bert_config.json";
/// What the linear map after pooling is called here: it has a folder of its own.
pub(crate) const DENSE: &str = "dense.linear";
/// What the one after that is called.
pub(crate) const SECOND: &str = "dense.second.linear";

/// What a folder of sentence-transformers makes of hidden states.
pub(crate) struct Modules {
    pooling: VectorPooling,
    /// The linear maps, at most two, each with its folder.
    dense: Vec<(Dense, String)>,
    normalized: bool,
    /// The most tokens that a text may have.
    pub(crate) longest: Option<usize>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Modules {
    /// Reads `modules.json` and what it names; none if there is no such file, or if it makes no vector of states.
    pub(crate) fn read(files: &Files) -> Result<Option<Self>, CheckpointError> {
        let Some(file) = files.get(MODULES) else {
            return Ok(None);
        };
        let listed: Vec<Module> =
            from_json(&file.text()?).map_err(|message| wrong(&file, message))?;
        // SPLADE: what a masked language model says of every token, which is explained as it is.
        if listed
            .first()
            .is_some_and(|first| first.class.ends_with("MLMTransformer"))
        {
            return Ok(None);
        }
        let mut found = Self {
            pooling: VectorPooling::Mean,
            dense: Vec::new(),
            normalized: false,
            longest: longest(files)?,
        };
        for (index, Module { path, class }) in listed.iter().enumerate() {
            // A name, not a path: a module must not lead out of its folder.
            if index > 0 && Path::new(path).file_name() != Some(path.as_ref()) {
                return Err(wrong(
                    &file,
                    format!("`{path}` is not the name of a folder"),
                ));
            }
            match class.rsplit('.').next().unwrap_or_default() {
                "Transformer" if index == 0 => {}
                "Pooling" => found.pooling = pooling(files, path)?,
                "Dense" if found.dense.len() < 2 && !found.normalized => {
                    found.dense.push((dense(files, path)?, path.clone()));
                }
                "Normalize" => found.normalized = true,
                _ => {
                    let message = format!(
                        "module {index} is a `{class}`, which relprop does not compute; it knows a \
                         Transformer, and after it Pooling, one Dense or two, and Normalize"
                    );
                    return Err(wrong(&file, message));
                }
            }
        }
        Ok(Some(found))
    }

    /// Sets the head of the model.
    pub(crate) fn set(&self, config: &mut TransformerConfig) {
        config.head = Head::Vector {
            pooling: self.pooling,
            dense: self.dense.first().map(|(dense, _)| *dense),
            second: self.dense.get(1).map(|(dense, _)| *dense),
            normalized: self.normalized,
        };
    }

    /// Puts the tensors of the linear maps beside those of the model.
    pub(crate) fn add_tensors(
        &self,
        files: &Files,
        stored: &mut BTreeMap<String, Stored>,
    ) -> Result<(), CheckpointError> {
        for ((_, folder), name) in self.dense.iter().zip([DENSE, SECOND]) {
            let of_map = WeightFiles::find_in(files, &format!("{folder}/"))?;
            let tensors = weights::open(&of_map)?.into_iter();
            let place = name.trim_end_matches("linear");
            stored.extend(tensors.map(|(name, tensor)| (format!("{place}{name}"), tensor)));
        }
        Ok(())
    }
}

fn pooling(files: &Files, folder: &str) -> Result<VectorPooling, CheckpointError> {
    let (file, keys) = config(files, folder)?;
    let modes = [
        ("pooling_mode_cls_token", "cls", Some(VectorPooling::First)),
        (
            "pooling_mode_mean_tokens",
            "mean",
            Some(VectorPooling::Mean),
        ),
        (
            "pooling_mode_lasttoken",
            "lasttoken",
            Some(VectorPooling::Last),
        ),
        ("pooling_mode_max_tokens", "max", None),
        (
            "pooling_mode_mean_sqrt_len_tokens",
            "mean_sqrt_len_tokens",
            None,
        ),
        ("pooling_mode_weightedmean_tokens", "weightedmean", None),
    ];
    // Newer folders name the mode; older ones have a flag a mode.
    let named = keys["pooling_mode"].as_str();
    let on = modes
        .iter()
        .filter(|(flag, name, _)| keys[*flag] == true || named == Some(*name));
    match on.collect::<Vec<_>>().as_slice() {
        [(_, _, Some(pooling))] => Ok(*pooling),
        [] if named.is_none() => Ok(VectorPooling::Mean),
        several => {
            let names: Vec<_> = several.iter().map(|(flag, ..)| *flag).collect();
            let said = match named {
                Some(name) if names.is_empty() => name.to_owned(),
                _ => names.join(" and "),
            };
            let message = format!(
                "it asks for {said}; relprop computes one of the mean, the first token and the last token"
            );
            Err(wrong(&file, message))
        }
    }
}

fn dense(files: &Files, folder: &str) -> Result<Dense, CheckpointError> {
    let (file, keys) = config(files, folder)?;
    let width = keys["out_features"]
        .as_u64()
        .and_then(|width| width.try_into().ok());
    let Some(width) = width else {
        return Err(wrong(&file, "it has no `out_features`".to_owned()));
    };
    let class = keys["activation_function"].as_str().unwrap_or("Tanh");
    let activation = match class.rsplit('.').next().unwrap_or_default() {
        "Identity" => None,
        "Tanh" => Some(Activation::Tanh),
        "ReLU" => Some(Activation::Relu),
        "GELU" => Some(Activation::Gelu),
        "SiLU" => Some(Activation::Silu),
        _ => {
            let message =
                format!("`activation_function` is {class}, which relprop does not compute");
            return Err(wrong(&file, message));
        }
    };
    Ok(Dense {
        width,
        bias: keys["bias"].as_bool().unwrap_or(true),
        activation,
    })
}

/// `max_seq_length`.
fn longest(files: &Files) -> Result<Option<usize>, CheckpointError> {
    let Some(file) = files.get(TRANSFORMER) else {
        return Ok(None);
    };
    let keys: Value = from_json(&file.text()?).map_err(|message| wrong(&file, message))?;
    let longest = keys["max_seq_length"].as_u64();
    Ok(longest.and_then(|longest| longest.try_into().ok()))
}

/// The file that describes a module.
fn config(files: &Files, folder: &str) -> Result<(File, Value), CheckpointError> {
    let name = format!("{folder}/config.json");
    let file = files.required(&name, "modules.json names its folder")?;
    let keys = from_json(&file.text()?).map_err(|message| wrong(&file, message))?;
    Ok((file, keys))
}

fn wrong(file: &File, message: String) -> CheckpointError {
    CheckpointError::Config {
        path: file.path().to_owned(),
        message,
    }
}
