//! Work beside the interpreter: its lock is free while relprop computes, and Ctrl-C ends the work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use relprop_engine::{EngineError, Threads, caught};
use relprop_explain::ExplainError;
use relprop_explain::batching::Passes;

use crate::errors::Failed;

/// How often a caller looks for signals while it waits.
const TICK: Duration = Duration::from_millis(25);

/// Burn loses tensors where several threads use one card.
static CARD: Mutex<()> = Mutex::new(());

/// Where work is done.
#[derive(Debug)]
pub(crate) struct Workplace {
    pub(crate) threads: Threads,
    /// Whether it is a card, which only one thread may use at a time.
    pub(crate) is_card: bool,
}

impl Workplace {
    /// Does `work` on the threads, and returns a panic as an error. Does not touch the interpreter.
    pub(crate) fn run<T: Send, E: Send + From<EngineError>>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> Result<T, E> {
        let _card = self
            .is_card
            .then(|| CARD.lock().unwrap_or_else(PoisonError::into_inner));
        match caught(|| self.threads.run(work)) {
            Ok(done) => done.map_err(E::from)?,
            Err(fault) => Err(EngineError::from(fault).into()),
        }
    }
}

/// Work that can be watched and cancelled.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    cancelled: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
}

impl Watch {
    /// Passes that stop when the work is cancelled, and count their texts.
    pub(crate) fn passes(&self) -> Passes {
        Passes::until(Arc::clone(&self.cancelled)).counting(Arc::clone(&self.done))
    }

    /// Counts texts, or what else is done one after another.
    pub(crate) fn add(&self, done: usize) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// Ends work that was cancelled.
    pub(crate) fn go_on(&self) -> Result<(), ExplainError> {
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(ExplainError::Cancelled),
            false => Ok(()),
        }
    }

    /// Does `work` while this thread waits for it without the interpreter's lock. From time to time it looks
    /// for signals, and calls `progress` with the number of texts that are done. An exception of either
    /// cancels the work, and is raised when it has stopped.
    pub(crate) fn run<T: Send, E: Send + From<EngineError> + Into<Failed>>(
        &self,
        py: Python<'_>,
        workplace: &Workplace,
        progress: Option<&Py<PyAny>>,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> Result<T, Failed> {
        let look = |py: Python<'_>| {
            py.check_signals()?;
            match progress {
                Some(progress) => progress
                    .call1(py, (self.done.load(Ordering::Relaxed),))
                    .map(drop),
                None => Ok(()),
            }
        };
        let found = py.detach(|| {
            thread::scope(|scope| {
                let (send, receive) = channel();
                scope.spawn(move || send.send(workplace.run(work)));
                let mut stopped = None;
                loop {
                    match (receive.recv_timeout(TICK), stopped) {
                        (Ok(_), Some(error)) => return Err(Failed::from(error)),
                        (Ok(found), None) => return Ok(found),
                        (Err(RecvTimeoutError::Timeout), None) => {
                            stopped = Python::attach(look).err();
                            self.cancelled.store(stopped.is_some(), Ordering::Relaxed);
                        }
                        (Err(RecvTimeoutError::Timeout), waiting) => stopped = waiting,
                        (Err(RecvTimeoutError::Disconnected), _) => {
                            let lost = "the thread that computes was lost";
                            return Err(PyRuntimeError::new_err(lost).into());
                        }
                    }
                }
            })
        })?;
        let done = found.map_err(Into::into)?;
        look(py)?;
        Ok(done)
    }
}
