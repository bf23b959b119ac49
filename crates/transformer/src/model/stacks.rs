//! The blocks of one stack, or of two after one another.
//!
//! The states of both stacks lie in one tensor, the source's before the output's, so that every token has a row
//! at every site between blocks, and all relevance goes through each of them.

use burn::nn::Embedding;
use burn::tensor::{DType, Tensor};
use relprop_rules::Pass;

use super::attention::AttentionContext;
use super::attention_context::{AttentionContexts, table};
use super::parts::{InParts, Part};
use super::transformer::Transformer;
use crate::{Batch, TransformerConfig};

/// What the blocks of both stacks need to know about the tokens of a batch.
pub(super) struct Contexts {
    encoder: AttentionContexts,
    decoder: Option<DecoderContexts>,
}

struct DecoderContexts {
    /// Of the output with itself.
    own: AttentionContexts,
    /// Of the output with the source.
    cross: AttentionContext,
    /// How many positions the source has.
    source: usize,
}

impl Transformer {
    /// What attention in each block needs to know about the tokens of the batch.
    ///
    /// # Panics
    ///
    /// If the texts have a source and the model no decoder, or the other way round.
    pub(super) fn contexts(&self, batch: &Batch, dtype: DType) -> Contexts {
        let of = |config: &TransformerConfig, bias: &Option<Embedding>, batch: &Batch| {
            AttentionContexts::new(config, table(bias), self.distances.as_ref(), batch, dtype)
        };
        let (encoder, decoder) = match (&self.decoder, self.config.of_decoder()) {
            (Some(decoder), Some(config)) => {
                let [source, output] = batch.parts();
                let contexts = DecoderContexts {
                    own: of(&config, &decoder.position_bias, &output),
                    cross: AttentionContext::of_keys(&source),
                    source: batch.source(),
                };
                (
                    of(&self.config, &self.position_bias, &source),
                    Some(contexts),
                )
            }
            _ => {
                let fits = batch.source() == 0;
                assert!(
                    fits,
                    "the model has no decoder, but the texts have a source"
                );
                (of(&self.config, &self.position_bias, batch), None)
            }
        };
        Contexts { encoder, decoder }
    }

    /// One block of either stack, counted through both, from `[batch, position, feature]` to the same. The last
    /// block, if `answer` marks tokens of each text, `[batch, answer, position]`, gives these alone:
    /// `[batch, answer, feature]`.
    pub(super) fn block(
        &self,
        index: usize,
        x: Tensor<3>,
        contexts: &Contexts,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let answer = answer.filter(|_| index + 1 == self.config.all_blocks());
        let name = self.config.block_name(index);
        let own = contexts.encoder.of(index);
        let (Some(decoder), Some(both)) = (&self.decoder, &contexts.decoder) else {
            return pass.within(name, |pass| {
                let x = self.encoder_block(index).forward(x, own, answer, pass);
                let merging = self.merging.get(index).and_then(Option::as_ref);
                let x = match merging {
                    Some(merging) => pass.within("merging", |pass| merging.forward(x, pass)),
                    None => x,
                };
                pass.signal("output", x)
            });
        };
        let [source, output] = split(x, both.source);
        let Some(index) = index.checked_sub(self.config.blocks) else {
            let x = pass.within(name, |pass| {
                let source = self.encoder_block(index).forward(source, own, None, pass);
                pass.signal("output", Tensor::cat(vec![source, output], 1))
            });
            let norm = decoder.source_norm.as_ref();
            let Some(norm) = norm.filter(|_| index + 1 == self.config.blocks) else {
                return x;
            };
            let [source, output] = split(x, both.source);
            let source = pass.apply("source-norm", &norm.operation(), source);
            return Tensor::cat(vec![source, output], 1);
        };
        let answer = answer.map(|answer| output_columns(answer, both.source));
        pass.within(name, |pass| {
            let context = both.own.of(index);
            let memory = Some((&source, &both.cross));
            let block = &decoder.blocks[index];
            let output = block.attend(output, context, memory, answer.as_ref(), pass);
            match answer {
                Some(_) => pass.signal("output", output),
                None => pass.signal("output", Tensor::cat(vec![source, output], 1)),
            }
        })
    }

    /// One block, to be run in parts. None where it is not.
    pub(super) fn in_parts<'a>(
        &'a self,
        index: usize,
        contexts: &'a Contexts,
        answer: Option<&'a Tensor<3>>,
        part: Part,
    ) -> Option<InParts<'a>> {
        let context = contexts.encoder.of(index);
        if contexts.decoder.is_some() || context.windows.is_some() {
            return None;
        }
        let (width, part_of) = (self.config.width, self.config.feed_forward);
        Some(InParts {
            block: self.encoder_block(index),
            context,
            answer: answer.filter(|_| index + 1 == self.config.all_blocks()),
            part,
            widest: part_of.map_or(width, |part| part.width.max(width)),
        })
    }

    /// The states and the answers of the output alone, where the states are those of all positions.
    pub(super) fn of_output(
        &self,
        batch: &Batch,
        x: Tensor<3>,
        answers: Option<Tensor<3>>,
    ) -> (Tensor<3>, Option<Tensor<3>>) {
        let source = batch.source();
        if source == 0 {
            return (x, answers);
        }
        let [_, output] = split(x, source);
        (
            output,
            answers.map(|answers| output_columns(&answers, source)),
        )
    }
}

/// The states of the source and of the output.
fn split(x: Tensor<3>, source: usize) -> [Tensor<3>; 2] {
    let [_, positions, _] = x.dims();
    let output = x.clone().narrow(1, source, positions - source);
    [x.narrow(1, 0, source), output]
}

/// `[batch, answer, position]` without the positions of the source.
fn output_columns(answers: &Tensor<3>, source: usize) -> Tensor<3> {
    let [_, _, positions] = answers.dims();
    answers.clone().narrow(2, source, positions - source)
}
