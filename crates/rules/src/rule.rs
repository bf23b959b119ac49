//! How an operation's relevance is propagated.

use std::fmt::Debug;

use crate::Operation;

/// Computes exactly what the operation computes, and decides what flows back.
///
/// After the backward pass, relevance at a signal is the signal times its gradient. So a rule
/// states a propagation law R(y) -> R(x) by choosing the gradient: see [`algebra`](crate::algebra)
/// for the three functions that suffice.
pub trait Rule<O: Operation>: Debug + Send + Sync + 'static {
    /// Computes the operation's value for `input`, with this rule's gradient.
    ///
    /// The value must be the one that [`Operation::forward`] gives; only its gradient may differ.
    fn apply(&self, operation: &O, input: O::Input) -> O::Output;
}
