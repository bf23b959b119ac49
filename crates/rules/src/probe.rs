//! Where a pass records a signal and, after the backward pass, its gradient.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;

use burn::tensor::{Gradients, Tensor};

use crate::precision::widen;
use crate::{Ledger, RuleError, Signal};

/// Gives the [`Reading`] of a signal, in a box.
type Finish = dyn FnOnce(Option<&Gradients>) -> Box<dyn Any>;

/// A signal that is being watched: it can be read once the gradients are there.
pub struct Probe {
    finish: Box<Finish>,
    /// The relevance of every number, of the reading in the box.
    relevance: fn(Box<dyn Any>) -> Result<Vec<f64>, RuleError>,
}

/// What a probe found: a signal and its gradient, in the same shape, outside autodiff.
#[derive(Clone, Debug)]
pub struct Reading<const D: usize> {
    /// The signal.
    pub signal: Tensor<D>,
    /// The gradient of the target there; zero where nothing flowed back.
    pub gradient: Tensor<D>,
    /// The term that the operation before the signal adds by itself to every position, if there is
    /// one: see [`Operation::added`](crate::Operation::added).
    pub added: Option<Tensor<1>>,
}

impl<const D: usize> Reading<D> {
    /// The relevance: the signal times its gradient, in f32 if their type has fewer digits.
    pub fn relevance(self) -> Tensor<D> {
        widen(self.signal) * widen(self.gradient)
    }
}

impl Probe {
    /// A probe at `signal`, whose gradient `find` finds if something flowed back.
    pub(crate) fn new<const D: usize>(
        signal: Tensor<D>,
        find: impl FnOnce(&Gradients) -> Option<Tensor<D>> + 'static,
    ) -> Self {
        let finish = |gradients: Option<&Gradients>| -> Box<dyn Any> {
            let gradient = gradients.and_then(find);
            Box::new(Reading {
                gradient: gradient.unwrap_or_else(|| signal.zeros_like()),
                signal,
                added: None,
            })
        };
        Self {
            finish: Box::new(finish),
            relevance: |reading| {
                let reading = reading.downcast::<Reading<D>>();
                reading.map_or(Ok(Vec::new()), |reading| reading.relevance().numbers())
            },
        }
    }

    /// What it found: a [`Reading`] of the signal's rank, in a box.
    fn read(self, gradients: Option<&Gradients>) -> Box<dyn Any> {
        (self.finish)(gradients)
    }

    /// The relevance of every number, row by row.
    pub(crate) fn relevance(self, gradients: Option<&Gradients>) -> Result<Vec<f64>, RuleError> {
        (self.relevance)((self.finish)(gradients))
    }
}

/// The probes of a pass: they are requested by site, and filled when the pass reaches the site.
#[derive(Default)]
pub(crate) struct Probes(HashMap<String, Option<Filled>>);

struct Filled {
    probe: Probe,
    added: Option<Tensor<1>>,
}

impl Probes {
    pub(crate) fn request(&mut self, site: String) {
        self.0.insert(site, None);
    }

    /// The sites that were asked for.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Whether one was asked for there.
    pub(crate) fn has(&self, site: &str) -> bool {
        self.0.contains_key(site)
    }

    /// Watches the signal if a probe was asked for here; `added` is what its operation adds.
    pub(crate) fn record<S: Signal>(
        &mut self,
        site: &str,
        signal: S,
        added: impl FnOnce() -> Option<Tensor<1>>,
    ) -> S {
        let Some(slot) = self.0.get_mut(site) else {
            return signal;
        };
        let (signal, probe) = signal.watch();
        let added = added();
        *slot = Some(Filled { probe, added });
        signal
    }

    pub(crate) fn into_relevance(self, gradients: Option<&Gradients>) -> Relevance {
        let filled = self.0.into_iter();
        let read = |(site, filled): (_, Option<Filled>)| {
            let Filled { probe, added } = filled?;
            Some((site, (probe.read(gradients), added)))
        };
        Relevance {
            at_probes: filled.filter_map(read).collect(),
            ledger: None,
        }
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What every probe of a pass found.
#[derive(Debug)]
pub struct Relevance {
    at_probes: HashMap<String, (Box<dyn Any>, Option<Tensor<1>>)>,
    pub(crate) ledger: Option<Result<Ledger, RuleError>>,
}

impl Relevance {
    /// Takes the relevance at `site`: the signal there times its gradient, in the signal's shape,
    /// outside autodiff. It is zero where nothing flowed back.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn take<const D: usize>(&mut self, site: &str) -> Result<Tensor<D>, RuleError> {
        self.read(site).map(Reading::relevance)
    }

    /// Takes the signal at `site` and its gradient.
    ///
    /// # Errors
    ///
    /// [`RuleError::NoProbe`] if no probe was asked for there, if the pass did not reach the site,
    /// or if the signal has another rank than `D`.
    pub fn read<const D: usize>(&mut self, site: &str) -> Result<Reading<D>, RuleError> {
        let missing = || RuleError::NoProbe {
            site: site.to_owned(),
            rank: D,
        };
        let (reading, added) = self.at_probes.remove(site).ok_or_else(missing)?;
        let reading = reading.downcast::<Reading<D>>().map_err(|_| missing())?;
        Ok(Reading { added, ..*reading })
    }

    /// Takes the ledger of the target, if the pass kept one; see
    /// [`Pass::with_ledger`](crate::Pass::with_ledger).
    ///
    /// # Errors
    ///
    /// [`RuleError::Device`] if its numbers could not be computed or read.
    pub fn take_ledger(&mut self) -> Result<Option<Ledger>, RuleError> {
        self.ledger.take().transpose()
    }
}
