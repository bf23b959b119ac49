//! The type of float that a model's weights have.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device};
use relprop_checkpoints::{CheckpointError, Files, Model, Towers};
use serde::{Deserialize, Serialize};

use crate::{AnyModel, EngineError};

/// The float types of weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 53 binary digits, where those of f32 cancel out.
    F64,
    /// 24 binary digits.
    #[default]
    F32,
    /// 11 binary digits, up to 65504.
    F16,
    /// 8 binary digits, with the range of f32.
    Bf16,
}

impl Precision {
    /// Every type, the one with the most digits first.
    pub const ALL: [Self; 4] = [Self::F64, Self::F32, Self::F16, Self::Bf16];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// Reads a model from its files, with weights of this type.
    ///
    /// # Errors
    ///
    /// [`EngineError::Precision`] if the device does not compute in it, and what is wrong with the files.
    pub fn read(self, files: &Files, device: &Device) -> Result<Model, EngineError> {
        Ok(Model::from_files_as(files, device, self.on(device)?, &[])?)
    }

    /// Reads a model of two towers from its files, with weights of this type.
    ///
    /// # Errors
    ///
    /// As [`Precision::read`].
    pub fn read_towers(self, files: &Files, device: &Device) -> Result<Towers, EngineError> {
        Ok(Towers::from_files_as(files, device, self.on(device)?)?)
    }

    /// Reads a model of either kind from its files, with weights of this type.
    ///
    /// # Errors
    ///
    /// As [`Precision::read`].
    pub fn read_any(self, files: &Files, device: &Device) -> Result<AnyModel, EngineError> {
        match self.read(files, device) {
            Err(EngineError::Checkpoint(CheckpointError::TwoTowers { .. })) => {
                Ok(self.read_towers(files, device)?.into())
            }
            read => Ok(read?.into()),
        }
    }

    /// The device's name for it; none for the type that it computes in.
    fn on(self, device: &Device) -> Result<Option<DType>, EngineError> {
        let dtype = match self {
            Self::F64 => Some(DType::F64),
            Self::F32 => None,
            Self::F16 => Some(DType::F16),
            Self::Bf16 => Some(DType::BF16),
        };
        match dtype.is_none_or(|dtype| device.supports_dtype(dtype)) {
            true => Ok(dtype),
            false => Err(EngineError::Precision { precision: self }),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such type of float.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no type `{0}`; there are f64, f32, f16 and bf16")]
pub struct UnknownPrecision(String);

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        let known = Self::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| UnknownPrecision(text.to_owned()))
    }
}
