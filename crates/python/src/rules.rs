//! Rule sets.

use pyo3::prelude::*;
use pyo3::types::PyType;
use pythonize::pythonize;

use crate::errors::Failed;
use crate::json::of_python;

/// Rules of relevance propagation: a list of assignments, the first of which that matches a site decides.
///
/// Make one with :func:`relprop.rules`. It goes wherever ``rules=`` is taken.
#[pyclass(module = "relprop", frozen, eq, skip_from_py_object)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleSet(pub(crate) relprop_rules::RuleSet);

#[pymethods]
impl RuleSet {
    /// A preset by its name, or a file that ends in ``.toml``.
    #[classmethod]
    fn named(_: &Bound<'_, PyType>, name: &str) -> Result<Self, Failed> {
        Ok(Self(relprop_engine::rules(name)?))
    }

    /// Rules written as TOML.
    #[classmethod]
    fn from_toml(_: &Bound<'_, PyType>, text: &str) -> Result<Self, Failed> {
        Ok(Self(relprop_rules::RuleSet::from_toml(text)?))
    }

    /// Rules as a dict with ``name`` and ``rules``, a list of dicts: the same keys as in TOML.
    #[classmethod]
    fn from_dict(_: &Bound<'_, PyType>, rules: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rules = of_python(rules)?;
        Ok(Self(rules))
    }

    /// The name that explanations give.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The rules as TOML.
    fn to_toml(&self) -> Result<String, Failed> {
        Ok(self.0.to_toml()?)
    }

    /// The rules as a dict.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.0)?)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let make = py.get_type::<Self>().getattr("from_toml")?;
        Ok((make, (self.to_toml().map_err(PyErr::from)?,)))
    }

    fn __repr__(&self) -> String {
        let rules = self.0.rules.len();
        format!("RuleSet(name={:?}, {rules} rules)", self.0.name)
    }
}

/// The names of the presets.
#[pyfunction]
pub(crate) fn presets() -> Vec<&'static str> {
    relprop_rules::RuleSet::presets().collect()
}
