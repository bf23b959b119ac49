//! Rows of numbers as an array.

use numpy::PyArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The rows as an array.
pub(crate) fn matrix<'py>(
    py: Python<'py>,
    rows: &[Vec<f32>],
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    PyArray2::from_vec2(py, rows).map_err(|error| PyValueError::new_err(error.to_string()))
}
