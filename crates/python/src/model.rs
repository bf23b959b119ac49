//! A model, and what is asked of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use relprop_checkpoints::{Files, Input, SETTINGS_FILES, Towers, sha256};
use relprop_engine::{
    AnyModel, CompareRequest, EngineError, Found, FoundText, Precision, Request, RowKind, Threads,
    Worker, device,
};
use relprop_explain::Explainer;
use relprop_transformer::Head;

use crate::compute::{Watch, Workplace};
use crate::documents::{Continuation, Labelling, ZeroShot};
use crate::errors::Failed;
use crate::explanation::Explanation;
use crate::json::of_python;
use crate::warnings::warn;

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

/// A model on a device, whether it is one or has two towers, with threads of its own.
#[pyclass(module = "relprop._relprop", frozen)]
#[derive(Debug)]
pub(crate) struct Model {
    model: AnyModel,
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
        let read = || precision.read_any(&files()?, &device);
        let model = Watch::default().run(py, &workplace, None, read)?;
        Ok(Self {
            model,
            workplace: Arc::new(workplace),
            precision,
            asked: Mutex::default(),
        })
    }

    /// The model, if it is one.
    pub(crate) fn one(&self) -> Result<&Arc<relprop_checkpoints::Model>, Failed> {
        match &self.model {
            AnyModel::One(model) => Ok(model),
            AnyModel::Towers(_) => Err(PyValueError::new_err(
                "the model has two towers, one for pictures and one for texts: explainer.compare(picture, texts) explains it",
            )
            .into()),
        }
    }

    /// The towers, if it has two.
    pub(crate) fn towers(&self) -> Result<&Arc<Towers>, Failed> {
        match &self.model {
            AnyModel::Towers(towers) => Ok(towers),
            AnyModel::One(_) => Err(PyValueError::new_err(
                "the model has no two towers, so it compares no picture with texts: call the explainer itself",
            )
            .into()),
        }
    }

    /// The request that the keywords are, with an explainer for it.
    pub(crate) fn asked(
        &self,
        py: Python<'_>,
        request: &Bound<'_, PyAny>,
    ) -> Result<Asked, Failed> {
        let model = self.one()?;
        let request: Request = of_python(request)?;
        let remembered = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = remembered().iter().find(|asked| asked.request == request) {
            return Ok(asked.clone());
        }
        let asked = Watch::default().run(py, &self.workplace, None, || {
            let (plan, content) = request.plan(model)?;
            let explainer = Explainer::new(model, &plan)?;
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
        match &self.model {
            AnyModel::One(model) => model.sha256.as_deref(),
            AnyModel::Towers(towers) => towers.picture.sha256.as_deref(),
        }
    }

    #[getter]
    fn family(&self) -> &str {
        match &self.model {
            AnyModel::One(model) => model.family.name,
            AnyModel::Towers(towers) => towers.family,
        }
    }

    #[getter]
    fn labels(&self) -> Vec<&str> {
        match &self.model {
            AnyModel::One(model) => {
                let labels = &model.transformer.config().labels;
                labels.iter().map(String::as_str).collect()
            }
            AnyModel::Towers(_) => Vec::new(),
        }
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.precision.name()
    }

    #[getter]
    fn reads_pictures(&self) -> bool {
        match &self.model {
            AnyModel::One(model) => matches!(model.input, Input::Pictures(_)),
            AnyModel::Towers(_) => true,
        }
    }

    /// Whether it makes a vector of a text, and decides nothing by itself.
    #[getter]
    fn makes_vectors(&self) -> bool {
        match &self.model {
            AnyModel::One(model) => {
                matches!(model.transformer.config().head, Head::Vector { .. })
            }
            AnyModel::Towers(_) => false,
        }
    }

    /// Whether it compares pictures with texts.
    #[getter]
    fn has_towers(&self) -> bool {
        matches!(self.model, AnyModel::Towers(_))
    }

    /// The sites at which relevance can be read, or a rule assigned: pairs of a name and its operation. Of two towers, those of
    /// the one that is named.
    #[pyo3(signature = (tower=None))]
    fn sites(
        &self,
        py: Python<'_>,
        tower: Option<&str>,
    ) -> Result<Vec<(String, Option<&'static str>)>, Failed> {
        let model: &relprop_checkpoints::Model = match (&self.model, tower) {
            (AnyModel::One(model), None) => model,
            (AnyModel::Towers(towers), Some("picture")) => &towers.picture,
            (AnyModel::Towers(towers), Some("text")) => &towers.text,
            (AnyModel::One(_), Some(_)) => {
                return Err(PyValueError::new_err("the model has no two towers: name none").into());
            }
            (AnyModel::Towers(_), _) => {
                let message = "the model has two towers: name one, \"picture\" or \"text\"";
                return Err(PyValueError::new_err(message).into());
            }
        };
        Watch::default().run(py, &self.workplace, None, || {
            let sites = model.transformer.sites();
            let sites = sites.into_iter().map(|site| (site.name, site.operation));
            Ok::<_, EngineError>(sites.collect())
        })
    }

    /// Checks what may be asked, without a text.
    fn check(&self, py: Python<'_>, request: &Bound<'_, PyAny>) -> Result<(), Failed> {
        let AnyModel::Towers(towers) = &self.model else {
            return self.asked(py, request).map(drop);
        };
        let request: CompareRequest = of_python(request)?;
        Watch::default().run(py, &self.workplace, None, || request.open(towers).map(drop))
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
        let warnings = warnings.into_inner();
        warn(py, warnings.unwrap_or_else(PoisonError::into_inner))?;
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
        Found::Continuation(found) => Py::new(py, Continuation((*found).into()))?.into_any(),
        Found::Labelling(found) => Py::new(py, Labelling((*found).into()))?.into_any(),
        Found::ZeroShot(found) => Py::new(py, ZeroShot((*found).into()))?.into_any(),
    })
}
