//! The type of float that a model's weights have.

use burn::tensor::DType;
use clap::ValueEnum;
use relprop_checkpoints::Model;
use serde::{Deserialize, Serialize};

use crate::usage::UsageError;

/// The types that the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Precision {
    /// 24 binary digits
    F32,
    /// 11 binary digits, up to 65504
    F16,
    /// 8 binary digits, as far as f32
    Bf16,
}

impl Precision {
    /// The same model with weights of this type.
    pub(crate) fn apply(self, model: Model) -> Result<Model, UsageError> {
        let dtype = match self {
            Self::F32 => return Ok(model),
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        };
        if !model.transformer.device().supports_dtype(dtype) {
            return Err(UsageError::new(format_args!(
                "this device does not compute in {}; leave out --dtype, or give another --device",
                dtype.name()
            )));
        }
        Ok(Model {
            transformer: model.transformer.cast(dtype),
            ..model
        })
    }
}
