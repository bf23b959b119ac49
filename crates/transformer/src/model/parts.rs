//! A block in parts: some queries of its attention at a time, and some tokens of everything else, so that memory grows
//! with the length of a text and not with its square.
//!
//! All operations but those between queries and keys are of each token by itself, and those are of each query by
//! itself. So a block computes the same in parts, forward and back.

use std::ops::Range;

use burn::tensor::Tensor;
use relprop_rules::Pass;

use super::attention::{Asked, AttentionContext};
use super::block::Block;

/// The most numbers that a tensor of a part has, but for one row at least: what is held at a time.
#[derive(Clone, Copy, Debug)]
pub struct Part(pub usize);

impl Default for Part {
    /// 4 million: 16 MiB in f32.
    fn default() -> Self {
        Self(1 << 22)
    }
}

impl Part {
    /// Cuts `count` rows of `numbers` numbers each into parts of about the same size.
    fn cut(self, count: usize, numbers: usize) -> impl Iterator<Item = Range<usize>> {
        let most = (self.0 / numbers.max(1)).max(1);
        let rows = count.div_ceil(count.div_ceil(most).max(1)).max(1);
        (0..count)
            .step_by(rows)
            .map(move |start| start..(start + rows).min(count))
    }
}

/// A block that is run in parts.
pub(super) struct InParts<'a> {
    pub(super) block: &'a Block,
    pub(super) context: &'a AttentionContext,
    /// The token of each text that it gives alone.
    pub(super) answer: Option<&'a Tensor<3>>,
    pub(super) part: Part,
    /// The most features that a token has inside the block.
    pub(super) widest: usize,
}

impl InParts<'_> {
    /// `x`: `[batch, position, feature]`. Returns the same, or the token that answers.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let mixed = self.mixed(&self.asked(x.clone(), pass), pass);
        let parts: Vec<Tensor<3>> = self
            .tokens(&x)
            .map(|part| self.rest(rows(&x, &part), self.of(&mixed, &part), pass))
            .collect();
        Tensor::cat(parts, 1)
    }

    /// The gradient at `x`, from that of the output.
    pub(super) fn backward(&self, x: Tensor<3>, gradient: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let asked = self.asked(x.clone(), pass);
        let mixed = self.mixed(&asked, pass);
        let parts = self.tokens(&x).map(|part| {
            let of_part = match self.answer {
                Some(_) => gradient.clone(),
                None => rows(&gradient, &part),
            };
            let at = [rows(&x, &part), self.of(&mixed, &part)];
            gradients(at, |[x, mixed]| (self.rest(x, mixed, pass) * of_part).sum())
        });
        let (at_rest, at_mixed): (Vec<_>, Vec<_>) = parts.map(|[x, mixed]| (x, mixed)).unzip();
        drop(mixed);
        let [at_rest, at_mixed] = [at_rest, at_mixed].map(|parts| Tensor::cat(parts, 1));
        let at_asked = self.back_to_asked(asked, at_mixed, pass);
        let [through_attention] = gradients([x], |[x]| {
            let Asked { query, key, value } = self.asked(x, pass);
            let found = [query, key, value].into_iter().zip(at_asked);
            let flows = found.map(|(asked, gradient)| (asked * gradient).sum());
            flows.reduce(|a, b| a + b).expect("three of them")
        });
        at_rest + through_attention
    }

    fn asked(&self, x: Tensor<3>, pass: &mut Pass) -> Asked {
        self.block.asked(x, self.context, self.answer, pass)
    }

    /// What the heads mix, `[batch, query, feature of all heads]`.
    fn mixed(&self, asked: &Asked, pass: &mut Pass) -> Tensor<3> {
        let parts: Vec<Tensor<3>> = self
            .queries(asked)
            .map(|part| {
                let (asked, context, _) = self.of_queries(asked, part);
                self.block.mix(asked, &context, pass)
            })
            .collect();
        Tensor::cat(parts, 1)
    }

    /// The gradients at queries, keys and values, from that of what the heads mix.
    fn back_to_asked(&self, asked: Asked, gradient: Tensor<3>, pass: &mut Pass) -> [Tensor<4>; 3] {
        let mut at_queries = Vec::new();
        let [mut at_key, mut at_value] = [&asked.key, &asked.value].map(Tensor::zeros_like);
        for part in self.queries(&asked) {
            let of_part = rows(&gradient, &part);
            let (asked, context, keys) = self.of_queries(&asked, part);
            let at = [asked.query, asked.key, asked.value];
            let [query, key, value] = gradients(at, |[query, key, value]| {
                let asked = Asked { query, key, value };
                (self.block.mix(asked, &context, pass) * of_part).sum()
            });
            at_queries.push(query);
            at_key = added(at_key, key, &keys);
            at_value = added(at_value, value, &keys);
        }
        [Tensor::cat(at_queries, 2), at_key, at_value]
    }

    /// Everything after what the heads mix.
    fn rest(&self, x: Tensor<3>, mixed: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let context = AttentionContext {
            mixed: Some(mixed),
            ..self.context.clone()
        };
        self.block.forward(x, &context, self.answer, pass)
    }

    /// The parts of queries.
    fn queries(&self, asked: &Asked) -> impl Iterator<Item = Range<usize>> + use<> {
        let [batch, heads, queries, _] = asked.query.dims();
        let [_, _, keys, _] = asked.key.dims();
        self.part.cut(queries, batch * heads * keys)
    }

    /// Some queries with the keys that they may see, and where those stand.
    fn of_queries(
        &self,
        asked: &Asked,
        queries: Range<usize>,
    ) -> (Asked, AttentionContext, Range<usize>) {
        let [_, _, all, _] = asked.key.dims();
        let alone = asked.query.dims()[2] != all;
        let keys = match alone {
            true => 0..all,
            false => self.context.sight.of(&queries, all),
        };
        let of_keys = |x: &Tensor<4>| x.clone().narrow(2, keys.start, keys.len());
        let part = Asked {
            query: asked.query.clone().narrow(2, queries.start, queries.len()),
            key: of_keys(&asked.key),
            value: of_keys(&asked.value),
        };
        let context = self.context.of_queries(&queries, &keys);
        (part, context, keys)
    }

    /// The parts of tokens; all of them where one answers.
    fn tokens(&self, x: &Tensor<3>) -> impl Iterator<Item = Range<usize>> + use<> {
        let [batch, positions, _] = x.dims();
        let part = match self.answer {
            Some(_) => Part(usize::MAX),
            None => self.part,
        };
        part.cut(positions, batch * self.widest)
    }

    /// What the heads mix for these tokens.
    fn of(&self, mixed: &Tensor<3>, part: &Range<usize>) -> Tensor<3> {
        match self.answer {
            Some(_) => mixed.clone(),
            None => rows(mixed, part),
        }
    }
}

/// The gradients at these tensors of what `run` makes of them; zero where nothing flows back.
pub(super) fn gradients<const D: usize, const N: usize>(
    at: [Tensor<D>; N],
    run: impl FnOnce([Tensor<D>; N]) -> Tensor<1>,
) -> [Tensor<D>; N] {
    let leaves = at.map(|x| x.autodiff().require_grad());
    let target = run(leaves.clone());
    let found = target.is_tracked().then(|| target.backward());
    leaves.map(|leaf| {
        let gradient = found.as_ref().and_then(|found| leaf.grad(found));
        gradient.unwrap_or_else(|| leaf.without_autodiff().zeros_like())
    })
}

fn rows(x: &Tensor<3>, part: &Range<usize>) -> Tensor<3> {
    x.clone().narrow(1, part.start, part.len())
}

/// `x` with `more` added to the rows at `part`.
fn added(x: Tensor<4>, more: Tensor<4>, part: &Range<usize>) -> Tensor<4> {
    let [batch, heads, rows, features] = x.dims();
    if part.len() == rows {
        return x + more;
    }
    let place = [0..batch, 0..heads, part.clone(), 0..features];
    let sum = x.clone().slice(place.clone()) + more;
    x.slice_assign(place, sum)
}
