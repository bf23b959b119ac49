//! How rotations are scaled for longer texts, in `rope_parameters` of a `config.json`.

use serde_json::{Map, Value, json};

use super::{KeyError, flag, number, size};
use relprop_transformer::{RotaryConfig, RotaryFactors, RotaryScaling, TransformerConfig};

const FACTOR: &str = "factor";
const SIZE: &str = "attention_factor";
const ORIGINAL: &str = "original_max_position_embeddings";
const LOW: &str = "low_freq_factor";
const HIGH: &str = "high_freq_factor";
const FAST: &str = "beta_fast";
const SLOW: &str = "beta_slow";
const TRUNCATE: &str = "truncate";
const SCALES: [&str; 2] = ["mscale", "mscale_all_dim"];
const FACTORS: [&str; 2] = ["short_factor", "long_factor"];

/// The types of scaling, each with the keys that go with it.
const TYPES: [(&str, &[&str]); 6] = [
    ("default", &[]),
    ("linear", &[FACTOR]),
    ("dynamic", &[FACTOR]),
    ("llama3", &[FACTOR, LOW, HIGH, ORIGINAL]),
    (
        "yarn",
        &[
            FACTOR, SIZE, ORIGINAL, FAST, SLOW, TRUNCATE, SCALES[0], SCALES[1],
        ],
    ),
    (
        "longrope",
        &[FACTOR, SIZE, ORIGINAL, FACTORS[0], FACTORS[1]],
    ),
];

/// Reads the scaling of a configuration that has a rotation, and its number of positions.
pub(super) fn read(
    config: &mut TransformerConfig,
    object: &Map<String, Value>,
) -> Result<(), KeyError> {
    let of = Object(object);
    let kind = of.get("rope_type").or_else(|| of.get("type"));
    let default = Value::from("default");
    let kind = kind.unwrap_or(&default);
    let Some((kind, known)) = TYPES.iter().find(|(name, _)| kind.as_str() == Some(name)) else {
        let names = TYPES.map(|(name, _)| format!("`{name}`")).join(", ");
        let message = format!("is {kind}; of the types of scaling, only {names} are supported");
        return Err(KeyError::new(message).within("rope_type"));
    };
    let always = ["rope_type", "type", "rope_theta"];
    let is_known = |key: &str, value: &Value| {
        let whole = key == "partial_rotary_factor" && value.as_f64() == Some(1.0);
        always.contains(&key) || known.contains(&key) || whole || value.is_null()
    };
    if let Some((key, _)) = object.iter().find(|(key, value)| !is_known(key, value)) {
        return Err(KeyError::new("is not supported").within(key));
    }
    let before = config.attention.rotary.and_then(|rotary| rotary.scaling);
    let original_positions = match of.size(ORIGINAL)? {
        Some(positions) => positions,
        None => config.positions,
    };
    let scaling = match *kind {
        "linear" => RotaryScaling::Linear {
            factor: of.needed(FACTOR)?,
        },
        "dynamic" => {
            let factor = of.needed(FACTOR)?;
            // Once it was read, the configuration has more positions.
            let original_positions = match before {
                Some(RotaryScaling::Dynamic {
                    original_positions, ..
                }) => original_positions,
                _ => config.positions,
            };
            let positions = (factor * original_positions as f64) as usize;
            config.positions = positions.max(original_positions);
            RotaryScaling::Dynamic {
                factor,
                original_positions,
            }
        }
        "llama3" => RotaryScaling::Llama3 {
            factor: of.needed(FACTOR)?,
            low_frequency: of.needed(LOW)?,
            high_frequency: of.needed(HIGH)?,
            original_positions,
        },
        "yarn" => {
            let factor = of.needed(FACTOR)?;
            let not_zero = |key, usual| {
                let found = of.number(key)?.filter(|number| *number != 0.0);
                Ok::<_, KeyError>(found.unwrap_or(usual))
            };
            RotaryScaling::Yarn {
                factor,
                fast: not_zero(FAST, 32.0)?,
                slow: not_zero(SLOW, 1.0)?,
                original_positions,
                truncated: match of.get(TRUNCATE) {
                    None => true,
                    Some(value) => flag(value).map_err(|error| error.within(TRUNCATE))?,
                },
                size: match of.number(SIZE)? {
                    Some(size) => size,
                    None => yarn_size(factor, not_zero(SCALES[0], 0.0)?, not_zero(SCALES[1], 0.0)?),
                },
            }
        }
        "longrope" => {
            let [short, long] = FACTORS.map(|key| of.list(key));
            config.rotary_factors = Some(RotaryFactors {
                short: short?,
                long: long?,
            });
            RotaryScaling::Long {
                original_positions,
                factor: of.number(FACTOR)?,
                size: of.number(SIZE)?,
            }
        }
        _ => return Ok(()),
    };
    if let Some(rotary) = &mut config.attention.rotary {
        rotary.scaling = Some(scaling);
    }
    Ok(())
}

/// What YaRN multiplies turned features by where the file does not say it: 0.1 m ln(factor) + 1, with m 1, or by
/// the same with another m, if two are given.
fn yarn_size(factor: f64, above: f64, below: f64) -> f64 {
    let of = |m: f64| match factor > 1.0 {
        true => 0.1 * m * factor.ln() + 1.0,
        false => 1.0,
    };
    match above != 0.0 && below != 0.0 {
        true => of(above) / of(below),
        false => of(1.0),
    }
}

/// Sets how many tokens a text could have before the scaling, where it asks for it.
pub(super) fn set_original(config: &mut TransformerConfig, positions: usize) {
    let scaling = config.attention.rotary.as_mut();
    let scaling = scaling.and_then(|rotary| rotary.scaling.as_mut());
    if let Some(
        RotaryScaling::Llama3 {
            original_positions, ..
        }
        | RotaryScaling::Yarn {
            original_positions, ..
        }
        | RotaryScaling::Long {
            original_positions, ..
        },
    ) = scaling
    {
        *original_positions = positions;
    }
}

/// The number of positions that a file says: those before the scaling where it is dynamic.
pub(super) fn said_positions(config: &TransformerConfig) -> usize {
    match config.attention.rotary.and_then(|rotary| rotary.scaling) {
        Some(RotaryScaling::Dynamic {
            original_positions, ..
        }) => original_positions,
        _ => config.positions,
    }
}

/// A rotation of a configuration as `rope_parameters` says it, without the share of features that it turns.
pub(crate) fn written(config: &TransformerConfig, rotary: &RotaryConfig) -> Value {
    let (kind, mut object) = match rotary.scaling {
        None => ("default", json!({})),
        Some(RotaryScaling::Linear { factor }) => ("linear", json!({FACTOR: factor})),
        Some(RotaryScaling::Dynamic { factor, .. }) => ("dynamic", json!({FACTOR: factor})),
        Some(RotaryScaling::Llama3 {
            factor,
            low_frequency,
            high_frequency,
            original_positions,
        }) => (
            "llama3",
            json!({
                FACTOR: factor,
                HIGH: high_frequency,
                LOW: low_frequency,
                ORIGINAL: original_positions,
            }),
        ),
        Some(RotaryScaling::Yarn {
            factor,
            fast,
            slow,
            original_positions,
            truncated,
            size,
        }) => (
            "yarn",
            json!({
                FACTOR: factor,
                FAST: fast,
                SLOW: slow,
                ORIGINAL: original_positions,
                TRUNCATE: truncated,
                SIZE: size,
            }),
        ),
        Some(RotaryScaling::Long {
            original_positions,
            factor,
            size,
        }) => {
            let lists = config.rotary_factors.as_ref();
            let mut object = json!({
                ORIGINAL: original_positions,
                FACTORS[0]: lists.map(|lists| &lists.short),
                FACTORS[1]: lists.map(|lists| &lists.long),
            });
            for (key, value) in [(FACTOR, factor), (SIZE, size)] {
                if let Some(value) = value {
                    object[key] = json!(value);
                }
            }
            ("longrope", object)
        }
    };
    object["rope_theta"] = json!(rotary.theta);
    object["rope_type"] = kind.into();
    object
}

/// The object, of which a key that is null counts as missing.
struct Object<'a>(&'a Map<String, Value>);

impl Object<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn number(&self, key: &str) -> Result<Option<f64>, KeyError> {
        let found = self.get(key).map(number).transpose();
        found.map_err(|error| error.within(key))
    }

    fn needed(&self, key: &str) -> Result<f64, KeyError> {
        let found = self.number(key)?;
        found.ok_or_else(|| KeyError::new(format!("has no `{key}`")))
    }

    fn size(&self, key: &str) -> Result<Option<usize>, KeyError> {
        let found = self.get(key).map(size).transpose();
        found.map_err(|error| error.within(key))
    }

    fn list(&self, key: &str) -> Result<Vec<f64>, KeyError> {
        let missing = || KeyError::new(format!("has no `{key}`"));
        let value = self.get(key).ok_or_else(missing)?;
        let list = value.as_array().map(|list| list.iter().map(number));
        let list = list.ok_or_else(|| KeyError::must_be(value, "a list of numbers"));
        let list = list.and_then(Iterator::collect);
        list.map_err(|error| error.within(key))
    }
}
