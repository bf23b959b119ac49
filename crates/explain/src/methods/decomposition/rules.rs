//! Operations on a text and on shares of it: what each share of an input makes of the output.
//!
//! The first row of a batch is the text itself, and every other row holds a share of each of its vectors. The
//! first row is computed as ever. What the other rows do not make by themselves is taken from it as a
//! constant, under the rules of `libra`, so that each operation is linear:
//!
//! ```text
//! linear map    y_k = x_k W                              bias: of no share, or spread
//! norm          y_k = (x_k - mean(x_k)) scale(x) gamma   shift: of no share, or spread
//! activation    y_k = x_k phi(x) / x
//! product       y_k = (a_k b + a b_k) / 2
//! attention     y_k = p(x) v_k
//! experts       y_k = w(x) e_k
//! ```
//!
//! Sums, rotations and pooling are linear as they are. An operation that is not in this list has no rule, and a
//! model with one is refused.

use burn::tensor::{Bool, Tensor};
use relprop_rules::operations::{
    Activation, AttentionScores, AttentionWeights, Gate, Linear, Norm,
};
use relprop_rules::precision::widen;
use relprop_rules::{BoundRules, Operation, Registry, Rule, RuleError, RuleSet, Site};
use serde::Deserialize;

/// Scores do not reach the shares: attention weights are those of the text.
fn rules(rows: usize, spread: bool) -> String {
    let shares = format!(r#"rule = "shares", rows = {rows}, spread = {spread}"#);
    format!(
        r#"
name = "decomposition"
rules = [
    {{ site = "*.router", operation = "linear", optional = true, rule = "whole", rows = {rows} }},
    {{ operation = "linear", {shares} }},
    {{ operation = "norm", {shares} }},
    {{ operation = "activation", {shares} }},
    {{ operation = "gate", {shares} }},
    {{ operation = "attention-scores", rule = "whole", rows = {rows} }},
    {{ operation = "attention-weights", rule = "whole", rows = {rows} }},
    {{ operation = "attention-bias", rule = "gradient" }},
    {{ operation = "position-scores", rule = "gradient" }},
    {{ operation = "attention-mix", rule = "gradient" }},
    {{ operation = "router-weights", rule = "gradient" }},
    {{ operation = "expert", rule = "gradient" }},
    {{ operation = "rotary", rule = "gradient" }},
    {{ operation = "embedding-sum", rule = "gradient" }},
    {{ operation = "residual", rule = "gradient" }},
    {{ operation = "pooling", rule = "gradient" }},
]
"#
    )
}

/// The rule of every site for batches of so many rows. Terms that operations add by themselves are spread over
/// the shares, or belong to none.
pub(super) fn bind(sites: &[Site], rows: usize, spread: bool) -> Result<BoundRules, RuleError> {
    let mut registry = Registry::default();
    registry.register::<Linear, Shares>("shares");
    registry.register::<Norm, Shares>("shares");
    registry.register::<Activation, Shares>("shares");
    registry.register::<Gate, Shares>("shares");
    registry.register::<Linear, Whole>("whole");
    registry.register::<AttentionScores, Whole>("whole");
    registry.register::<AttentionWeights, Whole>("whole");
    RuleSet::from_toml(&rules(rows, spread))?.bind(sites, &registry)
}

/// Gives each share what it makes of the output.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shares {
    /// How many rows there are: the text, and its shares. Tokens of an expert stand in one row, those of the
    /// text before those of the first share, and so on.
    rows: usize,
    spread: bool,
}

impl Shares {
    /// Computes the text and its shares apart.
    fn each(
        &self,
        x: Tensor<3>,
        of: impl FnOnce(Tensor<3>, Tensor<3>) -> [Tensor<3>; 2],
    ) -> Tensor<3> {
        let [batch, positions, _] = x.dims();
        let both = Tensor::cat(of(self.whole(&x), self.shares(&x)).to_vec(), 0);
        let features = both.dims()[2];
        both.reshape([batch, positions, features])
    }

    fn by_row(&self, x: &Tensor<3>) -> Tensor<3> {
        let [batch, positions, features] = x.dims();
        x.clone()
            .reshape([self.rows, batch * positions / self.rows, features])
    }

    fn whole(&self, x: &Tensor<3>) -> Tensor<3> {
        self.by_row(x).narrow(0, 0, 1)
    }

    fn shares(&self, x: &Tensor<3>) -> Tensor<3> {
        self.by_row(x).narrow(0, 1, self.rows - 1)
    }

    /// Spreads a term b over the shares z_k, each `[position, feature]`, by the size of its product with them
    /// (DecompX's AbsDot): `|b z_k| / sum_k |b z_k|` of it. Where it is at right angles to all of them, it
    /// belongs to none.
    fn with(&self, term: &Option<Tensor<1>>, shares: Tensor<3>) -> Tensor<3> {
        let Some(term) = term.as_ref().filter(|_| self.spread) else {
            return shares;
        };
        let term = widen(term.clone()).unsqueeze::<3>();
        let sizes = (shares.clone() * term.clone()).sum_dim(2).abs();
        let all = sizes.clone().sum_dim(0).clamp_min(f32::MIN_POSITIVE);
        shares + sizes / all * term
    }
}

impl Rule<Linear> for Shares {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let unbiased = Linear {
            bias: None,
            ..linear.clone()
        };
        self.each(x, |whole, shares| {
            let shares = unbiased.forward(shares);
            [linear.forward(whole), self.with(&linear.bias, shares)]
        })
    }
}

impl Rule<Norm> for Shares {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        let unshifted = Norm {
            beta: None,
            ..norm.clone()
        };
        self.each(x, |whole, shares| {
            let scale = norm.scale(norm.center(whole.clone()));
            let shares = unshifted.affine(norm.center(shares) * scale);
            [norm.forward(whole), self.with(&norm.beta, shares)]
        })
    }
}

impl Rule<Activation> for Shares {
    fn apply(&self, activation: &Activation, z: Tensor<3>) -> Tensor<3> {
        self.each(z, |whole, shares| {
            let shares = shares * activation.quotient(whole.clone());
            [activation.forward(whole), shares]
        })
    }
}

impl Rule<Gate> for Shares {
    fn apply(&self, gate: &Gate, (a, b): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        let (whole, shares) = (self.whole(&b), self.shares(&b));
        self.each(a, |a, a_k| {
            let both = a_k * whole.clone() + a.clone() * shares;
            [gate.forward((a, whole)), both * 0.5]
        })
    }
}

/// Gives every row what the text gets: no share makes anything of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    rows: usize,
}

impl Whole {
    fn in_every_row<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = x.dims();
        shape[0] = self.rows;
        x.expand(shape)
    }
}

/// The first row, which is the text.
fn first<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.narrow(0, 0, 1)
}

impl Rule<Linear> for Whole {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        self.in_every_row(linear.forward(first(x)))
    }
}

impl Rule<AttentionScores> for Whole {
    fn apply(&self, scores: &AttentionScores, (query, key): (Tensor<4>, Tensor<4>)) -> Tensor<4> {
        self.in_every_row(scores.forward((first(query), first(key))))
    }
}

impl Rule<AttentionWeights> for Whole {
    fn apply(&self, weights: &AttentionWeights, scores: Tensor<4>) -> Tensor<4> {
        let of_text = AttentionWeights {
            hidden: weights.hidden.clone().map(first_marks),
            sinks: weights.sinks.clone(),
        };
        self.in_every_row(of_text.forward(first(scores)))
    }
}

fn first_marks(marks: Tensor<4, Bool>) -> Tensor<4, Bool> {
    marks.narrow(0, 0, 1)
}
