//! JSON to and from Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pythonize::depythonize;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Indented JSON, as the program writes it.
pub(crate) fn json_of(document: &impl Serialize) -> PyResult<String> {
    let written = serde_json::to_string_pretty(document);
    let text = written.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(text + "\n")
}

/// JSON as Python reads it, so that numbers are those that are written.
pub(crate) fn python_of<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

/// What JSON says. Python reads the numbers: it rounds each of them correctly.
pub(crate) fn of_json<T: DeserializeOwned>(py: Python<'_>, text: &str) -> PyResult<T> {
    of_python(&python_of(py, text)?)
}

/// What dicts, lists, texts and numbers of Python say.
pub(crate) fn of_python<T: DeserializeOwned>(value: &Bound<'_, PyAny>) -> PyResult<T> {
    depythonize(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
