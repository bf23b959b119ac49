//! Pictures that are compared with texts.

use pyo3::prelude::*;
use relprop_engine::{CompareRequest, EngineError, read_picture};

use crate::compute::Watch;
use crate::documents::Comparison;
use crate::errors::Failed;
use crate::json::of_python;
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
    let request: CompareRequest = of_python(request)?;
    let (workplace, towers) = (&model.workplace, model.towers()?);
    let watch = Watch::default();
    let (found, cut) = watch.run(py, workplace, progress.as_ref(), || {
        let compare = request.open(towers)?;
        let texts = request.read(&compare)?;
        let cut = texts.iter().zip(&request.texts);
        let cut = cut.filter(|(read, _)| read.dropped > 0);
        let cut = cut.map(|(read, text)| format!("{text:?}: {} tokens were cut", read.dropped));
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
        Ok::<_, EngineError>((
            found.collect::<Result<Vec<_>, EngineError>>()?,
            cut.collect(),
        ))
    })?;
    warn(py, cut)?;
    Ok(found)
}
