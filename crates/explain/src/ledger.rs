//! Where the rest of a target went.

use serde::{Deserialize, Serialize};

/// The account of one explanation.
///
/// ```text
/// target = tokens + sum of what was absorbed + unaccounted
/// ```
///
/// All numbers are in units of the target. See `docs/conservation.md` for how to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The value that was explained.
    pub target: f64,
    /// What the tokens hold together.
    pub tokens: f64,
    /// What each site between them and the target absorbed, in the order of computation.
    pub absorbed: Vec<Absorbed>,
    /// Target minus everything else. It is rounding, unless the model computes something outside
    /// its operations.
    pub unaccounted: f64,
    /// How relevance moves through the model: at the site where it was read, then at the output of
    /// each block.
    pub layers: Vec<Layer>,
}

impl Ledger {
    /// Adds what was absorbed between the logits and `target`.
    pub(crate) fn enter(&mut self, target: f64, absorbed: Vec<Absorbed>) {
        let sum: f64 = absorbed.iter().map(|entry| entry.relevance).sum();
        if let Some(last) = self.layers.last_mut() {
            last.absorbed += sum;
            last.unaccounted += target - self.target - sum;
        }
        self.unaccounted += target - self.target - sum;
        self.target = target;
        self.absorbed.extend(absorbed);
    }

    /// The sum of what each kind absorbed, in the order in which the kinds first occur.
    pub fn by_kind(&self) -> Vec<(&str, f64)> {
        let mut sums: Vec<(&str, f64)> = Vec::new();
        for entry in &self.absorbed {
            match sums.iter_mut().find(|(kind, _)| *kind == entry.kind) {
                Some((_, sum)) => *sum += entry.relevance,
                None => sums.push((&entry.kind, entry.relevance)),
            }
        }
        sums
    }

    /// Whether no more than 1e-5 of the target, or of 1 if it is smaller, is unaccounted.
    pub fn closes(&self) -> bool {
        self.unaccounted.abs() <= 1e-5 * self.target.abs().max(1.0)
    }
}

/// Relevance that stayed at one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    /// The site: `encoder.3.attention.output`.
    pub site: String,
    /// The operation there; absent for a signal, such as position embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What absorbed it: `bias`, `shift`, `scale`, `activation`, `softmax`, `product`, `stabilizer`,
    /// `input`, ...
    pub kind: String,
    /// How much; negative where the operation created relevance.
    pub relevance: f64,
}

/// Relevance at one place between blocks, and what was absorbed up to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The site: `blocks`, `encoder.0.output`.
    pub site: String,
    /// The relevance of each token there.
    pub tokens: Vec<f32>,
    /// The relevance that each attention head passes on between here and the next layer: at the
    /// mixture of its values. This is also the relevance of its attention weights, if they are not
    /// halved or detached. Empty where no attention follows.
    pub heads: Vec<f32>,
    /// What was absorbed between here and the next layer, or the target.
    pub absorbed: f64,
    /// The relevance at the next layer, minus the relevance here and what was absorbed.
    pub unaccounted: f64,
}

impl From<&relprop_rules::Absorbed> for Absorbed {
    fn from(entry: &relprop_rules::Absorbed) -> Self {
        Self {
            site: entry.site.clone(),
            operation: entry.operation.map(str::to_owned),
            kind: entry.kind.to_owned(),
            relevance: entry.relevance,
        }
    }
}
