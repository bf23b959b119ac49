//! A model, and what is asked of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use burn::tensor::Device;
use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pythonize::depythonize;
use relprop_checkpoints::{Files, Input, SETTINGS_FILES, sha256};
use relprop_data::{Place, Rows};
use relprop_engine::{
    EngineError, Found, Group, Precision, Request, RowKind, Threads, Worker, device,
};
use relprop_explain::Explainer;
use relprop_transformer::Head;

use crate::compute::{Watch, Workplace};
use crate::documents::{Continuation, Labelling, ZeroShot};
use crate::errors::Failed;
use crate::explanation::Explanation;

/// How many texts are explained at once, as the program does it.
const GROUP: usize = 1024;
/// How many requests are remembered with what was made of them.
const REMEMBERED: usize = 8;

/// What was made of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) explainer: Explainer,
    pub(crate) content: RowKind,
}

/// A model on a device, with threads of its own.
#[pyclass(module = "relprop._relprop", frozen)]
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) model: Arc<relprop_checkpoints::Model>,
    pub(crate) workplace: Arc<Workplace>,
    precision: Precision,
    asked: Mutex<Vec<Asked>>,
}

/// The device and the type of float.
fn place(name: &str, dtype: Option<&str>) -> Result<(Device, Precision), Failed> {
    let precision = dtype.unwrap_or(Precision::F32.name()).parse();
    let precision = precision.map_err(|error: relprop_engine::UnknownPrecision| {
        PyValueError::new_err(error.to_string())
    })?;
    Ok((device(name)?, precision))
}

impl Model {
    fn read(
        py: Python<'_>,
        files: impl FnOnce() -> Result<Files, EngineError> + Send,
        name: &str,
        dtype: Option<&str>,
        num_threads: Option<NonZeroUsize>,
    ) -> Result<Self, Failed> {
        let (device, precision) = py.detach(|| place(name, dtype))?;
        let workplace = Workplace {
            threads: Threads::new(num_threads.map(NonZeroUsize::get)),
            is_card: !matches!(name, "cpu" | "ndarray"),
        };
        let read = || precision.read(&files()?, &device);
        let model = Watch::default().run(py, &workplace, None, read)?;
        Ok(Self {
            model: Arc::new(model),
            workplace: Arc::new(workplace),
            precision,
            asked: Mutex::default(),
        })
    }

    /// The request that the keywords are, with an explainer for it.
    pub(crate) fn asked(
        &self,
        py: Python<'_>,
        request: &Bound<'_, PyAny>,
    ) -> Result<Asked, Failed> {
        let request: Request =
            depythonize(request).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let remembered = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = remembered().iter().find(|asked| asked.request == request) {
            return Ok(asked.clone());
        }
        let asked = Watch::default().run(py, &self.workplace, None, || {
            let (plan, content) = request.plan(&self.model)?;
            let explainer = Explainer::new(&self.model, &plan)?;
            Ok::<_, EngineError>(Asked {
                request,
                explainer,
                content,
            })
        })?;
        // Rules in a file may change under the same name.
        if !matches!(&asked.request.rules, Some(relprop_engine::NamedRules::Name(name)) if relprop_engine::is_rules_file(name))
        {
            let mut remembered = remembered();
            remembered.truncate(REMEMBERED - 1);
            remembered.insert(0, asked.clone());
        }
        Ok(asked)
    }
}

#[pymethods]
impl Model {
    /// Opens a folder, or a GGUF file.
    #[staticmethod]
    #[pyo3(signature = (folder, base, device, dtype, num_threads))]
    fn open(
        py: Python<'_>,
        folder: PathBuf,
        base: Option<PathBuf>,
        device: &str,
        dtype: Option<&str>,
        num_threads: Option<NonZeroUsize>,
    ) -> Result<Self, Failed> {
        let files = || {
            let files = Files::in_folder(&folder)?;
            Ok(match base {
                Some(base) => files.with_base(Files::in_folder(&base)?),
                None => files,
            })
        };
        Self::read(py, files, device, dtype, num_threads)
    }

    /// The SHA-256 of the files beside the weights of a folder.
    #[staticmethod]
    fn settings_sha256(py: Python<'_>, folder: PathBuf) -> Result<String, Failed> {
        let files = SETTINGS_FILES.map(|name| Path::new(&folder).join(name));
        let files: Vec<_> = files.into_iter().filter(|file| file.is_file()).collect();
        py.detach(|| Ok(sha256(&files)?))
    }

    #[getter]
    fn sha256(&self) -> Option<&str> {
        self.model.sha256.as_deref()
    }

    #[getter]
    fn family(&self) -> &str {
        self.model.family.name
    }

    #[getter]
    fn labels(&self) -> Vec<&str> {
        let labels = &self.model.transformer.config().labels;
        labels.iter().map(String::as_str).collect()
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.precision.name()
    }

    #[getter]
    fn reads_pictures(&self) -> bool {
        matches!(self.model.input, Input::Pictures(_))
    }

    /// Whether it makes a vector of a text, and decides nothing by itself.
    #[getter]
    fn makes_vectors(&self) -> bool {
        matches!(self.model.transformer.config().head, Head::Vector { .. })
    }

    /// The sites at which relevance can be read, or a rule assigned: pairs of a name and its operation.
    fn sites(&self, py: Python<'_>) -> Result<Vec<(String, Option<&'static str>)>, Failed> {
        Watch::default().run(py, &self.workplace, None, || {
            let sites = self.model.transformer.sites();
            let sites = sites.into_iter().map(|site| (site.name, site.operation));
            Ok::<_, EngineError>(sites.collect())
        })
    }

    /// Checks what may be asked, without a text.
    fn check(&self, py: Python<'_>, request: &Bound<'_, PyAny>) -> Result<(), Failed> {
        self.asked(py, request).map(drop)
    }

    /// Explains texts, each with its second text or answer if these are given.
    #[pyo3(signature = (texts, seconds, request, progress=None))]
    fn explain(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        seconds: Option<Vec<String>>,
        request: &Bound<'_, PyAny>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Vec<Py<PyAny>>, Failed> {
        let asked = self.asked(py, request)?;
        let alone = texts.len() == 1;
        let watch = Watch::default();
        let warnings = Mutex::new(Vec::new());
        let groups = watch.run(py, &self.workplace, progress.as_ref(), || {
            let warn = |text: &str| {
                let mut warnings = warnings.lock().unwrap_or_else(PoisonError::into_inner);
                warnings.push(text.to_owned());
            };
            let worker = Worker::new(
                std::slice::from_ref(&asked.explainer),
                asked.content.clone(),
            );
            let mut worker = worker
                .chatting(asked.request.chat)
                .in_passes(watch.passes());
            let rows = rows(&texts, seconds.as_deref())?;
            let (count, mut groups) = (rows.num_rows(), Vec::new());
            for start in (0..count).step_by(GROUP) {
                let length = GROUP.min(count - start);
                let places = (start + 1..=start + length).map(|row| Place {
                    row: row as u64,
                    line: None,
                });
                let rows = Rows {
                    batch: rows.slice(start, length),
                    places: places.collect(),
                    bad: Vec::new(),
                };
                let group = worker.explain(rows, 0, warn)?;
                if let Some(bad) = group.bad.first() {
                    return Err(EngineError::BadText {
                        text: (!alone).then_some(bad.place.row),
                        reason: bad.reason.clone(),
                    });
                }
                groups.push(group);
            }
            Ok(groups)
        })?;
        for text in warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            let text = std::ffi::CString::new(text).unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 2)?;
        }
        let found = groups.into_iter().flat_map(found);
        found.map(|found| Ok(to_python(py, found)?)).collect()
    }
}

/// What stands in the place of a text in columns of pairs and answers.
pub(crate) const SECOND: &str = "second";

/// The texts as a table, with a column of second texts if there are any.
fn rows(texts: &[String], seconds: Option<&[String]>) -> Result<RecordBatch, EngineError> {
    let column = |texts: &[String]| -> ArrayRef { Arc::new(StringArray::from_iter_values(texts)) };
    let mut columns = vec![("text", column(texts))];
    columns.extend(seconds.map(|seconds| (SECOND, column(seconds))));
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// What was found for each row, with its picture.
fn found(group: Group) -> impl Iterator<Item = (Found, Option<image::DynamicImage>)> {
    let mut pictures = group.pictures.into_iter();
    let found = group.found.into_iter();
    found.map(move |found| (found, pictures.next()))
}

fn to_python(
    py: Python<'_>,
    (found, picture): (Found, Option<image::DynamicImage>),
) -> PyResult<Py<PyAny>> {
    Ok(match found {
        Found::Explanations(mut found) => {
            let found = found.remove(0);
            Py::new(py, Explanation { found, picture })?.into_any()
        }
        Found::Continuation(found) => Py::new(py, Continuation(*found))?.into_any(),
        Found::Labelling(found) => Py::new(py, Labelling(*found))?.into_any(),
        Found::ZeroShot(found) => Py::new(py, ZeroShot(*found))?.into_any(),
    })
}
