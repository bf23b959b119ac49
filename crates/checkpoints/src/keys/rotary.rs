//! Rotary positions in a `config.json`: one object since transformers 5, two keys before.

use serde_json::{Map, Value, json};

use super::{Key, KeyError, number, size};
use relprop_transformer::{RotaryConfig, RotaryScaling, TransformerConfig};

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
    },
};

/// What Llama 3.x says of its scaling, beside the type and theta.
const STRETCHED: [&str; 4] = [
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
];

fn read(config: &mut TransformerConfig, value: &Value) -> Result<(), KeyError> {
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
    config.attention.rotary.get_or_insert(RotaryConfig {
        theta: 10_000.0,
        scaling: None,
    })
}
