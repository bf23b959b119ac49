//! Where a pass records a signal and, after the backward pass, its gradient.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;

use burn::tensor::{Gradients, Tensor};

use crate::{Ledger, RuleError, Signal};

/// A signal times its gradient, as a `Tensor<D>` in a box.
type Finish = dyn FnOnce(Option<&Gradients>) -> Box<dyn Any>;

/// A signal that is being watched: it gives its relevance once the gradients are there.
pub struct Probe(Box<Finish>);

impl Probe {
    /// A probe whose relevance is `finish` of the gradients; of none if nothing was recorded.
    pub(crate) fn new<const D: usize>(
        finish: impl FnOnce(Option<&Gradients>) -> Tensor<D> + 'static,
    ) -> Self {
        Self(Box::new(|gradients| Box::new(finish(gradients))))
    }
}

impl Probe {
    /// The relevance, if `T` is the type of the signal.
    pub(crate) fn relevance<T: 'static>(self, gradients: Option<&Gradients>) -> Option<T> {
        let relevance = (self.0)(gradients).downcast::<T>();
        relevance.ok().map(|tensor| *tensor)
    }
}

/// The probes of a pass: asked for, then filled when the pass comes by.
#[derive(Default)]
pub(crate) struct Probes(HashMap<String, Option<Probe>>);

impl Probes {
    pub(crate) fn request(&mut self, site: String) {
        self.0.insert(site, None);
    }

    pub(crate) fn record<S: Signal>(&mut self, site: &str, signal: S) -> S {
        let Some(slot) = self.0.get_mut(site) else {
            return signal;
        };
        let (signal, probe) = signal.watch();
        *slot = Some(probe);
        signal
    }

    pub(crate) fn into_relevance(self, gradients: Option<&Gradients>) -> Relevance {
        let finished = self.0.into_iter();
        Relevance {
            at_probes: finished
                .filter_map(|(site, probe)| Some((site, (probe?.0)(gradients))))
                .collect(),
            ledger: None,
        }
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The relevance at every probe of a pass.
#[derive(Debug)]
pub struct Relevance {
    at_probes: HashMap<String, Box<dyn Any>>,
    pub(crate) ledger: Option<Ledger>,
}

impl Relevance {
    /// Takes the relevance at `site`: the signal there times its gradient, in the signal's shape,
    /// outside autodiff. It is zero where nothing flowed back.
    ///
    /// # Errors
    ///
    /// [`RuleError::NoProbe`] if no probe was asked for there, the pass did not come by, or the
    /// signal has another rank than `D`.
    pub fn take<const D: usize>(&mut self, site: &str) -> Result<Tensor<D>, RuleError> {
        let missing = || RuleError::NoProbe {
            site: site.to_owned(),
            rank: D,
        };
        let relevance = self.at_probes.remove(site).ok_or_else(missing)?;
        relevance
            .downcast::<Tensor<D>>()
            .map(|tensor| *tensor)
            .map_err(|_| missing())
    }

    /// The account of the target, if the pass was asked to keep one; see
    /// [`Pass::with_ledger`](crate::Pass::with_ledger).
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }
}
