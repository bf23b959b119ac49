//! From what the last block made to the numbers of the head.

use burn::tensor::Tensor;
use relprop_rules::{
    Pass,
    operations::{Linear as LinearMap, Norm, NormScale, Pooling},
};

use super::Transformer;
use super::cap::cap;
use super::dropout::dropout;
use crate::{Dense, Head, HeadOutput, Outputs};

impl Transformer {
    /// What the last block made of every token to the numbers of all answers.
    /// It was `narrowed` if the last block gave no more than the `answers`.
    pub(super) fn decide(
        &self,
        x: Tensor<3>,
        answers: Option<&Tensor<3>>,
        narrowed: bool,
        pass: &mut Pass,
    ) -> HeadOutput {
        let late = self.config.norm_after_pooling;
        let mut x = match late {
            true => x,
            false => self.normed(x, pass),
        };
        let pooler = |x, pass: &mut Pass| match &self.pooler {
            Some(pooler) => pass.within("pooler", |pass| pooler.forward(x, pass)),
            None => x,
        };
        if self.config.pooler_first {
            x = pooler(x, pass);
        }
        let merged = self.merged_answers(&x);
        if let Some(answers) = merged.as_ref().or(answers) {
            let mut weights = answers.clone().cast(x.dtype());
            if narrowed && self.config.blocks > 0 {
                // Each answer stands in a row of its own now.
                let [texts, count, _] = weights.dims();
                let alone = Tensor::<2>::eye(count, &weights.device()).cast(x.dtype());
                let alone = alone.unsqueeze_dim::<3>(0).expand([texts, count, count]);
                weights = alone * weights.sum_dim(2);
            }
            if self.distillation_classifier.is_some() {
                // The token after the first, as well.
                let [_, _, positions] = weights.dims();
                let nothing = weights.zeros_like().narrow(2, 0, 1);
                let before = weights.clone().narrow(2, 0, positions - 1);
                let second = Tensor::cat(vec![nothing, before], 2);
                weights = Tensor::cat(vec![weights, second], 1);
            }
            x = match &self.attention_pooling {
                Some(pooling) => pass.within("pooling", |pass| pooling.forward(x, &weights, pass)),
                None => pass.apply("pooling", &Pooling { weights }, x),
            };
            if self.config.head == Head::LabelsOfBoth {
                let [pictures, means, width] = x.dims();
                x = x.reshape([pictures, 1, means * width]);
            }
        }
        if late {
            x = self.normed(x, pass);
        }
        if !self.config.pooler_first {
            x = pooler(x, pass);
        }
        if let Some(transform) = &self.transform {
            x = pass.within("transform", |pass| transform.forward(x, pass));
        }
        HeadOutput {
            numbers: self.head(x.clone(), pass).flatten(1, 2),
            state: x,
        }
    }

    /// How much of each token goes into the mean, where blocks left fewer tokens than there are patches.
    fn merged_answers(&self, x: &Tensor<3>) -> Option<Tensor<3>> {
        self.config.stages.as_ref()?;
        let [pictures, tokens, _] = x.dims();
        let options = (&x.device().without_autodiff(), x.dtype());
        Some(Tensor::full(
            [pictures, 1, tokens],
            (tokens as f64).recip(),
            options,
        ))
    }

    /// `[batch, position, feature]` to `[batch, position, output]`; of two tokens with a
    /// classifier each, to the mean of their logits, `[batch, 1, label]`.
    pub(super) fn head(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = dropout(&self.dropout, x, pass);
        if let Head::Vector {
            dense,
            second,
            normalized,
            ..
        } = self.config.head
        {
            return self.vector([dense, second], normalized, x, pass);
        }
        let head = match &self.classifier {
            Some(classifier) => LinearMap::from(classifier),
            None => LinearMap {
                weight: self.word_embeddings().transpose(),
                bias: self.classifier_bias.as_ref().map(|bias| bias.val()),
            },
        };
        let Some(second) = &self.distillation_classifier else {
            return self.bounded(pass.apply("classifier", &head, x), pass);
        };
        let logits = pass.apply("classifier", &head, x.clone().narrow(1, 0, 1));
        let others = x.narrow(1, 1, 1);
        let others = pass.apply("distillation-classifier", &LinearMap::from(second), others);
        let both = Tensor::cat(vec![logits, others], 1);
        let [texts, ..] = both.dims();
        let options = (&both.device(), both.dtype());
        let weights = Tensor::full([texts, 1, 2], 0.5, options);
        pass.apply("average", &Pooling { weights }, both)
    }

    /// Pooled hidden states, `[batch, 1, feature]`, to vectors, `[batch, 1, output]`. To divide a vector by
    /// its length is a norm: x / |x| = x / sqrt(n mean(x^2)), where n is the number of features.
    fn vector(
        &self,
        dense: [Option<Dense>; 2],
        normalized: bool,
        mut x: Tensor<3>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let maps = [&self.classifier, &self.second_classifier];
        let names = ["classifier", "second-classifier"];
        for ((map, name), dense) in maps.into_iter().zip(names).zip(dense) {
            let (Some(map), Some(dense)) = (map, dense) else {
                break;
            };
            x = pass.apply(name, &LinearMap::from(map), x);
            if let Some(activation) = dense.activation {
                x = pass.apply(&format!("{name}-activation"), &activation, x);
            }
        }
        if !normalized {
            return x;
        }
        let features = x.dims()[2];
        let options = (&x.device().without_autodiff(), x.dtype());
        let length = Norm {
            scale: NormScale::RootMeanSquare(1e-30),
            gamma: Some(Tensor::full(
                [features],
                (features as f64).sqrt().recip(),
                options,
            )),
            beta: None,
        };
        pass.apply("length", &length, x)
    }

    /// Logits of a vocabulary after the divisor and the cap that the model may have for them.
    fn bounded(&self, logits: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        if self.config.head.outputs() != Outputs::Vocabulary {
            return logits;
        }
        let logits = match self.config.logit_divisor {
            Some(divisor) => logits * divisor.recip(),
            None => logits,
        };
        match self.config.logit_cap {
            Some(size) => cap("logit-cap", size, logits, pass),
            None => logits,
        }
    }

    /// What the last block made, after the norm and the projection that may stand there.
    pub(super) fn normed(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = match &self.final_norm {
            Some(norm) => pass.apply("final-norm", &norm.operation(), x),
            None => x,
        };
        match &self.output_projection {
            Some(map) => pass.apply("output-projection", &LinearMap::from(map), x),
            None => x,
        }
    }
}
