//! What burn-train keeps after each epoch.

use std::path::PathBuf;

use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::train::checkpoint::Checkpoint;

use crate::{Epoch, TrainError};

/// The folder where burn-train keeps its checkpoints.
pub(crate) struct Checkpoints(pub(crate) PathBuf);

impl Checkpoints {
    /// The file of a part of it.
    fn file(&self, name: &str, epoch: usize) -> PathBuf {
        self.0.join(format!("{name}-{epoch}.bpk"))
    }

    /// The last epoch whose checkpoint is complete and can be read; 0 if there is none.
    pub(crate) fn last_complete(&self, epochs: &[Epoch]) -> usize {
        let complete = |epoch: &usize| {
            ModuleRecord::load(self.file("model", *epoch)).is_ok()
                && <OptimizerRecord as Checkpoint>::load(self.file("optim", *epoch)).is_ok()
                && self.file("scheduler", *epoch).is_file()
        };
        epochs
            .iter()
            .rev()
            .map(|epoch| epoch.epoch)
            .find(complete)
            .unwrap_or(0)
    }

    /// The model after an epoch.
    pub(crate) fn model(&self, epoch: usize) -> Result<ModuleRecord, TrainError> {
        let path = self.file("model", epoch);
        ModuleRecord::load(&path).map_err(|error| TrainError::Io {
            path: path.clone(),
            source: std::io::Error::other(error.to_string()),
        })
    }
}
