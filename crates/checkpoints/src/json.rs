//! JSON into values, with errors that name the key.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};

/// Reads a whole text.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut json = Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(said)?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Reads a value that was parsed already.
pub(super) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(said)
}

/// The path to the key, and what is wrong there: `` `input.tokens.vocabulary`: invalid type: ... ``.
fn said(error: serde_path_to_error::Error<serde_json::Error>) -> String {
    let message = error.inner().to_string();
    let mut path: Vec<String> = error.path().iter().map(ToString::to_string).collect();
    // Of a key that there is not, the message gives the name itself.
    if message.starts_with("unknown field") {
        path.pop();
    }
    match path.is_empty() {
        true => message,
        false => format!("`{}`: {message}", path.join(".")),
    }
}

#[cfg(test)]
mod tests {
    use relprop_transformer::TransformerConfig;
    use serde_json::json;

    use super::*;

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut config = json!(TransformerConfig::bert(7, vec!["yes".to_owned()]));
        change(&mut config);
        from_value::<TransformerConfig>(config).unwrap_err()
    }

    #[test]
    fn a_wrong_type_is_told_with_its_key() {
        let wrong = refusal(|config| config["heads"] = Value::Null);
        assert_eq!(wrong, "`heads`: invalid type: null, expected usize");
        let wrong = refusal(|config| config["input"]["tokens"]["vocabulary"] = json!("many"));
        assert!(
            wrong.starts_with("`input.tokens.vocabulary`: invalid type: string"),
            "{wrong}"
        );
        let wrong = refusal(|config| config["block"] = json!(1));
        assert!(wrong.starts_with("unknown field `block`"), "{wrong}");
        let wrong = refusal(|config| config["norm"]["affin"] = json!(true));
        assert!(
            wrong.starts_with("`norm`: unknown field `affin`"),
            "{wrong}"
        );
        let wrong = from_json::<TransformerConfig>("7").unwrap_err();
        assert!(wrong.starts_with("invalid type: "), "{wrong}");
    }
}
