//! One training step and one validation step.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use relprop_rules::Pass;
use relprop_transformer::Transformer;

use crate::loader::LabeledBatch;

/// A model under training.
#[derive(Module, Debug)]
pub(crate) struct Classifier {
    pub(crate) transformer: Transformer,
    #[module(skip)]
    pub(crate) label_smoothing: f32,
}

impl Classifier {
    fn forward(
        &self,
        batch: LabeledBatch,
        pass: &mut Pass,
        smoothing: Option<f32>,
    ) -> ClassificationOutput {
        let logits = batch.answers(&self.transformer, pass);
        let loss = CrossEntropyLossConfig::new().with_smoothing(smoothing);
        let loss = loss
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Classifier {
    type Input = LabeledBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: LabeledBatch) -> TrainOutput<ClassificationOutput> {
        let smoothing = (self.label_smoothing > 0.0).then_some(self.label_smoothing);
        let output = self.forward(batch, &mut Pass::training(), smoothing);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Classifier {
    type Input = LabeledBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: LabeledBatch) -> ClassificationOutput {
        self.forward(batch, &mut Pass::plain(), None)
    }
}
