//! A pool of relprop's own threads.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::EngineError;

/// The threads that a model computes on.
///
/// A front end inside another program's process, such as a notebook or a server, computes inside
/// [`Threads::run`]. Then the process's own threads stay free, and an operation need not wake a
/// thread first.
///
/// A child process made by `fork` has none of its parent's threads, and would wait for them for
/// ever. So the child starts new threads on its first run.
#[derive(Debug)]
pub struct Threads {
    /// How many threads; if it is none, as many as there are cores.
    count: Option<usize>,
    /// The threads, and the process that started them.
    started: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Threads {
    /// A pool of `count` threads, or of as many as there are cores. They start with the first run.
    pub const fn new(count: Option<usize>) -> Self {
        Self {
            count,
            started: Mutex::new(None),
        }
    }

    /// Runs `work` on these threads, and waits for it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Threads`] if the system cannot start threads.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, EngineError> {
        Ok(self.pool()?.install(work))
    }

    fn pool(&self) -> Result<Arc<ThreadPool>, EngineError> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        match &*started {
            Some((process, pool)) if *process == process::id() => Ok(Arc::clone(pool)),
            _ => {
                let threads = ThreadPoolBuilder::new()
                    .num_threads(self.count.unwrap_or(0))
                    .thread_name(|index| format!("relprop-{index}"))
                    .build();
                let threads = threads.map_err(|error| EngineError::Threads(error.to_string()))?;
                let pool = Arc::new(threads);
                let parents = started.replace((process::id(), Arc::clone(&pool)));
                // Dropping a pool tells its threads to end. Here they are the parent's threads,
                // which do not exist in this process.
                std::mem::forget(parents);
                Ok(pool)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_as_many_threads_as_were_asked_for() {
        let threads = Threads::new(Some(3));
        let count = threads.run(rayon::current_num_threads).unwrap();
        assert_eq!(count, 3);
    }
}
