//! Relevance with the memory of one block, by gradient checkpointing.

use burn::tensor::Tensor;
use relprop_rules::{BoundRules, Pass};

use super::{HeadOutput, Transformer};
use crate::Batch;

impl Transformer {
    /// The relevance at `blocks`, `[batch, position, feature]`, of the target that `target` makes of what
    /// the head gives: one number.
    ///
    /// The result is that of a [`Pass`] with a probe at `blocks`, with less memory and more time
    /// (gradient checkpointing; Chen et al. 2016): the forward pass keeps only the input of each
    /// block, and each block is run again in the backward pass.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn relevance_by_blocks(
        &self,
        batch: &Batch,
        rules: &BoundRules,
        target: impl FnOnce(HeadOutput) -> Tensor<1>,
    ) -> Tensor<3> {
        let mut pass = Pass::new(rules);
        let start = self.embed(batch, &mut pass).without_autodiff();
        let contexts = self.contexts(batch, start.dtype());
        let answers = self.answers(batch);
        let answer = answers.as_ref().filter(|_| self.narrows());
        let mut inputs = Vec::with_capacity(self.config().all_blocks());
        let mut x = start.clone();
        for index in 0..self.config().all_blocks() {
            inputs.push(x.clone());
            x = self
                .block(index, x, &contexts, answer, &mut pass)
                .without_autodiff();
        }

        let mut gradient = gradient_at(x, |x| {
            let (x, answers) = match answer {
                Some(_) => (x, answers.clone()),
                None => self.of_output(batch, x, answers.clone()),
            };
            target(self.decide(x, answers.as_ref(), answer.is_some(), &mut pass))
        });
        for (index, input) in inputs.into_iter().enumerate().rev() {
            gradient = gradient_at(input, |x| {
                (self.block(index, x, &contexts, answer, &mut pass) * gradient).sum()
            });
        }
        start * gradient
    }
}

/// The gradient at `x` of `run(x)`; zero where nothing flows back.
fn gradient_at(x: Tensor<3>, run: impl FnOnce(Tensor<3>) -> Tensor<1>) -> Tensor<3> {
    let leaf = x.clone().autodiff().require_grad();
    let target = run(leaf.clone());
    let gradient = match target.is_tracked() {
        true => leaf.grad(&target.backward()),
        false => None,
    };
    gradient.unwrap_or_else(|| x.zeros_like())
}
