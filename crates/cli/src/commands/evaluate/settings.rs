//! What a run depends on.

use anyhow::Context;
use relprop_checkpoints::Model;
use relprop_evaluate::Metric;
use serde::{Deserialize, Serialize};

use super::Data;
use crate::args::{EvaluateArguments, EvaluationTarget};
use crate::precision::Precision;
use crate::rules;

/// Everything that decides what a run finds. Two runs with the same settings find the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// The version of relprop.
    version: String,
    /// The family of the model.
    family: String,
    /// The SHA-256 of the model's weights.
    model_sha256: Option<String>,
    /// The SHA-256 of the file of texts; none for the embedded corpus.
    data_sha256: Option<String>,
    /// How many texts at most.
    limit: Option<usize>,
    /// How many texts could be used.
    texts: usize,
    /// Which label's logit is explained.
    target: EvaluationTarget,
    /// What all random numbers come from.
    seed: u64,
    /// The device, as it was asked for.
    device: String,
    /// The type of float of the weights.
    dtype: Precision,
    metrics: Vec<String>,
    methods: Vec<MethodSettings>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MethodSettings {
    name: String,
    /// The rule set, where it was read from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
}

impl Settings {
    pub(super) fn new(
        arguments: &EvaluateArguments,
        model: &Model,
        metrics: &[Box<dyn Metric>],
        data: &Data,
    ) -> anyhow::Result<Self> {
        let method = |name: &String| -> anyhow::Result<MethodSettings> {
            let text = rules::is_file(name).then(|| std::fs::read_to_string(name));
            Ok(MethodSettings {
                name: name.clone(),
                rules: text.transpose().with_context(|| name.clone())?,
            })
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            family: model.family.name().to_owned(),
            model_sha256: model.sha256.clone(),
            data_sha256: data.sha256.clone(),
            limit: arguments.limit,
            texts: data.samples.len(),
            target: arguments.target,
            seed: arguments.seed,
            device: arguments.device.name.clone(),
            dtype: arguments.precision.dtype,
            metrics: metrics.iter().map(|metric| metric.about().name).collect(),
            methods: arguments
                .methods
                .iter()
                .map(method)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The names of the settings that `other` has otherwise.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let fields = |settings: &Self| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (fields(self), fields(other));
        let names = ours
            .iter()
            .filter(|(name, value)| theirs.get(*name) != Some(value));
        names.map(|(name, _)| name.clone()).collect()
    }
}
