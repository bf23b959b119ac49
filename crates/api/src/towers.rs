//! The body of a request to a model of two towers: pictures, and the texts that each is compared with.

use relprop_engine::CompareRequest;
use serde_json::{Map, Value};

use crate::ask::{check_texts, most, read, rules};
use crate::limits;
use crate::pictures::pictures;
use crate::question::Item;
use crate::refusal::Refusal;

/// The pictures, and what is asked about them of the model of this `name`.
pub(crate) fn compared(
    name: &str,
    mut body: Map<String, Value>,
) -> Result<(Vec<Item>, CompareRequest), Refusal> {
    let pictures = pictures(&mut body)?;
    refuse_others(name, &body)?;
    let rules = rules(&mut body)?;
    let mut request: CompareRequest = read(body)?;
    request.rules = rules;
    let Some(pictures) = pictures.filter(|_| !request.texts.is_empty()) else {
        return Err(Refusal::bad(format!(
            "the model `{name}` compares pictures with texts: give a `picture`, or `pictures`, and `texts`"
        )));
    };
    check_texts(pictures.iter().map(|picture| picture.text.as_str()))?;
    most("texts", request.texts.len(), limits::LABELS)?;
    check_texts(request.texts.iter().map(String::as_str))?;
    Ok((pictures, request))
}

/// Refuses keys that are asked of one model alone.
fn refuse_others(name: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
    let asked = serde_json::to_value(CompareRequest::default()).unwrap_or_default();
    match body.keys().find(|key| asked.get(key).is_none()) {
        None => Ok(()),
        Some(other) => Err(Refusal::bad(format!(
            "`{other}` is not asked of the model `{name}`, which compares a `picture` with `texts`"
        ))),
    }
}
