//! The last step of a `tokenizer.json`, which puts special tokens around a text.

use serde_json::Value;

/// A special token of a template that the template does not define, as one or several tokens.
pub(super) fn undefined_token(step: &Value) -> Option<&str> {
    let nested = step["processors"].as_array();
    let mut nested = nested.into_iter().flatten().filter_map(undefined_token);
    let pieces = ["single", "pair"]
        .into_iter()
        .filter_map(|part| step[part].as_array());
    let mut tokens = pieces
        .flatten()
        .filter_map(|piece| piece["SpecialToken"]["id"].as_str());
    let undefined = tokens.find(|token| {
        let defined = &step["special_tokens"][*token];
        let [ids, tokens] = ["ids", "tokens"].map(|part| defined[part].as_array().map(Vec::len));
        ids.is_none() || ids != tokens
    });
    undefined.or_else(|| nested.next())
}
