//! The tokens that end what a language model writes.

use std::path::Path;

use serde_json::{Map, Value};

use crate::files::GENERATION;
use crate::json::from_json;
use crate::{CheckpointError, Files};

/// The tokens that end what a language model writes. As in `transformers`, `generation_config.json` says it
/// before the `config` does.
pub(super) fn ends(files: &Files, config: &str, path: &Path) -> Result<Vec<u32>, CheckpointError> {
    let of = |text: &str, path: &Path| {
        let wrong = |message| CheckpointError::Config {
            path: path.to_owned(),
            message,
        };
        let keys: Map<String, Value> = from_json(text).map_err(wrong)?;
        ids(keys.get("eos_token_id")).map_err(wrong)
    };
    if let Some(file) = files.get(GENERATION)
        && let Some(ends) = of(&file.text()?, file.path())?
    {
        return Ok(ends);
    }
    Ok(of(config, path)?.unwrap_or_default())
}

/// The ids that `eos_token_id` gives; none if it says nothing. Some files have a negative number for that.
fn ids(value: Option<&Value>) -> Result<Option<Vec<u32>>, String> {
    let one = |value: &Value| match value.as_i64() {
        Some(..0) => Ok(None),
        Some(id) => u32::try_from(id).map(Some).map_err(|_| ()),
        None => Err(()),
    };
    let found = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) => values.iter().map(one).collect(),
        Some(value) => one(value).map(|id| vec![id]),
    };
    let found: Vec<Option<u32>> = found.map_err(|()| {
        let value = value.unwrap_or(&Value::Null);
        format!(
            "`eos_token_id` is {value}; it must be the number of a token, or a list of such numbers"
        )
    })?;
    Ok(Some(found.into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::files::CONFIG;

    /// The ends that these two files say; an error is its message.
    fn read(config: &Value, generation: Option<&Value>) -> Result<Vec<u32>, String> {
        let generation = generation.map(|keys| (GENERATION, keys.to_string().into_bytes()));
        let files = Files::at_hand(generation);
        let found = ends(&files, &config.to_string(), Path::new(CONFIG));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn the_end_of_a_text_is_one_token_or_several() {
        for (config, generation, ends) in [
            (json!({}), None, &[][..]),
            (json!({"eos_token_id": null}), None, &[]),
            (json!({"eos_token_id": 2}), None, &[2]),
            (json!({"eos_token_id": [2, 7]}), None, &[2, 7]),
            (json!({"eos_token_id": -1}), None, &[]),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": [7, 8]})),
                &[7, 8],
            ),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": 7})),
                &[7],
            ),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": null})),
                &[2],
            ),
            (json!({"eos_token_id": 2}), Some(json!({})), &[2]),
        ] {
            let found = read(&config, generation.as_ref());
            assert_eq!(found.as_deref(), Ok(ends), "{config} {generation:?}");
        }
        for wrong in [
            json!("</s>"),
            json!(2.5),
            json!([2, "x"]),
            json!(1u64 << 40),
        ] {
            let said = read(&json!({"eos_token_id": wrong}), None).unwrap_err();
            assert!(
                said.starts_with("config.json: `eos_token_id` is "),
                "{said}"
            );
            let said = read(&json!({}), Some(&json!({"eos_token_id": wrong}))).unwrap_err();
            assert!(
                said.starts_with("generation_config.json: `eos_token_id`"),
                "{said}"
            );
        }
    }
}
