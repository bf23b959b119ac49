//! relprop's own layout, for models that no other family can express.

use serde_json::json;

use super::bert;
use crate::Family;
use crate::keys::Key;

pub(super) static RELPROP: Family = Family {
    name: "relprop",
    architecture: None,
    start: bert::start,
    keys: &[&[(
        "transformer",
        Key::Other {
            required: true,
            read: |config, value| {
                *config = serde_json::from_value(value.clone()).map_err(|e| format!("has {e}"))?;
                Ok(())
            },
            write: |config| json!(config),
        },
    )]],
    ignored_keys: &[],
    base: "",
    tensors: &[],
    kept: &[],
    ignored_tensors: &[],
};
