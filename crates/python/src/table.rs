//! Tables: Arrow batches in, Arrow batches out.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_pyarrow::{FromPyArrow, ToPyArrow};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use relprop_data::{Source, batches, text_column};
use relprop_engine::{BadRows, ExplainedTable, TablePlan};

use crate::compute::{Watch, Workplace};
use crate::errors::Failed;
use crate::json::of_python;
use crate::model::Model;

/// The name of a table in errors.
const NAME: &str = "the table";

type Rows = ExplainedTable<Box<dyn Source + Send>>;

/// A table with the explanations of its texts beside its columns. It is computed as it is read, a batch at a
/// time, and can be read once: iterate over it for pyarrow batches, or give it to whatever takes Arrow
/// (``pyarrow.table(t)``, ``polars.DataFrame(t)``).
#[pyclass(module = "relprop", frozen)]
pub(crate) struct Table {
    reader: Mutex<State>,
    progress: Option<Py<PyAny>>,
    schema: SchemaRef,
}

/// How far a table is read.
enum State {
    Open(Box<Reader>),
    /// A thread reads it, or its stream was handed out.
    Taken,
    Finished,
}

/// The rows that are still to be read. It holds nothing of Python: who reads an Arrow stream may have given the
/// interpreter's lock back without PyO3's knowledge.
struct Reader {
    rows: Rows,
    workplace: Arc<Workplace>,
    watch: Arc<Watch>,
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.workplace.run(|| self.rows.read());
        read.map_err(|error| ArrowError::ExternalError(error.into()))
            .transpose()
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.rows.schema())
    }
}

impl Table {
    /// Leaves `next` in the place of what there is.
    fn put(&self, next: State) -> State {
        let mut state = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *state, next)
    }

    /// Hands the rows out, which can be done once.
    fn take(&self) -> PyResult<Box<Reader>> {
        match self.put(State::Taken) {
            State::Open(reader) => Ok(reader),
            State::Taken => Err(PyValueError::new_err("the table is being read elsewhere")),
            State::Finished => {
                self.put(State::Finished);
                Err(PyValueError::new_err(
                    "the table was read already: it is computed as it is read, once",
                ))
            }
        }
    }
}

/// Explains the texts in a column of what is an Arrow stream.
#[pyfunction]
#[pyo3(signature = (model, data, column, request, batch_size, errors, progress=None))]
pub(crate) fn table(
    model: &Bound<'_, Model>,
    data: &Bound<'_, PyAny>,
    column: Option<&str>,
    request: &Bound<'_, PyAny>,
    batch_size: NonZeroUsize,
    errors: &Bound<'_, PyAny>,
    progress: Option<Py<PyAny>>,
) -> Result<Table, Failed> {
    let py = model.py();
    let asked = model.get().asked(py, request)?;
    let bad: BadRows = of_python(errors)?;
    let stream = RecordBatchStreamReader::from_pyarrow_bound(data)?;
    let schema = stream.schema();
    let column = text_column(&schema, column, NAME.as_ref())?;
    let source: Box<dyn Source + Send> = Box::new(batches(stream, &schema, NAME));
    let plan = TablePlan {
        explainer: asked.explainer,
        content: asked.content,
        chat: asked.request.chat,
        group: batch_size,
        bad,
    };
    let watch = Arc::new(Watch::default());
    let passes = watch.passes();
    let rows = watch.run(py, &model.get().workplace, None, || {
        ExplainedTable::new(source, column, plan, passes)
    })?;
    Ok(Table {
        schema: Arc::clone(rows.schema()),
        reader: Mutex::new(State::Open(Box::new(Reader {
            rows,
            workplace: Arc::clone(&model.get().workplace),
            watch,
        }))),
        progress,
    })
}

#[pymethods]
impl Table {
    /// The columns: a ``pyarrow.Schema``. It is known before the first row is explained.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.schema.to_pyarrow(py)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>, Failed> {
        let py = slf.py();
        if let Ok(pyarrow) = py.import("pyarrow") {
            // Its reader knows how to take the interpreter's lock, so that Ctrl-C and progress work.
            let reader = pyarrow.getattr("RecordBatchReader")?;
            let reader = reader.call_method1("from_batches", (slf.get().schema(py)?, slf))?;
            return Ok(reader.call_method1("__arrow_c_stream__", (requested_schema,))?);
        }
        // A consumer may ask for other types, and must take these if it is not given them.
        let _ = requested_schema;
        let stream = FFI_ArrowArrayStream::new(slf.get().take()?);
        Ok(PyCapsule::new_with_value(py, stream, c"arrow_array_stream")?.into_any())
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let reader = slf.get().take()?;
        slf.get().put(State::Open(reader));
        Ok(slf)
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyAny>>, Failed> {
        let state = self.put(State::Taken);
        if let State::Finished = state {
            self.put(state);
            return Ok(None);
        }
        let State::Open(mut reader) = state else {
            return Err(PyValueError::new_err("the table is being read elsewhere").into());
        };
        let Reader {
            rows,
            workplace,
            watch,
        } = &mut *reader;
        let batch = watch.run(py, workplace, self.progress.as_ref(), || rows.read());
        self.put(match batch {
            Ok(Some(_)) => State::Open(reader),
            Ok(None) | Err(_) => State::Finished,
        });
        Ok(batch?.map(|batch| batch.to_pyarrow(py)).transpose()?)
    }

    /// All rows as a ``pyarrow.Table``.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let table = py.import("pyarrow")?.getattr("Table")?;
        table.call_method1("from_batches", (slf.try_iter()?, slf.get().schema(py)?))
    }

    /// All rows as a ``pandas.DataFrame``.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::to_pyarrow(slf)?.call_method0("to_pandas")
    }

    /// All rows as a ``polars.DataFrame``.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.call_method1("DataFrame", (slf,))
    }

    /// Writes all rows to a Parquet file, a batch at a time.
    fn to_parquet<'py>(slf: &Bound<'py, Self>, path: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let parquet = py.import("pyarrow.parquet")?;
        let schema = slf.get().schema(py)?;
        let options = PyDict::new(py);
        options.set_item("compression", "zstd")?;
        let writer = parquet.call_method("ParquetWriter", (path, schema), Some(&options))?;
        let mut written = Ok(());
        for batch in slf.try_iter()? {
            written =
                batch.and_then(|batch| writer.call_method1("write_batch", (batch,)).map(drop));
            if written.is_err() {
                break;
            }
        }
        writer.call_method0("close")?;
        written
    }
}
