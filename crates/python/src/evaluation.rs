//! Evaluations of methods, and the search for rules.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use relprop_engine::measure::{
    ALL, COMPARED_METHODS, MEASURED_AT_ONCE, candidates, drawn, measurable, metrics_by_name,
};
use relprop_engine::{EngineError, NamedRules};
use relprop_evaluate::metrics::DEFAULT;
use relprop_evaluate::tune::{STARTS, Search, tune as search_for};
use relprop_evaluate::{Results, hiding_token};
use relprop_render as render;

use crate::compute::Watch;
use crate::errors::Failed;
use crate::json::{json_of, of_json, of_python, python_of};
use crate::measured::Data;
use crate::model::Model;
use crate::rules::RuleSet;
use crate::warnings::warn;

/// Methods, measured on texts by some metrics: the mean of each over the texts, with its interval.
#[pyclass(module = "relprop", frozen, eq)]
#[derive(Debug, PartialEq)]
pub(crate) struct Evaluation(Results);

#[pymethods]
impl Evaluation {
    /// Reads what :meth:`json` has written.
    #[classmethod]
    fn from_json(class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        Ok(Self(of_json(class.py(), text)?))
    }

    /// The results as JSON.
    fn json(&self) -> PyResult<String> {
        json_of(&self.0)
    }

    /// The results as a dict: ``texts``, ``metrics``, and for each of ``methods`` a summary a metric.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python_of(py, &self.json()?)
    }

    /// The methods, in the order in which they were asked for.
    #[getter]
    fn methods(&self) -> Vec<&str> {
        self.0
            .methods
            .iter()
            .map(|method| method.name.as_str())
            .collect()
    }

    /// The metrics.
    #[getter]
    fn metrics(&self) -> Vec<&str> {
        self.0
            .metrics
            .iter()
            .map(|metric| metric.name.as_str())
            .collect()
    }

    /// The mean of ``metric`` for ``method``; None if it had no number for any text.
    fn mean(&self, method: &str, metric: &str) -> PyResult<Option<f64>> {
        let at = self.0.metrics.iter().position(|known| known.name == metric);
        let of = self.0.methods.iter().find(|known| known.name == method);
        match (of, at) {
            (Some(method), Some(at)) => Ok(method.metrics[at]
                .mean
                .as_ref()
                .map(|interval| interval.mean)),
            _ => Err(pyo3::exceptions::PyKeyError::new_err(format!(
                "{method}, {metric}"
            ))),
        }
    }

    /// The best method under ``metric``; None if the metric does not judge.
    fn best(&self, metric: &str) -> PyResult<Option<&str>> {
        let at = self.0.metrics.iter().position(|known| known.name == metric);
        let at = at.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(metric.to_owned()))?;
        Ok(self
            .0
            .best(at)
            .map(|place| self.0.methods[place].name.as_str()))
    }

    /// A page, or with ``page=False`` one element for a page of your own.
    #[pyo3(signature = (page=true))]
    fn html(&self, page: bool) -> String {
        let report = render::evaluation_html(&self.0, &[], "relprop.evaluate(...)");
        if page {
            report.page()
        } else {
            report.fragment()
        }
    }

    /// The curves of the metrics that have some, as a drawing; None if none has.
    fn svg(&self) -> Option<String> {
        render::evaluation_curves(&self.0)
    }

    fn _repr_html_(&self) -> String {
        self.html(false)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let make = py.get_type::<Self>().getattr("from_json")?;
        Ok((make, (self.json()?,)))
    }

    fn __str__(&self) -> String {
        render::evaluation_table(&self.0, 100)
    }

    fn __repr__(&self) -> String {
        let (methods, texts) = (self.methods().join(", "), self.0.texts);
        format!("Evaluation({methods}; {texts} texts)")
    }
}

/// Measures methods on texts.
#[pyfunction]
#[pyo3(signature = (model, data, metrics, methods, progress=None))]
pub(crate) fn evaluate(
    py: Python<'_>,
    model: PyRef<'_, Model>,
    data: &Bound<'_, PyAny>,
    metrics: Option<Vec<String>>,
    methods: Option<Vec<String>>,
    progress: Option<Py<PyAny>>,
) -> Result<Evaluation, Failed> {
    let data: Data = of_python(data)?;
    let metrics = metrics.unwrap_or_else(|| DEFAULT.map(str::to_owned).to_vec());
    let methods = methods.unwrap_or_else(|| COMPARED_METHODS.map(str::to_owned).to_vec());
    let found = metrics_by_name(&metrics)
        .map_err(|error| PyValueError::new_err(format!("{error}; or `{ALL}`")))?;
    let (workplace, model) = (&model.workplace, model.one()?);
    let watch = Watch::default();
    let (results, said) = watch.run(py, workplace, progress.as_ref(), || {
        let mut said = Vec::new();
        let (seed, hops) = (data.seed, data.hops);
        let samples = data.open(model, &mut said)?.samples;
        let metrics = measurable(found, &metrics, &samples)?;
        let candidates = candidates(&methods, model, &metrics, seed)?;
        let evaluation = relprop_evaluate::Evaluation {
            model,
            metrics: &metrics,
            mask_token: hiding_token(model)?,
            hops,
            seed,
        };
        let mut readings = vec![Vec::new(); candidates.len()];
        for chunk in samples.chunks(MEASURED_AT_ONCE) {
            watch.go_on()?;
            let part = evaluation.measure(&candidates, chunk, |_| ())?;
            readings
                .iter_mut()
                .zip(part)
                .for_each(|(all, part)| all.extend(part));
            watch.add(chunk.len());
        }
        Ok::<_, EngineError>((Results::new(&methods, &metrics, &readings), said))
    })?;
    warn(py, said)?;
    Ok(Evaluation(results))
}

/// Searches for the most faithful rules.
#[pyfunction]
#[pyo3(signature = (model, data, start, tries, limit, min_words, progress=None))]
#[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
pub(crate) fn tune(
    py: Python<'_>,
    model: PyRef<'_, Model>,
    data: &Bound<'_, PyAny>,
    start: &Bound<'_, PyAny>,
    tries: usize,
    limit: usize,
    min_words: usize,
    progress: Option<Py<PyAny>>,
) -> Result<RuleSet, Failed> {
    let (data, start): (Data, Option<Vec<NamedRules>>) = (of_python(data)?, of_python(start)?);
    let start = start.unwrap_or_else(|| {
        let presets = STARTS.map(|name| NamedRules::Name(name.to_owned()));
        presets.to_vec()
    });
    let (workplace, model) = (&model.workplace, model.one()?);
    let watch = Watch::default();
    let (tuned, said) = watch.run(py, workplace, progress.as_ref(), || {
        let mut said = Vec::new();
        let starts: Vec<_> = start
            .iter()
            .map(NamedRules::open)
            .collect::<Result<_, _>>()?;
        let seed = data.seed;
        let samples = data.open(model, &mut said)?.samples;
        let (texts, held_out) = drawn(&samples, limit, min_words, seed)?;
        let search = Search {
            model,
            starts: &starts,
            texts: &texts,
            held_out: &held_out,
            tries,
            mask_token: hiding_token(model)?,
        };
        let tuned = search_for(&search, |_| {
            watch.add(1);
            watch.go_on()
        });
        Ok::<_, EngineError>((tuned?, said))
    })?;
    warn(py, said)?;
    Ok(RuleSet(tuned.rules))
}
