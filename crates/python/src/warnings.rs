//! Warnings of Python.

use std::ffi::CString;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;

/// Says each of these to who called.
pub(crate) fn warn(py: Python<'_>, said: Vec<String>) -> PyResult<()> {
    for text in said {
        let text = CString::new(text).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 2)?;
    }
    Ok(())
}
