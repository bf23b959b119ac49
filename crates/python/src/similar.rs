//! Similarities of texts.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pythonize::depythonize;
use relprop_engine::{EngineError, NamedRules};
use relprop_explain::{ExplainError, Measure, Plan, Similar};
use relprop_transformer::VectorPooling;
use serde::Deserialize;

use crate::compute::Watch;
use crate::documents::Similarity;
use crate::errors::Failed;
use crate::model::Model;

/// How texts are compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Compared {
    rules: Option<NamedRules>,
    at: Option<String>,
    measure: Measure,
    pooling: Option<VectorPooling>,
}

/// Compares `first` with each of `others`, and tells why it is alike to the `top` most similar of them.
#[pyfunction]
pub(crate) fn similar(
    py: Python<'_>,
    model: PyRef<'_, Model>,
    first: &str,
    others: Vec<String>,
    top: usize,
    compared: &Bound<'_, PyAny>,
) -> Result<Vec<(usize, Similarity)>, Failed> {
    let compared: Compared =
        depythonize(compared).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let (workplace, model) = (&model.workplace, &model.model);
    Watch::default().run(py, workplace, None, || {
        let plan = Plan {
            rules: compared.rules.map(|rules| rules.open()).transpose()?,
            at: compared.at,
            ..Plan::default()
        };
        let similar = Similar::new(model, &plan, compared.measure, compared.pooling)?;
        let tokenize = |text: &str| {
            let tokens = model.tokenize(text, None, plan.truncation);
            tokens.map_err(ExplainError::from)
        };
        let query = tokenize(first)?;
        let texts: Vec<_> = others
            .iter()
            .map(|text| tokenize(text))
            .collect::<Result<_, _>>()?;
        let mut places: Vec<usize> = (0..texts.len()).collect();
        if top < places.len() {
            let measures = similar.measure(&query, &texts.iter().collect::<Vec<_>>())?;
            places.sort_by(|&a, &b| measures[b].total_cmp(&measures[a]));
            places.truncate(top);
        }
        let explained = places
            .into_iter()
            .map(|place| Ok((place, Similarity(similar.explain([&query, &texts[place]])?))));
        explained.collect::<Result<Vec<_>, EngineError>>()
    })
}
