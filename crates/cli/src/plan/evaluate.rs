//! The plan of `relprop evaluate`.

use anyhow::Context;
use relprop_checkpoints::Model;
use relprop_engine::measure::{Hide, Measured, Samples};
use relprop_engine::{Precision, is_rules_file, rules_and_site};
use relprop_evaluate::Metric;
use serde::{Deserialize, Serialize};

use crate::args::EvaluateArguments;

/// Everything that decides the results. Two runs with the same plan have the same results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvaluatePlan {
    /// The version of relprop.
    version: String,
    /// The family of the model.
    family: String,
    /// The SHA-256 of the model's weights.
    model_sha256: Option<String>,
    /// The SHA-256 of the file of texts; none for the embedded corpus.
    data_sha256: Option<String>,
    /// The column of evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    /// The column of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// The column of second texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair: Option<String>,
    /// What stands in the place of a hidden patch.
    #[serde(default, skip_serializing_if = "is_mean")]
    hide: Hide,
    /// How many texts at most.
    limit: Option<usize>,
    /// How many texts could be used.
    texts: usize,
    /// What is explained.
    target: Measured,
    /// How often relevance on earlier text of an answer is passed on.
    #[serde(default, skip_serializing_if = "is_zero")]
    hops: usize,
    /// The seed of all random numbers.
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

impl EvaluatePlan {
    pub(crate) fn new(
        arguments: &EvaluateArguments,
        model: &Model,
        metrics: &[Box<dyn Metric>],
        data: &Samples,
    ) -> anyhow::Result<Self> {
        let method = |name: &String| -> anyhow::Result<MethodSettings> {
            let (rules, _) = rules_and_site(name);
            let text = is_rules_file(rules).then(|| std::fs::read_to_string(rules));
            Ok(MethodSettings {
                name: name.clone(),
                rules: text.transpose().with_context(|| name.clone())?,
            })
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            family: model.family.name.to_owned(),
            model_sha256: model.sha256.clone(),
            data_sha256: data.sha256.clone(),
            evidence: arguments.evidence_column.clone(),
            answer: arguments.answer_column.clone(),
            pair: arguments.pair_column.clone(),
            hide: arguments.hide.into(),
            limit: arguments.limit,
            texts: data.samples.len(),
            target: arguments.target.clone(),
            hops: arguments.hops,
            seed: arguments.seed,
            device: arguments.device.name.clone(),
            dtype: arguments.precision.precision()?,
            metrics: metrics.iter().map(|metric| metric.about().name).collect(),
            methods: arguments
                .methods
                .iter()
                .map(method)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn is_mean(hide: &Hide) -> bool {
    *hide == Hide::Mean
}

fn is_zero(hops: &usize) -> bool {
    *hops == 0
}
