//! The model that a command works on.

use std::path::PathBuf;

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use relprop_checkpoints::{Files, Model, Towers};
use relprop_engine::{AnyModel, EngineError, Precision, device, model_folder};
use relprop_rules::RuleSet;

use crate::args::{DeviceArgument, ModelArgument, PrecisionArgument};
use crate::usage::UsageError;

impl DeviceArgument {
    /// The device.
    pub(crate) fn open(&self) -> anyhow::Result<Device> {
        Ok(device(&self.name).map_err(UsageError::from)?)
    }
}

impl PrecisionArgument {
    /// The type of float.
    pub(crate) fn precision(&self) -> anyhow::Result<Precision> {
        Ok(self.dtype.parse().map_err(UsageError::new)?)
    }
}

impl ModelArgument {
    /// The folder of the model, which is fetched if it is a name.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        let bar = ProgressBar::no_length();
        let style = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
        let mut shown = String::new();
        let folder = model_folder(&self.name, |file, here, size| {
            if shown != file {
                if shown.is_empty() {
                    let name = self.name.display();
                    bar.suspend(|| eprintln!("fetching {name} from the Hugging Face Hub"));
                }
                file.clone_into(&mut shown);
                bar.set_message(shown.clone());
                bar.reset();
            }
            bar.set_length(size);
            bar.set_position(here);
        });
        bar.finish_and_clear();
        folder.map_err(|error| match error {
            EngineError::NoHub(name) => anyhow::anyhow!(
                "there is no model folder {name}; `relprop train --out {name}` makes one. For a model \
                 of that name on the Hugging Face Hub, build relprop with --features hub"
            ),
            error => error.into(),
        })
    }

    /// The model on `device`, with weights of this type.
    pub(crate) fn open(
        &self,
        device: &Device,
        precision: Precision,
    ) -> anyhow::Result<(Model, PathBuf)> {
        self.open_by(|files| precision.read(files, device))
    }

    /// A model of two towers.
    pub(crate) fn open_towers(
        &self,
        device: &Device,
        precision: Precision,
    ) -> anyhow::Result<Towers> {
        Ok(self
            .open_by(|files| precision.read_towers(files, device))?
            .0)
    }

    /// A model of either kind.
    pub(crate) fn open_any(
        &self,
        device: &Device,
        precision: Precision,
    ) -> anyhow::Result<(AnyModel, PathBuf)> {
        self.open_by(|files| precision.read_any(files, device))
    }

    /// What is read from the files of the model, and its folder.
    fn open_by<M>(
        &self,
        read: impl FnOnce(&Files) -> Result<M, EngineError>,
    ) -> anyhow::Result<(M, PathBuf)> {
        let folder = self.folder()?;
        let mut files = Files::in_folder(&folder)?;
        if let Some(base) = &self.base {
            files = files.with_base(Files::in_folder(base)?);
        }
        Ok((read(&files).map_err(refused)?, folder))
    }
}

/// Why a model cannot be read: a device that lacks the type of float is for the user to change.
fn refused(error: EngineError) -> anyhow::Error {
    match error {
        error @ EngineError::Precision { .. } => UsageError::from(error).into(),
        EngineError::Checkpoint(error) => error.into(),
        error => error.into(),
    }
}

/// The rule set that a name or a file stands for.
pub(crate) fn rules(name: &str) -> anyhow::Result<RuleSet> {
    relprop_engine::rules(name).map_err(|error| match error {
        EngineError::Preset(_) => UsageError::from(error).into(),
        error => error.into(),
    })
}
