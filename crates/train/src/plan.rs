//! The plan of a training, which is kept in its folder so that no other training is resumed there.

use std::fs;
use std::path::Path;

use relprop_data::WholeFile;
use serde::{Deserialize, Serialize};

use crate::{TrainConfig, TrainError};

/// Everything that decides the result of a training. It can be resumed only with the same plan.
#[derive(PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) config: TrainConfig,
    pub(crate) labels: Vec<String>,
    /// The SHA-256 of all texts, or pictures, and labels.
    pub(crate) corpus: String,
    /// The SHA-256 of the weights whose embeddings are taken over.
    #[serde(default)]
    pub(crate) embeddings: Option<String>,
}

/// Makes the folder `out` for a training, or checks that it belongs to this training.
pub(crate) fn begin(out: &Path, plan: Plan) -> Result<(), TrainError> {
    plan.config.check()?;
    if out.join("config.json").exists() {
        return Err(TrainError::ModelThere(out.to_owned()));
    }
    claim(&out.join("training"), plan, out)
}

/// Writes the plan into `folder`, or checks that the same plan is there.
fn claim(folder: &Path, plan: Plan, out: &Path) -> Result<(), TrainError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    let file = folder.join("plan.json");
    if file.exists() {
        let text = fs::read_to_string(&file).map_err(io(&file))?;
        return match serde_json::from_str::<Plan>(&text) {
            Ok(found) if found == plan => Ok(()),
            _ => Err(TrainError::OtherTraining(out.to_owned())),
        };
    }
    fs::create_dir_all(folder).map_err(io(folder))?;
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    Ok(WholeFile::write(&file, text)?)
}
