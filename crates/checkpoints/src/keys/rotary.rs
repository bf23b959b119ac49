//! Rotary positions in a `config.json`: one object since transformers 5, two keys before. What the object says of
//! longer texts is in `scaling.rs`.

use serde_json::{Value, json};

pub(crate) use super::scaling::written;
use super::{Key, KeyError, number, scaling, size};
use crate::family::Keys;
use relprop_transformer::{RotaryConfig, TransformerConfig};

/// All of them.
pub const KEYS: Keys = &[
    ("rope_theta", THETA),
    ("rope_scaling", SCALING),
    ("rope_parameters", PARAMETERS),
    ("original_max_position_embeddings", ORIGINAL),
];

/// `max_position_embeddings`, of a model that may have rotary positions.
pub const POSITIONS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.positions = size(value)?;
        Ok(())
    },
    write: |config| json!(scaling::said_positions(config)),
};

/// How many tokens a text could have before the scaling: it goes before what the scaling itself says.
pub const ORIGINAL: Key = Key::Custom {
    required: false,
    read: |config, value| {
        scaling::set_original(config, size(value)?);
        Ok(())
    },
    write: |_| Value::Null,
};

/// `rope_theta`, before transformers 5.
pub const THETA: Key = Key::Custom {
    required: false,
    read: |config, value| {
        rotary(config).theta = number(value)?;
        Ok(())
    },
    write: |_| Value::Null,
};

/// `rope_scaling`, before transformers 5.
pub const SCALING: Key = Key::Custom {
    required: false,
    read,
    write: |_| Value::Null,
};

/// `rope_parameters`: both.
pub const PARAMETERS: Key = Key::Custom {
    required: false,
    read,
    write: |config| {
        let Some(rotary) = config.attention.rotary else {
            return Value::Null;
        };
        written(config, &rotary)
    },
};

/// The share of a head's features that is turned, `PERCENT` of a hundred where the file is silent.
pub const fn share<const PERCENT: usize>() -> Key {
    Key::Derived {
        read: |config, value| {
            let share = match value {
                None | Some(Value::Null) => PERCENT as f64 / 100.0,
                Some(value) => number(value)?,
            };
            turn_share(config, share);
            Ok(())
        },
        write: |config| json!(share_of(config)),
    }
}

/// `rope_parameters`, or `rope_scaling`, of a model that may turn a share of a head's features.
pub const SHARED_PARAMETERS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let Some(object) = value.as_object() else {
            return read(config, value);
        };
        let mut others = object.clone();
        if let Some(share) = others.remove("partial_rotary_factor") {
            let share = number(&share).map_err(|error| error.within("partial_rotary_factor"))?;
            turn_share(config, share);
        }
        read(config, &Value::Object(others))
    },
    write: |config| {
        let Some(rotary) = config.attention.rotary else {
            return Value::Null;
        };
        let mut object = written(config, &rotary);
        object["partial_rotary_factor"] = json!(share_of(config));
        object
    },
};

/// Turns this share of a head's features, rounded down as Python does.
fn turn_share(config: &mut TransformerConfig, share: f64) {
    let width = head_width(config);
    let turned = (width as f64 * share) as usize;
    rotary(config).features = (turned != width).then_some(turned);
}

/// The share that gives back the number of features when it is read.
fn share_of(config: &TransformerConfig) -> f64 {
    let width = head_width(config) as f64;
    let turned = config.attention.rotary.and_then(|rotary| rotary.features);
    let turned = turned.map_or(width, |turned| turned as f64);
    match (turned / width * width) as usize == turned as usize {
        true => turned / width,
        false => (turned + 0.5) / width,
    }
}

/// The width of a head, of a configuration that may be wrong.
fn head_width(config: &TransformerConfig) -> usize {
    let usual = config.width.checked_div(config.heads).unwrap_or_default();
    config.attention.head_width.unwrap_or(usual)
}

/// Reads what `rope_parameters` says of one rotation.
pub(crate) fn read(config: &mut TransformerConfig, value: &Value) -> Result<(), KeyError> {
    let object = value.as_object();
    let object = object.ok_or_else(|| KeyError::must_be(value, "an object"))?;
    if let Some(theta) = object.get("rope_theta") {
        rotary(config).theta = number(theta).map_err(|error| error.within("rope_theta"))?;
    }
    rotary(config);
    scaling::read(config, object)
}

fn rotary(config: &mut TransformerConfig) -> &mut RotaryConfig {
    config
        .attention
        .rotary
        .get_or_insert(RotaryConfig::new(10_000.0))
}
