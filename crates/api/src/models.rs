//! The models that are asked.

use relprop_checkpoints::Input;
use relprop_engine::{AnyModel, Precision};

use crate::refusal::Refusal;

/// A model, by the name that requests give it.
#[derive(Clone, Debug)]
pub struct NamedModel {
    /// Its name.
    pub name: String,
    /// The model: one, or two towers.
    pub model: AnyModel,
    /// The float type of its weights.
    pub precision: Precision,
}

impl NamedModel {
    /// Whether it reads pictures, alone or with texts.
    pub fn reads_pictures(&self) -> bool {
        match &self.model {
            AnyModel::One(model) => matches!(model.input, Input::Pictures(_)),
            AnyModel::Towers(_) => true,
        }
    }
}

/// The place of the model of this name; that of the first if no name is given.
pub(crate) fn place(models: &[NamedModel], name: Option<&str>) -> Result<usize, Refusal> {
    let Some(name) = name else {
        return Ok(0);
    };
    let found = models.iter().position(|model| model.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        Refusal::bad(format!(
            "there is no model `{name}` here; there is {}",
            known.join(", ")
        ))
    })
}
