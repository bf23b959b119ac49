//! Errors as exceptions of Python, with the library's own sentences.

use std::error::Error;

use pyo3::exceptions::{PyFileNotFoundError, PyKeyError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::{PyErr, create_exception};
use relprop_checkpoints::CheckpointError;
use relprop_data::DataError;
use relprop_engine::EngineError;
use relprop_explain::ExplainError;
use relprop_rules::RuleError;

create_exception!(
    relprop,
    ModelError,
    PyValueError,
    "A model's files cannot be understood."
);
create_exception!(
    relprop,
    DeviceError,
    PyRuntimeError,
    "A device failed, is not there, or is not compiled in."
);

/// An error of relprop on its way to Python.
#[derive(Debug)]
pub(crate) struct Failed(PyErr);

impl From<Failed> for PyErr {
    fn from(failed: Failed) -> Self {
        failed.0
    }
}

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Self {
        let text = error.to_string();
        match error {
            EngineError::Checkpoint(error) => error.into(),
            EngineError::Explain(error) => error.into(),
            EngineError::Data(error) => error.into(),
            EngineError::NoColumn { .. } => Self(PyKeyError::new_err(text)),
            EngineError::RulesFile { source, .. } => Self(io(&source, text)),
            EngineError::Picture { error, .. } => Self(match error.downcast_ref() {
                Some(error) => io(error, text),
                None => PyValueError::new_err(text),
            }),
            EngineError::NoHub(_) => Self(PyFileNotFoundError::new_err(text)),
            EngineError::NoDevice
            | EngineError::DeviceNotCompiledIn { .. }
            | EngineError::DeviceNotFound { .. }
            | EngineError::NoSuchDevice { .. }
            | EngineError::Precision { .. }
            | EngineError::Fault(_) => Self(DeviceError::new_err(text)),
            EngineError::Threads(_) => Self(PyRuntimeError::new_err(text)),
            _ => Self(PyValueError::new_err(text)),
        }
    }
}

impl From<CheckpointError> for Failed {
    fn from(error: CheckpointError) -> Self {
        let text = chain(&error);
        Self(match error {
            CheckpointError::NoFolder(_) | CheckpointError::NoFile { .. } => {
                PyFileNotFoundError::new_err(text)
            }
            CheckpointError::Io { source, .. } => io(&source, text),
            _ => ModelError::new_err(text),
        })
    }
}

impl From<ExplainError> for Failed {
    fn from(error: ExplainError) -> Self {
        let text = error.to_string();
        Self(match error {
            ExplainError::Device(_) => DeviceError::new_err(text),
            _ => PyValueError::new_err(text),
        })
    }
}

impl From<DataError> for Failed {
    fn from(error: DataError) -> Self {
        let text = error.to_string();
        Self(match error {
            DataError::Missing { .. } => PyFileNotFoundError::new_err(text),
            DataError::Io { error, .. } => io(&error, text),
            DataError::NoColumn { .. } => PyKeyError::new_err(text),
            _ => PyValueError::new_err(text),
        })
    }
}

impl From<RuleError> for Failed {
    fn from(error: RuleError) -> Self {
        Self(PyValueError::new_err(error.to_string()))
    }
}

/// What the system said, as the kind of OSError that it is.
fn io(error: &std::io::Error, text: String) -> PyErr {
    match error.kind() {
        std::io::ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// The sentence of an error, with those of its sources that it does not repeat.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        next = source.source();
    }
    text
}
