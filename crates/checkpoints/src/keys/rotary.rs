//! Rotary positions in a `config.json`: one object since transformers 5, two keys before.

use serde_json::{Map, Value, json};

use super::{Key, KeyError, number, size};
use crate::family::Keys;
use relprop_transformer::{RotaryConfig, RotaryScaling, TransformerConfig};

/// The three of them.
pub const KEYS: Keys = &[
    ("rope_theta", THETA),
    ("rope_scaling", SCALING),
    ("rope_parameters", PARAMETERS),
];

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
        written(&rotary)
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
        let mut object = written(&rotary);
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

/// A rotation, without the share of features that it turns.
pub(crate) fn written(rotary: &RotaryConfig) -> Value {
    let theta = rotary.theta;
    let Some(scaling) = rotary.scaling else {
        return json!({"rope_theta": theta, "rope_type": "default"});
    };
    json!({
        "factor": scaling.factor,
        "high_freq_factor": scaling.high_frequency,
        "low_freq_factor": scaling.low_frequency,
        "original_max_position_embeddings": scaling.original_positions,
        "rope_theta": theta,
        "rope_type": "llama3",
    })
}

/// What Llama 3.x says of its scaling, beside the type and theta.
const STRETCHED: [&str; 4] = [
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
];

/// Reads what `rope_parameters` says of one rotation.
pub(crate) fn read(config: &mut TransformerConfig, value: &Value) -> Result<(), KeyError> {
    let object = value.as_object();
    let object = object.ok_or_else(|| KeyError::must_be(value, "an object"))?;
    let kind = object.get("rope_type").or_else(|| object.get("type"));
    let kind = kind.map_or(Some("default"), Value::as_str);
    let known: &[&str] = match kind {
        Some("default") => &[],
        Some("llama3") => &STRETCHED,
        _ => {
            return Err(KeyError::new(format!(
                "is {value}; of the types of scaling, only `default` and `llama3` are supported"
            )));
        }
    };
    let mut keys = object.keys().map(String::as_str);
    let always = ["rope_type", "type", "rope_theta"];
    let whole = |key: &&str| *key == "partial_rotary_factor" && object[*key].as_f64() == Some(1.0);
    if let Some(key) = keys.find(|key| !always.contains(key) && !known.contains(key) && !whole(key))
    {
        return Err(KeyError::new("is not supported").within(key));
    }
    let rotary = rotary(config);
    if let Some(theta) = object.get("rope_theta") {
        rotary.theta = number(theta).map_err(|error| error.within("rope_theta"))?;
    }
    if kind == Some("llama3") {
        rotary.scaling = Some(scaling(object)?);
    }
    Ok(())
}

fn scaling(object: &Map<String, Value>) -> Result<RotaryScaling, KeyError> {
    let get = |key: &str| {
        let value = object.get(key);
        value.ok_or_else(|| KeyError::new(format!("has no `{key}`")))
    };
    let number = |key: &str| number(get(key)?).map_err(|error| error.within(key));
    let size = |key: &str| size(get(key)?).map_err(|error| error.within(key));
    let [factor, low, high, positions] = STRETCHED;
    Ok(RotaryScaling {
        factor: number(factor)?,
        low_frequency: number(low)?,
        high_frequency: number(high)?,
        original_positions: size(positions)?,
    })
}

fn rotary(config: &mut TransformerConfig) -> &mut RotaryConfig {
    config
        .attention
        .rotary
        .get_or_insert(RotaryConfig::new(10_000.0))
}
