//! Relevance with the memory of one part of a block, by gradient checkpointing.

use burn::tensor::Tensor;
use relprop_rules::{BoundRules, Pass};

use super::parts::{Part, gradients};
use super::{HeadOutput, Transformer};
use crate::Batch;

impl Transformer {
    /// The relevance at `blocks`, `[batch, position, feature]`, of the target that `target` makes of what
    /// the head gives: one number.
    ///
    /// The result is that of a [`Pass`] with a probe at `blocks`, with less memory and more time
    /// (gradient checkpointing; Chen et al. 2016): the forward pass keeps only the input of each
    /// block, and each block is run again in the backward pass, `part` by part. So memory grows with the length of
    /// a text. Blocks of a decoder beside an encoder, and those whose attention stays within windows of a picture,
    /// are run at once.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn relevance_by_blocks(
        &self,
        batch: &Batch,
        rules: &BoundRules,
        part: Part,
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
            let name = self.config().block_name(index);
            x = match self.in_parts(index, &contexts, answer, part) {
                Some(block) => pass.within(name, |pass| block.forward(x, pass)),
                None => self.block(index, x, &contexts, answer, &mut pass),
            }
            .without_autodiff();
        }

        let [mut gradient] = gradients([x], |[x]| {
            let (x, answers) = match answer {
                Some(_) => (x, answers.clone()),
                None => self.of_output(batch, x, answers.clone()),
            };
            target(self.decide(x, answers.as_ref(), answer.is_some(), &mut pass))
        });
        for (index, input) in inputs.into_iter().enumerate().rev() {
            let name = self.config().block_name(index);
            gradient = match self.in_parts(index, &contexts, answer, part) {
                Some(block) => pass.within(name, |pass| block.backward(input, gradient, pass)),
                None => {
                    let [at] = gradients([input], |[x]| {
                        (self.block(index, x, &contexts, answer, &mut pass) * gradient).sum()
                    });
                    at
                }
            };
        }
        start * gradient
    }
}
