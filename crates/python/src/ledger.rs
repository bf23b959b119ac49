//! Accounts of targets.

use pyo3::prelude::*;
use pythonize::pythonize;

/// Where a target went: ``target = tokens + sum of absorbed + unaccounted``, all in units of the target.
#[pyclass(module = "relprop", frozen, eq, skip_from_py_object)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ledger(pub(crate) relprop_explain::Ledger);

#[pymethods]
impl Ledger {
    /// The value that was explained.
    #[getter]
    fn target(&self) -> f64 {
        self.0.target
    }

    /// What the tokens hold together.
    #[getter]
    fn tokens(&self) -> f64 {
        self.0.tokens
    }

    /// Target minus everything else: rounding.
    #[getter]
    fn unaccounted(&self) -> f64 {
        self.0.unaccounted
    }

    /// What each site absorbed, in the order of computation: a list of dicts with ``site``, ``operation``
    /// (absent for a signal), ``kind`` (``bias``, ``activation``, ...) and ``relevance``.
    #[getter]
    fn absorbed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.0.absorbed)?)
    }

    /// The sum of what each kind absorbed: a dict from kind to relevance.
    fn by_kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
        let kinds = pyo3::types::PyDict::new(py);
        for (kind, relevance) in self.0.by_kind() {
            kinds.set_item(kind, relevance)?;
        }
        Ok(kinds)
    }

    /// Whether no more than 1e-5 of the target, or of 1 if it is smaller, is unaccounted.
    #[getter]
    fn closes(&self) -> bool {
        self.0.closes()
    }

    fn __repr__(&self) -> String {
        let relprop_explain::Ledger {
            target,
            tokens,
            unaccounted,
            ..
        } = self.0;
        format!("Ledger(target={target}, tokens={tokens}, unaccounted={unaccounted})")
    }
}
