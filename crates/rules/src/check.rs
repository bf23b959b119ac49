//! A check for authors of rules: is the value unchanged, is relevance finite, how much is
//! conserved.

use burn::tensor::{Tensor, TensorData};

use crate::{Operation, Rule, RuleError, Signal, Signals, Watched};

/// The result of [`check`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleReport {
    /// Whether the rule gave the operation's value, to the last bit. It must.
    pub value_unchanged: bool,
    /// Whether the relevance of every input is finite. It must be.
    pub relevance_finite: bool,
    /// The relevance that the outputs held.
    pub held: f64,
    /// The relevance that the inputs got.
    pub kept: f64,
    /// The sum of the absolute relevance of the outputs, the unit of
    /// [`conservation_error`](RuleReport::conservation_error).
    pub absolute: f64,
}

impl RuleReport {
    /// How much relevance was lost or created, as a share of the absolute relevance of the outputs:
    /// 0 for a rule that conserves.
    pub fn conservation_error(&self) -> f64 {
        (self.held - self.kept).abs() / self.absolute.max(f64::MIN_POSITIVE)
    }
}

/// Runs `rule` on `operation` and `input`, and reports what a rule's author has to show: values are
/// unchanged, relevance is finite, and how much of it the rule conserves.
///
/// The gradient at the outputs is an arbitrary one, the same in every run. Give inputs of all
/// kinds: of either sign, with zeros, with rows of nothing but zeros, of one token and of many.
/// Conservation depends on the operation's parameters as well: a bias absorbs its share.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::{check, operations::Norm, rules::{DetachScale, Gradient}};
///
/// let x = Tensor::<3>::from_data([[[1.0, 2.0, 4.0], [0.0, -3.0, 5.0]]], &Device::flex());
/// let norm = Norm::plain(1e-5);
///
/// let report = check(&DetachScale {}, &norm, x.clone());
/// assert!(report.value_unchanged && report.relevance_finite);
/// assert!(report.conservation_error() < 1e-5);
///
/// // The plain gradient of a norm loses nearly everything.
/// assert!(check(&Gradient {}, &norm, x).conservation_error() > 0.1);
/// ```
///
/// # Panics
///
/// If the device fails.
pub fn check<O: Operation, R: Rule<O>>(rule: &R, operation: &O, input: O::Input) -> RuleReport {
    // Burn may use other kernels for a tensor that autodiff tracks, so both runs are tracked.
    let expected = operation.forward(input.clone().watch_each(&mut Watched::default()));
    let mut watched = Watched::default();
    let output = rule.apply(operation, input.watch_each(&mut watched));

    let (expected, found) = (read(expected.numbers()), read(output.numbers()));
    let bits = |numbers: &[f64]| {
        numbers
            .iter()
            .map(|x| (x + 0.0).to_bits())
            .collect::<Vec<_>>()
    };
    // Each output has another gradient, so that no two of them can be mistaken for each other.
    let upstream: Vec<f64> = (1..=found.len()).map(|k| (k as f64).cos()).collect();
    let of_outputs = || found.iter().zip(&upstream).map(|(y, u)| y * u);

    let flat = output.flat();
    let upstream = TensorData::new(upstream.clone(), [upstream.len()]);
    let upstream = Tensor::from_data(upstream, (&flat.device(), flat.dtype()));
    let target = (flat * upstream).sum();
    let gradients = target.is_tracked().then(|| target.backward());
    let relevance = read(watched.relevance(gradients.as_ref()));

    RuleReport {
        value_unchanged: bits(&expected) == bits(&found),
        relevance_finite: relevance.iter().all(|r| r.is_finite()),
        held: of_outputs().sum(),
        kept: relevance.iter().sum(),
        absolute: of_outputs().map(f64::abs).sum(),
    }
}

fn read(numbers: Result<Vec<f64>, RuleError>) -> Vec<f64> {
    numbers.unwrap_or_else(|error| panic!("{error}"))
}
