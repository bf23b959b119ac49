//! The ledger of a target: what each operation absorbed in the backward pass.
//!
//! The relevance of an operation's output either goes to its inputs, or it is absorbed:
//!
//! ```text
//! absorbed = R(y) - sum_i R(x_i)
//! ```
//!
//! A part of it belongs to the term that the operation adds by itself, a bias b or a shift beta,
//! whose relevance is R(b) = b * df/db. The rest depends on the operation and its rule. A *cut* is
//! a place that all relevance goes through. Between two cuts, the difference of relevance must be
//! what the operations in between absorbed; any other difference is unaccounted.

use burn::tensor::Gradients;

use crate::{Operation, RuleError, Signal, Signals, Watched};

/// Where the target went: the relevance at each cut, and what operations absorbed between cuts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The value that was propagated back.
    pub target: f64,
    /// One for each cut, from the place where relevance was read to the target.
    pub stages: Vec<Stage>,
}

/// The stretch of a model from one cut to the next, or to the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The cut at its start.
    pub site: String,
    /// The relevance there.
    pub relevance: f64,
    /// What its operations absorbed, in the order of computation. Zeros are left out.
    pub absorbed: Vec<Absorbed>,
    /// The relevance at its end minus the two above: 0 up to rounding, unless something was
    /// computed outside the pass.
    pub unaccounted: f64,
}

/// Relevance that stayed in an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Absorbed {
    /// Where.
    pub site: String,
    /// The name of the operation; none for a signal that does not come from the first cut.
    pub operation: Option<&'static str>,
    /// What absorbed it: `bias`, or the operation's [`ABSORBS`](Operation::ABSORBS).
    pub kind: &'static str,
    /// How much; negative where the operation created relevance.
    pub relevance: f64,
}

impl Ledger {
    /// The relevance where it was read, at the first cut.
    pub fn read(&self) -> f64 {
        self.stages.first().map_or(0.0, |stage| stage.relevance)
    }

    /// Everything that was absorbed, in the order of computation.
    pub fn absorbed(&self) -> impl Iterator<Item = &Absorbed> {
        self.stages.iter().flat_map(|stage| &stage.absorbed)
    }

    /// The target minus what was read and what was absorbed.
    pub fn unaccounted(&self) -> f64 {
        let absorbed: f64 = self.absorbed().map(|entry| entry.relevance).sum();
        self.target - self.read() - absorbed
    }
}

/// A ledger in the making: it is summed up once the gradients are there.
pub(crate) struct Account {
    cuts: Vec<String>,
    lines: Vec<Line>,
}

enum Line {
    Cut {
        site: String,
        relevance: Watched,
    },
    Operation {
        site: String,
        name: &'static str,
        absorbs: &'static str,
        output: Watched,
        inputs: Watched,
        /// The term that it adds by itself, and the kind of it.
        added: Option<(&'static str, Watched)>,
    },
    Signal {
        site: String,
        relevance: Watched,
    },
}

impl Account {
    pub(crate) fn new(cuts: Vec<String>) -> Self {
        Self {
            cuts,
            lines: Vec::new(),
        }
    }

    /// Runs an operation, and watches its output, its inputs and the term that it adds by itself.
    pub(crate) fn apply<O: Operation>(
        &mut self,
        site: &str,
        operation: &O,
        input: O::Input,
        run: impl FnOnce(&O, O::Input) -> O::Output,
    ) -> O::Output {
        let mut inputs = Watched::tracked_only();
        let input = input.watch_each(&mut inputs);
        if inputs.is_empty() {
            // This operation does not depend on the first cut.
            return run(operation, input);
        }
        let mut operation = operation.clone();
        let added = operation.added().map(|(kind, term)| {
            let mut watched = Watched::default();
            *term = watched.watch(term.clone());
            (kind, watched)
        });
        let mut output = Watched::tracked_only();
        let value = output.watch(run(&operation, input));
        self.lines.push(Line::Operation {
            site: site.to_owned(),
            name: O::NAME,
            absorbs: O::ABSORBS,
            output,
            inputs,
            added,
        });
        value
    }

    /// Handles a signal between operations. A signal that does not depend on the first cut has
    /// relevance of its own: position embeddings, for example, if relevance is read at the word
    /// embeddings.
    pub(crate) fn signal<S: Signal>(&mut self, site: &str, signal: S) -> S {
        let begun = !self.lines.is_empty();
        if !begun || signal.is_tracked() {
            return signal;
        }
        let mut relevance = Watched::default();
        let signal = relevance.watch(signal);
        self.lines.push(Line::Signal {
            site: site.to_owned(),
            relevance,
        });
        signal
    }

    /// Records the relevance at `site`, if it is a cut.
    pub(crate) fn cut<S: Signal>(&mut self, site: &str, signal: S) -> S {
        if !self.cuts.iter().any(|cut| cut == site) {
            return signal;
        }
        let mut relevance = Watched::default();
        let signal = relevance.watch(signal);
        self.lines.push(Line::Cut {
            site: site.to_owned(),
            relevance,
        });
        signal
    }

    pub(crate) fn close(
        self,
        target: f64,
        gradients: Option<&Gradients>,
    ) -> Result<Ledger, RuleError> {
        let mut stages: Vec<Stage> = Vec::new();
        for line in self.lines {
            if let Line::Cut { site, relevance } = line {
                stages.push(Stage {
                    site,
                    relevance: relevance.total(gradients)?,
                    absorbed: Vec::new(),
                    unaccounted: 0.0,
                });
            } else if let Some(stage) = stages.last_mut() {
                stage.absorbed.extend(line.close(gradients)?);
            }
        }
        let ends = stages.iter().skip(1).map(|stage| stage.relevance);
        let ends: Vec<f64> = ends.chain([target]).collect();
        for (stage, end) in stages.iter_mut().zip(ends) {
            let absorbed: f64 = stage.absorbed.iter().map(|entry| entry.relevance).sum();
            stage.unaccounted = end - stage.relevance - absorbed;
        }
        Ok(Ledger { target, stages })
    }
}

impl Line {
    /// What was absorbed here.
    fn close(self, gradients: Option<&Gradients>) -> Result<Vec<Absorbed>, RuleError> {
        let mut entries = Vec::new();
        let mut enter = |site: &str, operation, kind, relevance| {
            if relevance != 0.0 {
                entries.push(Absorbed {
                    site: site.to_owned(),
                    operation,
                    kind,
                    relevance,
                });
            }
        };
        match self {
            Self::Cut { .. } => {}
            Self::Signal { site, relevance } => {
                enter(&site, None, "input", relevance.total(gradients)?);
            }
            Self::Operation {
                site,
                name,
                absorbs,
                output,
                inputs,
                added,
            } => {
                let mut rest = output.total(gradients)? - inputs.total(gradients)?;
                if let Some((kind, term)) = added {
                    let relevance = term.total(gradients)?;
                    rest -= relevance;
                    enter(&site, Some(name), kind, relevance);
                }
                enter(&site, Some(name), absorbs, rest);
            }
        }
        Ok(entries)
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("cuts", &self.cuts)
            .finish_non_exhaustive()
    }
}
