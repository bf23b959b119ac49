//! Similarities of texts, and of pictures.

use pyo3::prelude::*;
use relprop_checkpoints::Input;
use relprop_engine::{EngineError, NamedRules, read_picture};
use relprop_explain::{ExplainError, Measure, Plan, Similar};
use relprop_transformer::VectorPooling;
use serde::Deserialize;

use crate::compute::Watch;
use crate::documents::Similarity;
use crate::errors::Failed;
use crate::json::of_python;
use crate::model::Model;
use crate::pictured::Pictured;

/// How texts, or pictures, are compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Compared {
    rules: Option<NamedRules>,
    at: Option<String>,
    ledger: bool,
    measure: Measure,
    pooling: Option<VectorPooling>,
}

/// Compares `first` with each of `others`, which are texts or files of pictures, and tells why it is alike to the `top` most similar of them.
#[pyfunction]
pub(crate) fn similar(
    py: Python<'_>,
    model: PyRef<'_, Model>,
    first: &str,
    others: Vec<String>,
    top: usize,
    compared: &Bound<'_, PyAny>,
) -> Result<Vec<(usize, Similarity)>, Failed> {
    let compared: Compared = of_python(compared)?;
    let (workplace, model) = (&model.workplace, model.one()?);
    Watch::default().run(py, workplace, None, || {
        let plan = Plan {
            rules: compared.rules.map(|rules| rules.open()).transpose()?,
            at: compared.at,
            ledger: compared.ledger,
            ..Plan::default()
        };
        let similar = Similar::new(model, &plan, compared.measure, compared.pooling)?;
        let read = |given: &str| match model.input {
            Input::Text(_) => {
                let tokens = model.tokenize(given, None, plan.truncation);
                Ok((tokens.map_err(ExplainError::from)?, None))
            }
            Input::Pictures(_) => {
                let (tokens, picture) = read_picture(model, given)?;
                Ok::<_, EngineError>((tokens, Some(picture)))
            }
        };
        let (query, picture) = read(first)?;
        let others = others.iter().map(|other| read(other));
        let (texts, pictures): (Vec<_>, Vec<_>) =
            others.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let found = similar.most_similar(&query, &texts, top)?.into_iter();
        let explained = found.map(|(place, found)| {
            let both = [&picture, &pictures[place]];
            let both = both.into_iter().flatten().cloned().collect();
            (place, Similarity(Pictured::new(found, both)))
        });
        Ok::<_, EngineError>(explained.collect())
    })
}
