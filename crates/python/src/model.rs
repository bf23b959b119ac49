//! A model, and what is asked of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;
use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pythonize::depythonize;
use relprop_checkpoints::{Files, Input, SETTINGS_FILES, sha256};
use relprop_engine::{
    EngineError, Found, FoundText, Precision, Request, RowKind, Threads, Worker, device,
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
        let found = watch.run(py, &self.workplace, progress.as_ref(), || {
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
            let seconds = seconds.as_deref();
            let mut all = Vec::with_capacity(texts.len());
            for start in (0..texts.len()).step_by(GROUP) {
                let group = start..texts.len().min(start + GROUP);
                let found = worker.explain_texts(
                    some(&texts[group.clone()]),
                    seconds.map(|seconds| some(&seconds[group.clone()])),
                    warn,
                )?;
                for (place, found) in group.zip(found) {
                    all.push(found.map_err(|reason| EngineError::BadText {
                        text: (!alone).then_some(place as u64 + 1),
                        reason,
                    })?);
                }
            }
            Ok::<_, EngineError>(all)
        })?;
        for text in warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            let text = std::ffi::CString::new(text).unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 2)?;
        }
        let found = found.into_iter();
        found.map(|found| Ok(to_python(py, found)?)).collect()
    }
}

fn some(texts: &[String]) -> Vec<Option<&str>> {
    texts.iter().map(|text| Some(text.as_str())).collect()
}

fn to_python(py: Python<'_>, FoundText { found, picture, .. }: FoundText) -> PyResult<Py<PyAny>> {
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
