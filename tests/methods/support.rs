//! Texts, attention weights and logits as the tests read them.

use burn::tensor::{DType, Tensor, TensorData};
use relprop_checkpoints::Model;
use relprop_explain::methods::Method;
use relprop_rules::{Pass, Reading};
use relprop_transformer::{Batch, PaddingSide, TokenizedText, Transformer};

pub type Matrix = Vec<Vec<f64>>;

pub fn encode(model: &Model, text: &str) -> TokenizedText {
    model
        .tokenizer()
        .unwrap()
        .encode(text, 64, Default::default())
        .unwrap()
}

/// What the method called `name` gives one text, by itself.
pub fn alone(model: &Model, name: &str, text: &TokenizedText, label: usize) -> Vec<f64> {
    let method = relprop_testing::method(name, model, 7).unwrap();
    of_text(method.as_ref(), text, label)
}

pub fn of_text(method: &dyn Method, text: &TokenizedText, label: usize) -> Vec<f64> {
    let found = method.relevance(&[text], label).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].len(), text.tokens.len());
    found[0].iter().copied().map(f64::from).collect()
}

pub fn batch(transformer: &Transformer, text: &TokenizedText) -> Batch {
    Batch::new([text], 0, PaddingSide::Right, &transformer.device())
}

/// The logit of `label`.
pub fn logit(model: &Model, text: &TokenizedText, label: usize) -> f64 {
    let batch = batch(&model.transformer, text);
    let logits = model.transformer.forward(&batch, &mut Pass::plain());
    relprop_testing::numbers(logits)[label]
}

/// The logit of `label` where the tokens for which `hidden` is true are `unknown`.
pub fn logit_hidden(
    model: &Model,
    text: &TokenizedText,
    hidden: impl Fn(usize) -> bool,
    label: usize,
) -> f64 {
    let unknown = model.tokenizer().unwrap().id("[UNK]").unwrap();
    let mut text = text.clone();
    for (place, token) in text.tokens.iter_mut().enumerate() {
        if hidden(place) {
            token.id = unknown;
        }
    }
    logit(model, &text, label)
}

/// The attention weights of each block, and the gradient of the logit there: `[head][query][key]`.
pub fn attention(
    model: &Model,
    text: &TokenizedText,
    label: usize,
) -> Vec<(Vec<Matrix>, Vec<Matrix>)> {
    let blocks = model.transformer.config().blocks;
    let site = |block| format!("encoder.{block}.attention.weights");
    let mut pass = (0..blocks).map(site).fold(Pass::plain(), Pass::with_probe);
    let batch = batch(&model.transformer, text);
    let logits = model.transformer.forward(&batch, &mut pass);
    let mut found = pass.backward(logits.narrow(1, label, 1).sum());
    let read = |block| {
        let Reading {
            signal, gradient, ..
        } = found.read::<4>(&site(block)).unwrap();
        (heads(signal), heads(gradient))
    };
    (0..blocks).map(read).collect()
}

fn heads(x: Tensor<4>) -> Vec<Matrix> {
    let [_, heads, queries, keys] = x.dims();
    let numbers = relprop_testing::numbers(x);
    let rows: Matrix = numbers.chunks(keys).map(<[f64]>::to_vec).collect();
    let heads_of: Vec<Matrix> = rows.chunks(queries).map(<[Vec<f64>]>::to_vec).collect();
    assert_eq!(heads_of.len(), heads);
    heads_of
}

/// A model in f64, and one text of it: the logit as a function of the signal at a site.
pub struct Double {
    transformer: Transformer,
    batch: Batch,
    label: usize,
}

impl Double {
    pub fn new(model: &Model, text: &TokenizedText, label: usize) -> Self {
        let transformer = model.transformer.clone().cast(DType::F64);
        let batch = batch(&transformer, text);
        Self {
            transformer,
            batch,
            label,
        }
    }

    /// The signal at `site` and its shape.
    pub fn signal(&self, site: &str) -> (Vec<f64>, [usize; 3]) {
        let mut pass = Pass::plain().with_probe(site);
        self.transformer.forward(&self.batch, &mut pass);
        let signal = pass.into_readings().read::<3>(site).unwrap().signal;
        let shape = signal.dims();
        (relprop_testing::numbers(signal), shape)
    }

    pub fn logit(&self, site: &str, signal: Vec<f64>, shape: [usize; 3]) -> f64 {
        let signal = TensorData::new(signal, shape);
        let device = self.transformer.device();
        let signal = Tensor::<3>::from_data(signal, (&device, DType::F64));
        let mut pass = Pass::plain().with_signal(site, signal);
        let logits = self.transformer.forward(&self.batch, &mut pass);
        relprop_testing::numbers(logits)[self.label]
    }

    /// The derivative of the logit along `direction` at `signal`, from differences.
    pub fn derivative(
        &self,
        site: &str,
        signal: &[f64],
        direction: &[f64],
        shape: [usize; 3],
    ) -> f64 {
        let step = 1e-5;
        let moved = |by: f64| {
            let moved = signal.iter().zip(direction).map(|(x, d)| x + by * d);
            self.logit(site, moved.collect(), shape)
        };
        (moved(step) - moved(-step)) / (2.0 * step)
    }
}
