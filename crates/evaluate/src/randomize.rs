//! Models whose parameters are randomized part by part.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use relprop_checkpoints::Model;
use relprop_transformer::ParameterPath;

/// The model with more and more of its parameters randomized, from the top down (cascading; Adebayo
/// et al. 2018): the classifier; with it the pooler and the final norm; with these the last block, and
/// so on down to the first; last the embeddings. Each stage comes with the name of what it adds.
///
/// A parameter's numbers are drawn anew from the normal distribution of the same mean and standard
/// deviation, so that signals keep about their size. The same seed draws the same numbers.
pub fn cascade(model: &Model, seed: u64) -> Vec<(String, Model)> {
    let blocks = model.transformer.config().blocks;
    let blocks = (0..blocks).rev().map(|block| format!("encoder.{block}"));
    let fixed = |name: &str| name.to_owned();
    let top = [fixed("classifier"), fixed("pooler")];
    let stages = top.into_iter().chain(blocks).chain([fixed("embeddings")]);
    let mut stages: Vec<String> = stages.collect();
    if model.transformer.config().pooler.is_none() {
        stages.retain(|stage| stage != "pooler");
    }
    let mut current = model.clone();
    let models = stages.into_iter().map(|stage| {
        let mut mapper = Randomizer {
            parts: parts(&stage),
            seed,
            path: ParameterPath::default(),
        };
        current.transformer = current.transformer.clone().map(&mut mapper);
        current.sha256 = None;
        (stage, current.clone())
    });
    models.collect()
}

/// The modules that a stage randomizes.
fn parts(stage: &str) -> Vec<String> {
    let mut parts = vec![stage.to_owned()];
    if stage == "classifier" {
        // What comes after the last block and before the pooler belongs to the top, and so does a second map.
        parts.extend(["final_norm", "second_classifier"].map(str::to_owned));
    }
    parts
}

struct Randomizer {
    parts: Vec<String>,
    seed: u64,
    path: ParameterPath,
}

impl ModuleMapper for Randomizer {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.name();
        let inside = |part: &String| path.starts_with(&format!("{part}."));
        if !self.parts.iter().any(inside) {
            return parameter;
        }
        // The seed depends on the name, so no part's numbers depend on how many came before.
        let mix = |seed: u64, byte: u8| seed.wrapping_mul(0x100_0000_01B3) ^ u64::from(byte);
        let mut generator = ChaCha8Rng::seed_from_u64(path.bytes().fold(self.seed, mix));
        parameter.map(|old| {
            let (shape, device) = (old.dims(), old.device());
            let draws = (&mut generator).sample_iter(StandardNormal);
            let draws: Vec<f32> = draws.take(shape.iter().product()).collect();
            let draws: Tensor<D> = Tensor::from_data(TensorData::new(draws, shape), &device);
            let mean = old.clone().mean().unsqueeze::<D>();
            let deviation = (old - mean.clone()).square().mean().sqrt().unsqueeze::<D>();
            draws * deviation + mean
        })
    }
}
