//! The facts that all explanations of one explainer share.

use burn::tensor::DType;
use relprop_checkpoints::Model;
use relprop_transformer::Transformer;
use serde::Serialize;

use crate::methods::Method;
use crate::{Explainer, LRP, ModelInfo, SCHEMA};

/// Where explanations come from.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) method: String,
    pub(crate) rules: String,
    pub(crate) at: String,
    pub(crate) model: ModelInfo,
    pub(crate) device: String,
}

impl Run {
    pub(crate) fn new(model: &Model, method: &dyn Method) -> Self {
        let rules = method.rules().to_owned();
        Self {
            method: match rules.as_str() {
                "" => method.name(),
                _ => LRP,
            }
            .to_owned(),
            rules,
            at: method.site().to_owned(),
            model: ModelInfo::of(model),
            device: device_name(&model.transformer),
        }
    }

    /// A title that tells it from others: the name of the rule set, or of the method.
    pub(crate) fn title(&self) -> &str {
        match self.rules.as_str() {
            "" => &self.method,
            rules => rules,
        }
    }
}

/// The facts that all explanations of one explainer share, by the names that an
/// [`Explanation`](crate::Explanation) has for them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(
    missing_docs,
    reason = "the fields of an explanation say what they are"
)]
pub struct Facts<'e> {
    pub schema: &'static str,
    pub method: &'e str,
    pub rules: &'e str,
    pub at: &'e str,
    pub model: &'e ModelInfo,
    pub device: &'e str,
    pub version: &'static str,
    /// The model's labels; of a language model, none.
    pub labels: &'e [String],
}

impl Explainer {
    /// The facts that all its explanations share.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            schema: SCHEMA,
            method: &self.run.method,
            rules: &self.run.rules,
            at: &self.run.at,
            model: &self.run.model,
            device: &self.run.device,
            version: env!("CARGO_PKG_VERSION"),
            labels: &self.model.transformer.config().labels,
        }
    }
}

impl ModelInfo {
    /// The facts about `model` that explanations have.
    pub(crate) fn of(model: &Model) -> Self {
        Self {
            family: model.family.name.to_owned(),
            sha256: model.sha256.clone(),
        }
    }
}

/// What Burn calls the device, in short, and the type of float unless that is f32: `flex`,
/// `wgpu (f16)`.
fn device_name(transformer: &Transformer) -> String {
    // Burn gives a device no name but its debug form, such as `Device<Flex(Cpu)>`. A `Cube` runs
    // kernels on GPUs, through the backend in its brackets.
    let name = format!("{:?}", transformer.device().without_autodiff());
    let name = name
        .trim_start_matches("Device<")
        .trim_start_matches("Cube(");
    let name = name.split(['(', '>', ' ']).next().unwrap_or(name);
    let name = name.to_lowercase();
    match transformer.dtype() {
        DType::F32 => name,
        dtype => format!("{name} ({})", dtype.name()),
    }
}
