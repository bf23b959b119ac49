//! A model of either kind.

use std::sync::Arc;

use relprop_checkpoints::{Model, Towers};

/// A model, whether it is one or has two towers: [`Precision::read_any`](crate::Precision::read_any) tells them apart.
#[derive(Clone, Debug)]
pub enum AnyModel {
    /// It reads texts, or pictures.
    One(Arc<Model>),
    /// It compares pictures with texts.
    Towers(Arc<Towers>),
}

impl From<Model> for AnyModel {
    fn from(model: Model) -> Self {
        Self::One(Arc::new(model))
    }
}

impl From<Towers> for AnyModel {
    fn from(towers: Towers) -> Self {
        Self::Towers(Arc::new(towers))
    }
}
