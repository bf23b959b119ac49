//! Operations, for which rules can be chosen, and the sites where they stand in a network.

use std::any::TypeId;

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use crate::{Probe, RuleError, Signals};

/// One step of a network, with its parameters, for which a [`Rule`](crate::Rule) can be chosen.
pub trait Operation: Clone + 'static {
    /// The name in rule sets: `linear`, `norm`, `attention-weights`.
    const NAME: &'static str;

    /// What a [`Ledger`](crate::Ledger) calls the relevance that this operation does not pass on to
    /// its inputs, apart from that of the term that it adds.
    const ABSORBS: &'static str = "rule";

    /// What it takes: a tensor, or several.
    type Input: Signals;

    /// What it gives.
    type Output: Signal;

    /// Computes the value, with its plain gradient.
    fn forward(&self, input: Self::Input) -> Self::Output;

    /// The term that it adds by itself to every position at the end, `[feature]`, and what a
    /// [`Ledger`](crate::Ledger) calls the relevance that it absorbs: `("bias", b)`.
    ///
    /// Under the plain gradient, the relevance of the term at a position is the term times the gradient of
    /// the output there. A ledger puts a watched copy in the place of the term, before the operation runs.
    fn added(&mut self) -> Option<(&'static str, &mut Tensor<1>)> {
        None
    }
}

/// A tensor of any rank that passes between operations.
pub trait Signal: Clone + 'static {
    /// The size of each axis.
    fn shape(&self) -> Vec<usize>;

    /// All numbers in one row, with their gradient.
    fn flat(self) -> Tensor<1>;

    /// All numbers, row by row.
    ///
    /// # Errors
    ///
    /// [`RuleError::Device`] if they could not be computed or read.
    fn numbers(&self) -> Result<Vec<f64>, RuleError> {
        let numbers = self.clone().flat().try_into_vec_as::<f64>();
        numbers.map_err(|error| RuleError::Device(error.to_string()))
    }

    /// Whether autodiff tracks it; if not, it is a constant.
    fn is_tracked(&self) -> bool;

    /// Returns the same value, watched: after the backward pass the probe knows its gradient.
    fn watch(self) -> (Self, Probe);

    /// Some rows of a batch, `[1, row, ..]`, at their places in the whole, `[batch, position, ..]`, where all else
    /// is zero.
    fn in_batch(self, rows: &Rows) -> Self;

    /// The other way round: those rows of the whole.
    fn rows(self, rows: &Rows) -> Self;
}

/// Some tokens of a batch.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The texts of the batch, and the positions of each.
    pub batch: [usize; 2],
    /// Which they are, `[row]`: text times positions, plus position. On a device without autodiff.
    pub tokens: Tensor<1, Int>,
}

impl<const D: usize> Signal for Tensor<D> {
    fn shape(&self) -> Vec<usize> {
        self.dims().to_vec()
    }

    fn flat(self) -> Tensor<1> {
        let count: usize = self.dims().iter().product();
        self.reshape([count])
    }

    fn is_tracked(&self) -> bool {
        Self::is_tracked(self)
    }

    fn watch(self) -> (Self, Probe) {
        let value = self.clone().without_autodiff();
        let (signal, leaf) = if self.is_tracked() {
            // The gradient at a sum is the gradient at each of its terms.
            let leaf = value.zeros_like().autodiff().require_grad();
            (self + leaf.clone(), leaf)
        } else {
            // No graph is recorded yet: start one here, so that nothing before is differentiated.
            let leaf = value.clone().autodiff().require_grad();
            (leaf.clone(), leaf)
        };
        let probe = Probe::new(value, move |gradients| leaf.grad(gradients));
        (signal, probe)
    }

    fn in_batch(self, rows: &Rows) -> Self {
        let [texts, positions] = rows.batch;
        let mut shape = self.dims();
        shape[1] = texts * positions;
        let options = (&self.device().without_autodiff(), self.dtype());
        let nothing = Self::zeros(shape, options);
        (shape[0], shape[1]) = (texts, positions);
        nothing
            .select_assign(1, rows.tokens.clone(), self, IndexingUpdateOp::Add)
            .reshape(shape)
    }

    fn rows(self, rows: &Rows) -> Self {
        let [texts, positions] = rows.batch;
        let mut shape = self.dims();
        (shape[0], shape[1]) = (1, texts * positions);
        self.reshape(shape).select(1, rows.tokens.clone())
    }
}

/// One named place in a model: the output of an operation, or a signal between operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name: `encoder.3.attention.weights`.
    pub name: String,
    /// The name of the operation that stands there; none for a signal between operations.
    pub operation: Option<&'static str>,
    /// The shape of the signal there, for the input that the trace ran on.
    pub shape: Vec<usize>,
    /// The type of the operation, if a pass found it. Two types may have one name.
    pub(crate) kind: Option<TypeId>,
}

impl Site {
    /// A site that is made by hand, without a model. A [trace](crate::Pass::trace) finds the sites
    /// of a model.
    pub fn new(
        name: impl Into<String>,
        operation: Option<&'static str>,
        shape: impl Into<Vec<usize>>,
    ) -> Self {
        Self {
            name: name.into(),
            operation,
            shape: shape.into(),
            kind: None,
        }
    }
}
