//! The tensors that an operation takes, watched one by one.

use burn::tensor::{Gradients, Tensor};

use crate::{RuleError, Signal};

/// The tensors that an operation takes: one, or several in a tuple or a list.
pub trait Signals: Clone {
    /// The same tensors, each watched.
    fn watch_each(self, watched: &mut Watched) -> Self;
}

/// Reads the relevance of one watched tensor.
type Read = Box<dyn FnOnce(Option<&Gradients>) -> Result<Vec<f64>, RuleError>>;

/// Tensors that are being watched, to read their relevance after the backward pass.
#[derive(Default)]
pub struct Watched {
    reads: Vec<Read>,
    tracked_only: bool,
}

impl Watched {
    /// Watches only tensors that autodiff tracks already, and leaves constants alone.
    pub(crate) fn tracked_only() -> Self {
        Self {
            tracked_only: true,
            ..Self::default()
        }
    }

    /// Watches one tensor.
    pub fn watch<S: Signal>(&mut self, signal: S) -> S {
        if self.tracked_only && !signal.is_tracked() {
            return signal;
        }
        let (signal, probe) = signal.watch();
        self.reads
            .push(Box::new(|gradients| probe.relevance(gradients)));
        signal
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// The relevance of every number of every tensor.
    pub(crate) fn relevance(self, gradients: Option<&Gradients>) -> Result<Vec<f64>, RuleError> {
        let mut relevance = Vec::new();
        for read in self.reads {
            relevance.extend(read(gradients)?);
        }
        Ok(relevance)
    }

    /// The sum of all relevance.
    pub(crate) fn total(self, gradients: Option<&Gradients>) -> Result<f64, RuleError> {
        Ok(self.relevance(gradients)?.into_iter().sum())
    }
}

impl<const D: usize> Signals for Tensor<D> {
    fn watch_each(self, watched: &mut Watched) -> Self {
        watched.watch(self)
    }
}

impl<A: Signals, B: Signals> Signals for (A, B) {
    fn watch_each(self, watched: &mut Watched) -> Self {
        (self.0.watch_each(watched), self.1.watch_each(watched))
    }
}

impl<A: Signals> Signals for Vec<A> {
    fn watch_each(self, watched: &mut Watched) -> Self {
        self.into_iter()
            .map(|signal| signal.watch_each(watched))
            .collect()
    }
}
