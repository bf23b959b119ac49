//! Pictures that are compared with texts.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pythonize::depythonize;
use relprop_engine::{CompareRequest, EngineError, read_picture};

use crate::compute::Watch;
use crate::documents::Comparison;
use crate::errors::Failed;
use crate::model::Model;
use crate::pictured::Pictured;
use crate::warnings::warn;

/// Tells how well each of the texts fits each of the pictures in these files, and why.
#[pyfunction]
#[pyo3(signature = (model, pictures, request, progress=None))]
pub(crate) fn compare(
    py: Python<'_>,
    model: PyRef<'_, Model>,
    pictures: Vec<String>,
    request: &Bound<'_, PyAny>,
    progress: Option<Py<PyAny>>,
) -> Result<Vec<Comparison>, Failed> {
    let request: CompareRequest =
        depythonize(request).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let (workplace, towers) = (&model.workplace, model.towers()?);
    let watch = Watch::default();
    let (found, cut) = watch.run(py, workplace, progress.as_ref(), || {
        let compare = request.open(towers)?;
        let (mut texts, mut cut) = (Vec::with_capacity(request.texts.len()), Vec::new());
        for text in &request.texts {
            let read = compare
                .tokenize(text)
                .map_err(|error| EngineError::BadText {
                    text: Some(texts.len() as u64 + 1),
                    reason: error.to_string(),
                })?;
            if read.dropped > 0 {
                cut.push(format!("{text:?}: {} tokens were cut", read.dropped));
            }
            texts.push(read);
        }
        let explain = |name: &String| {
            watch.go_on()?;
            let (tokens, picture) = read_picture(&towers.picture, name)?;
            let found = compare.explain(&tokens, &texts)?;
            found.finite().map_err(|error| EngineError::BadText {
                text: None,
                reason: format!("{name}: {error}"),
            })?;
            watch.add(1);
            Ok(Comparison(Pictured::new(found, vec![picture])))
        };
        let found = pictures.iter().map(explain);
        Ok::<_, EngineError>((found.collect::<Result<Vec<_>, EngineError>>()?, cut))
    })?;
    warn(py, cut)?;
    Ok(found)
}
