//! One run of a model under a rule set.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Display;

use burn::tensor::Tensor;

use crate::ledger::Account;
use crate::precision::widen;
use crate::probe::Probes;
use crate::{BoundRules, Operation, Relevance, Rows, Signal, Site};

/// One run of a model: it looks up the rule of each site, applies it, and records probes.
///
/// A model's `forward` takes a pass and runs every operation through it. The same code then trains
/// ([`Pass::training`]), predicts ([`Pass::plain`]) and explains ([`Pass::new`]).
#[derive(Debug, Default)]
pub struct Pass<'a> {
    rules: Option<&'a BoundRules>,
    training: bool,
    scope: String,
    rows: Option<Rows>,
    sites: Option<Vec<Site>>,
    substitutes: HashMap<String, Box<dyn Any>>,
    probes: Probes,
    account: Option<Account>,
}

impl<'a> Pass<'a> {
    /// A run under `rules`.
    pub fn new(rules: &'a BoundRules) -> Self {
        Self {
            rules: Some(rules),
            ..Self::default()
        }
    }

    /// A run in which every operation keeps its plain gradient.
    pub fn plain() -> Self {
        Self::default()
    }

    /// A run like [`Pass::plain`] with dropout on.
    pub fn training() -> Self {
        Self {
            training: true,
            ..Self::default()
        }
    }

    /// A run that records the sites of the model; see [`Pass::into_sites`].
    pub fn trace() -> Self {
        Self {
            sites: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Records the signal at `site`, so that its relevance can be read after the backward pass.
    pub fn with_probe(mut self, site: impl Into<String>) -> Self {
        self.probes.request(site.into());
        self
    }

    /// Replaces the signal at `site` by `value`, which must have the same shape. What comes before
    /// the site then has no effect on the run.
    ///
    /// # Panics
    ///
    /// The run panics if the signal there has another rank.
    pub fn with_signal<S: Signal>(mut self, site: impl Into<String>, value: S) -> Self {
        self.substitutes.insert(site.into(), Box::new(value));
        self
    }

    /// Keeps a ledger of the target: what every operation after the first cut absorbed.
    ///
    /// A *cut* is a site that all relevance goes through, such as the output of a block. `cuts` are
    /// given in the order of computation; the first is where relevance is read. The ledger is
    /// balanced from cut to cut. It is one ledger for the whole batch, so run one text alone to
    /// have its own.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use relprop_rules::{Pass, operations::Linear};
    ///
    /// let device = Device::flex();
    /// let map = Linear {
    ///     weight: Tensor::from_data([[3.0], [-1.0]], &device),
    ///     bias: Some(Tensor::from_data([0.5], &device)),
    /// };
    /// let mut pass = Pass::plain().with_ledger(["input"]);
    /// let x = pass.signal("input", Tensor::from_data([[[2.0, 1.0]]], &device));
    /// let y = pass.apply("map", &map, x);
    ///
    /// // 2 * 3 - 1 * 1 + 0.5
    /// let mut relevance = pass.backward(y.sum());
    /// let ledger = relevance.take_ledger().unwrap().unwrap();
    /// assert_eq!((ledger.target, ledger.read(), ledger.unaccounted()), (5.5, 5.0, 0.0));
    /// let bias = ledger.absorbed().next().unwrap();
    /// assert_eq!((bias.site.as_str(), bias.kind, bias.relevance), ("map", "bias", 0.5));
    /// ```
    pub fn with_ledger<S: Into<String>>(mut self, cuts: impl IntoIterator<Item = S>) -> Self {
        self.account = Some(Account::new(cuts.into_iter().map(Into::into).collect()));
        self
    }

    /// Whether dropout is on.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Whether the sites whose names begin with `scope` are needed: for a probe, a replaced signal,
    /// a trace or a ledger. If not, a model may compute less there.
    pub fn is_watched(&self, scope: &str) -> bool {
        self.account.is_some() || self.names(scope)
    }

    /// Whether a probe, a replaced signal or a trace names sites that begin with `scope`, seen from the
    /// [scope](Pass::within) that the run is in. If not, a model may leave them out where they change nothing.
    pub fn is_named(&self, scope: impl Display) -> bool {
        self.names(&format!("{}{scope}", self.scope))
    }

    fn names(&self, scope: &str) -> bool {
        let mut named = self.substitutes.keys().chain(self.probes.sites());
        self.sites.is_some() || named.any(|site| site.starts_with(scope))
    }

    /// Runs `body` with `scope` and a dot before the name of every site in it.
    pub fn within<T>(&mut self, scope: impl Display, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.scope.len();
        self.scope.push_str(&format!("{scope}."));
        let result = body(self);
        self.scope.truncate(outer);
        result
    }

    /// Runs `body`, which computes some tokens of a batch alone, in signals `[1, row, feature]`. What is read or
    /// replaced at its sites has the layout of the batch all the same, `[batch, position, feature]`: it is zero
    /// at other tokens.
    pub fn within_rows<T>(&mut self, rows: &Rows, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.rows.replace(rows.clone());
        let result = body(self);
        self.rows = outer;
        result
    }

    /// Runs `operation` under the rule of `site`.
    ///
    /// # Panics
    ///
    /// If the rules were bound to the sites of another model, and have none for this site.
    pub fn apply<O: Operation>(&mut self, site: &str, operation: &O, input: O::Input) -> O::Output {
        let site = format!("{}{site}", self.scope);
        let rules = self.rules;
        let run = |operation: &O, input| match rules {
            None => operation.forward(input),
            Some(rules) => rules.rule::<O>(&site).apply(operation, input),
        };
        let output = match &mut self.account {
            None => run(operation, input),
            Some(account) => account.apply(&site, operation, input, run),
        };
        let added = || {
            let mut operation = operation.clone();
            let (_, term) = operation.added()?;
            Some(widen(term.clone()))
        };
        let operation = (O::NAME, TypeId::of::<O>());
        self.record(site, Some(operation), output, added)
    }

    /// Names a signal between operations, so that relevance can be read there.
    pub fn signal<S: Signal>(&mut self, site: &str, signal: S) -> S {
        let site = format!("{}{site}", self.scope);
        let signal = match &mut self.account {
            None => signal,
            Some(account) => account.signal(&site, signal),
        };
        self.record(site, None, signal, || None)
    }

    fn record<S: Signal>(
        &mut self,
        name: String,
        operation: Option<(&'static str, TypeId)>,
        x: S,
        added: impl FnOnce() -> Option<Tensor<1>>,
    ) -> S {
        let x = match self.substitutes.remove(&name) {
            None => x,
            Some(value) => match value.downcast::<S>() {
                Ok(value) => match &self.rows {
                    None => *value,
                    Some(rows) => value.rows(rows),
                },
                Err(_) => panic!("the signal at `{name}` has another rank than its substitute"),
            },
        };
        if let Some(sites) = &mut self.sites {
            sites.push(Site {
                name: name.clone(),
                operation: operation.map(|(name, _)| name),
                shape: match &self.rows {
                    None => x.shape(),
                    Some(rows) => x.clone().in_batch(rows).shape(),
                },
                kind: operation.map(|(_, kind)| kind),
            });
        }
        let x = match &mut self.account {
            None => x,
            Some(account) => account.cut(&name, x),
        };
        match &self.rows {
            Some(rows) if self.probes.has(&name) => {
                let whole = x.in_batch(rows);
                self.probes.record(&name, whole, added).rows(rows)
            }
            _ => self.probes.record(&name, x, added),
        }
    }

    /// The sites that a [trace](Pass::trace) recorded, in the order of computation; empty for any
    /// other run.
    pub fn into_sites(self) -> Vec<Site> {
        self.sites.unwrap_or_default()
    }

    /// The signals that the probes recorded, after the forward pass alone; all gradients are zero.
    pub fn into_readings(self) -> Relevance {
        self.probes.into_relevance(None)
    }

    /// Runs the backward pass from `target`, a single number, and returns the relevance at every
    /// probe.
    pub fn backward(self, target: Tensor<1>) -> Relevance {
        // If every path from the probes to the target is detached, nothing is recorded.
        let value = target.clone();
        let gradients = target.is_tracked().then(|| target.backward());
        let mut relevance = self.probes.into_relevance(gradients.as_ref());
        relevance.ledger = self.account.map(|account| {
            let target = value.numbers()?.into_iter().sum();
            account.close(target, gradients.as_ref())
        });
        relevance
    }
}
