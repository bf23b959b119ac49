//! Models of which every parameter is drawn at random, and what their parameters are.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use relprop_checkpoints::Model;
use relprop_transformer::{ParameterPath, Transformer, TransformerConfig};

use crate::{Draw, numbers, tokenizer};

/// A model of which every parameter is drawn at random, biases, factors and shifts too. Burn's own
/// generator is shared by all tests of a program, so it is not used.
pub fn model(config: &TransformerConfig) -> Model {
    model_on(config, &Device::flex())
}

/// The same on `device`.
pub fn model_on(config: &TransformerConfig, device: &Device) -> Model {
    let mut draw = Draw::new(config.blocks as u64);
    filled(config, device, |name, shape| {
        let mut numbers = |centre: f32, size: f32| {
            let count = shape.iter().product();
            (0..count).map(|_| centre + size * draw.number()).collect()
        };
        match name.rsplit_once('.').unwrap_or_default() {
            (_, "gamma") => numbers(1.0, 0.5),
            (_, "beta") => numbers(0.0, 0.3),
            (_, "bias") => numbers(0.0, 0.3),
            (module, _) if module.starts_with("embeddings") => numbers(0.0, 1.0),
            // Keeps the size of hidden states about where it is.
            _ => numbers(0.0, (3.0 / shape[0] as f32).sqrt()),
        }
    })
}

/// A model of which every parameter is drawn at random. `shifts` scales biases and betas.
pub fn random(config: &TransformerConfig, shifts: f32, seed: u64) -> Model {
    let mut draw = Draw::new(seed);
    filled(config, &Device::flex(), |name, shape| {
        let (centre, size) = match name.rsplit_once('.').unwrap_or_default() {
            (_, "gamma") => (1.0, 0.5),
            (_, "beta" | "bias") => (0.0, shifts),
            (module, _) if module.starts_with("embeddings") => (0.0, 1.0),
            _ => (0.0, (3.0 / shape[0] as f32).sqrt()),
        };
        let count = shape.iter().product();
        (0..count).map(|_| centre + size * draw.number()).collect()
    })
}

/// A model with the parameters that `fill` gives for their names and shapes.
pub fn filled(
    config: &TransformerConfig,
    device: &Device,
    fill: impl FnMut(&str, &[usize]) -> Vec<f32>,
) -> Model {
    let transformer = Transformer::new(config, device).unwrap();
    let mut mapper = Mapper {
        path: ParameterPath::default(),
        fill,
    };
    Model::new(transformer.map(&mut mapper), tokenizer())
}

struct Mapper<F> {
    path: ParameterPath,
    fill: F,
}

impl<F: FnMut(&str, &[usize]) -> Vec<f32>> ModuleMapper for Mapper<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        parameter.map(|old| {
            let values = (self.fill)(&name, &old.dims());
            Tensor::from_data(TensorData::new(values, old.dims()), &old.device())
        })
    }
}

/// Every parameter of a model, by its name.
pub fn parameters(transformer: &Transformer) -> BTreeMap<String, Vec<f64>> {
    let mut reader = Reader::default();
    transformer.visit(&mut reader);
    reader.found
}

#[derive(Default)]
struct Reader {
    path: ParameterPath,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.found
            .insert(self.path.name(), numbers(parameter.val()));
    }
}
