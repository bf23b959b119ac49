//! The type of float that a model computes in.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor};

use super::Transformer;

impl Transformer {
    /// The type of float that this model's weights have.
    pub fn dtype(&self) -> DType {
        self.embeddings.home().1
    }

    /// The same model with weights in `dtype`, a type of float that its device has.
    /// [`precision`](relprop_rules::precision) says in which type it then computes.
    #[must_use]
    pub fn cast(self, dtype: DType) -> Self {
        self.map(&mut Cast(dtype))
    }
}

struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|values| values.cast(self.0))
    }
}
