//! What f32 cannot tell.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor, TensorData};
use relprop_checkpoints::Model;
use relprop_testing::{Draw, difference, explainer, numbers, relevance};

/// How often weights are moved.
const DRAWS: u64 = 6;

/// How far relevance moves, in f64, where every weight moves by up to half a unit in the last place that f32 has: the
/// largest of some draws, in units of the largest relevance. No device that computes in f32 can be closer.
pub(crate) fn moves(model: &Model, preset: &str, text: &str) -> f64 {
    let wide = model.transformer.clone().cast(DType::F64);
    let explain = |transformer| {
        let model = Model {
            transformer,
            ..model.clone()
        };
        relevance(&explainer(&model, preset).explain(text).unwrap())
    };
    let exact = explain(wide.clone());
    let moved = (0..DRAWS).map(|seed| explain(wide.clone().map(&mut Move(Draw::new(seed)))));
    let differences = moved.map(|moved| difference(&moved, &exact));
    differences.fold(0.0, f64::max)
}

struct Move(Draw);

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|weights| {
            let half = f64::from(f32::EPSILON) / 2.0;
            let moved = numbers(weights.clone())
                .into_iter()
                .map(|weight| weight * (1.0 + half * f64::from(self.0.number())));
            let data = TensorData::new(moved.collect(), weights.dims());
            Tensor::from_data(data, (&weights.device(), DType::F64))
        })
    }
}
