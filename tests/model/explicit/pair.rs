//! A model in f32 and in f64, and what is explained of it by gradient and by the walk.

use burn::tensor::{DType, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::Target;
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_testing::{difference, explainer, numbers, parameters, relevance, texts};
use relprop_transformer::{Batch, PaddingSide, TokenizedText, Transformer};

use super::laws::Laws;
use super::network::{ENCODER, Network, Walk};

/// A text, and what is explained of it.
pub struct Case {
    pub text: TokenizedText,
    /// The token at which logits are read.
    pub read: usize,
    pub target: Target,
}

impl Case {
    /// How much of which logit the target takes.
    pub fn weights(&self) -> Vec<(usize, f64)> {
        match self.target {
            Target::Label(label) => vec![(label, 1.0)],
            Target::Contrast(label, other) => vec![(label, 1.0), (other, -1.0)],
            _ => panic!("name the target"),
        }
    }
}

/// A model, and the same model in f64.
pub struct Pair {
    pub model: Model,
    pub double: Transformer,
}

impl Pair {
    pub fn new(model: Model) -> Self {
        let double = model.transformer.clone().cast(DType::F64);
        Self { model, double }
    }

    /// The logit of a label.
    pub fn case(&self, text: &str, label: usize) -> Case {
        let text = self
            .model
            .tokenizer()
            .unwrap()
            .encode(text, 64, Default::default());
        Case {
            text: text.unwrap(),
            read: 0,
            target: Target::Label(label),
        }
    }

    /// The logit of a token, and the contrast of two, after the last token of each text and after one
    /// in its middle.
    pub fn cases_of_language(&self, seed: usize) -> Vec<Case> {
        let vocabulary = self.model.transformer.config().vocabulary();
        let case = |text: &TokenizedText, read, target| Case {
            text: TokenizedText {
                asked: vec![read],
                ..text.clone()
            },
            read,
            target,
        };
        let of_text = |(index, text): (usize, &String)| {
            let text = self
                .model
                .tokenizer()
                .unwrap()
                .encode(text, 64, Default::default());
            let text = text.unwrap();
            let [token, other] = [7, 100].map(|step| (seed + index) * step % vocabulary);
            let last = text.tokens.len() - 1;
            [
                case(&text, last, Target::Label(token)),
                case(&text, last / 2, Target::Contrast(token, other + 1)),
            ]
        };
        texts().iter().enumerate().flat_map(of_text).collect()
    }

    /// The logits and the relevance of each token, by Gradient x Input under the preset, in f64.
    pub fn by_gradient(&self, preset: &str, case: &Case) -> (Vec<f64>, Vec<f64>) {
        let device = self.double.device();
        let batch = Batch::new([&case.text], 0, PaddingSide::Right, &device);
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules
            .bind(&self.double.sites(), &Registry::default())
            .unwrap();
        let mut pass = Pass::new(&rules).with_probe("blocks");
        let logits = self.double.forward(&batch, &mut pass);
        assert_eq!(logits.dtype(), DType::F64);
        let parts = case.weights().into_iter();
        let parts = parts.map(|(label, weight)| logits.clone().narrow(1, label, 1).sum() * weight);
        let target = parts.reduce(|a, b| a + b).unwrap();
        let relevance: Tensor<3> = pass.backward(target).take("blocks").unwrap();
        (numbers(logits), numbers(relevance.sum_dim(2)))
    }

    /// The same, walked back by hand.
    pub fn by_walk(&self, preset: &str, case: &Case) -> Walk {
        let parameters = parameters(&self.model.transformer);
        let network = Network {
            parameters: &parameters,
            config: self.model.transformer.config(),
            laws: Laws::of(preset),
            stack: ENCODER,
        };
        if case.text.picture().is_some() {
            return network.explain_from(self.blocks(case), case.read, &case.weights());
        }
        let ids: Vec<u32> = case.text.tokens.iter().map(|token| token.id).collect();
        network.explain(&ids, case.read, &case.weights())
    }

    /// The input of the first block, in f64.
    fn blocks(&self, case: &Case) -> Tensor<3> {
        let batch = Batch::new([&case.text], 0, PaddingSide::Right, &self.double.device());
        let mut pass = Pass::plain().with_probe("blocks");
        self.double.forward(&batch, &mut pass);
        let reading = pass.into_readings().read("blocks");
        reading.unwrap().signal
    }

    /// The error of the walk under the preset.
    pub fn error(&self, preset: &str, case: &Case) -> f64 {
        let (logits, tokens) = self.by_gradient(preset, case);
        let walk = self.by_walk(preset, case);
        let forward = difference(&walk.logits, &logits);
        assert!(forward < 1e-12, "the forward passes differ: {forward:.1e}");
        let numbers = || tokens.iter().chain(&walk.tokens);
        assert!(numbers().all(|relevance| relevance.is_finite()), "{preset}");
        // z-plus drops all of a logit that only negative contributions make.
        if numbers().all(|relevance| *relevance == 0.0) {
            return 0.0;
        }
        difference(&walk.tokens, &tokens)
    }

    /// How far what a user gets, computed in f32, is from the walk in f64.
    pub fn error_in_single(&self, preset: &str, case: &Case) -> f64 {
        let explainer = explainer(&self.model, preset).target(case.target).unwrap();
        let batch = std::slice::from_ref(&case.text);
        let found = relevance(&explainer.explain_batch(batch).unwrap()[0]);
        let walk = self.by_walk(preset, case).tokens;
        difference(&found, &walk)
    }

    /// How much of the target the walk loses.
    pub fn gap(&self, preset: &str, case: &Case) -> f64 {
        let walk = self.by_walk(preset, case);
        let parts = case.weights().into_iter();
        let target: f64 = parts
            .map(|(label, weight)| weight * walk.logits[label])
            .sum();
        let sum: f64 = walk.tokens.iter().sum();
        (sum - target).abs() / target.abs()
    }
}
