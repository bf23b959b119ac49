//! The body of a request, as what the model is asked.

use std::num::NonZeroUsize;

use relprop_checkpoints::Model;
use relprop_engine::{AnyModel, NamedRules, Request, Second, is_rules_file};
use relprop_explain::Sampling;
use relprop_transformer::Outputs;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::fields::{FIELDS, OWN, TOWERS};
use crate::fragment::Fragment;
use crate::limits;
use crate::models::{NamedModel, place};
use crate::pictures::pictures;
use crate::question::{Asked, Item, Question, SECOND};
use crate::refusal::Refusal;
use crate::towers::compared;

/// What `POST /api/explain` asks.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is asked of which model.
    pub question: Question,
    /// The texts or pictures.
    pub items: Vec<Item>,
    /// Which fragments of HTML are wanted.
    pub fragments: Vec<Fragment>,
}

/// The object that a body is.
///
/// # Errors
///
/// [`Refusal`], if it is none.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Err(Refusal::bad(
            "the body is empty: it must be a JSON object with a `text`",
        ));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        Refusal::bad(format!("the body is not UTF-8: look at byte {place}"))
    })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::bad("the body must be a JSON object with a `text`")),
        Err(error) => Err(Refusal::bad(format!("the body is not JSON: {error}"))),
    }
}

/// Reads a question about texts or pictures, or about both together.
///
/// # Errors
///
/// [`Refusal`] for an unknown key or name, for what exceeds a limit, and for what does not fit the model.
pub fn ask(models: &[NamedModel], mut body: Map<String, Value>) -> Result<Ask, Refusal> {
    let known = [OWN, FIELDS, TOWERS].into_iter().flatten();
    refuse_unknown(&body, known.map(|field| field.name))?;
    body.retain(|_, value| !value.is_null());
    let name: Option<String> = take(&mut body, "model")?;
    let model = place(models, name.as_deref())?;
    let fragments = take(&mut body, "fragments")?.unwrap_or_default();
    let named = &models[model];
    let (items, asked) = match &named.model {
        AnyModel::One(one) => {
            refuse_towers(&named.name, &body)?;
            let mut items = items(named, &mut body)?;
            let request = request(one, body, &mut items)?;
            (items, Asked::One(Box::new(request)))
        }
        AnyModel::Towers(_) => {
            let (items, request) = compared(&named.name, body)?;
            (items, Asked::Towers(Box::new(request)))
        }
    };
    Ok(Ask {
        question: Question { model, asked },
        items,
        fragments,
    })
}

/// Refuses keys that are asked of two towers alone.
fn refuse_towers(name: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
    match TOWERS.iter().find(|field| body.contains_key(field.name)) {
        None => Ok(()),
        Some(field) => Err(Refusal::bad(format!(
            "`{}` is asked of a model of two towers, and the model `{name}` is none",
            field.name
        ))),
    }
}

/// Refuses keys that mean nothing.
pub(crate) fn refuse_unknown<'k>(
    body: &Map<String, Value>,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Result<(), Refusal> {
    let mut given = body.keys();
    match given.find(|given| !known.clone().any(|known| known == *given)) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<_> = known.collect();
            Err(Refusal::bad(format!(
                "there is no key `{unknown}`; there are {}",
                known.join(", ")
            )))
        }
    }
}

/// Takes a key out of the body; none if it is not there, or null.
pub(crate) fn take<T: DeserializeOwned>(
    body: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, Refusal> {
    match body.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| Refusal::bad(format!("`{key}`: {error}"))),
    }
}

/// Second texts: one for all texts, one for each, or as the engine writes one.
#[derive(Deserialize)]
#[serde(untagged, expecting = "it is neither a text nor a list of texts")]
enum Seconds {
    One(String),
    Many(Vec<String>),
    Written(Second),
}

/// The texts or pictures.
fn items(model: &NamedModel, body: &mut Map<String, Value>) -> Result<Vec<Item>, Refusal> {
    let text: Option<String> = take(body, "text")?;
    let texts: Option<Vec<String>> = take(body, "texts")?;
    let pictures = pictures(body)?;
    let is_picture = pictures.is_some();
    let items: Vec<Item> = match (text, texts, pictures) {
        (Some(text), None, None) => vec![Item::text(text)],
        (None, Some(texts), None) => texts.into_iter().map(Item::text).collect(),
        (None, None, Some(pictures)) => pictures,
        (None, None, None) => {
            return Err(Refusal::bad(match model.reads_pictures() {
                true => "nothing is asked: give a `picture`, or `pictures`",
                false => "nothing is asked: give a `text`, or `texts`",
            }));
        }
        _ => {
            return Err(Refusal::bad(
                "give one of `text`, `texts`, `picture` and `pictures`",
            ));
        }
    };
    match (model.reads_pictures(), is_picture) {
        (true, false) => {
            return Err(Refusal::bad(format!(
                "the model `{}` reads pictures: give a `picture`",
                model.name
            )));
        }
        (false, true) => {
            return Err(Refusal::bad(format!(
                "the model `{}` reads texts: give a `text`",
                model.name
            )));
        }
        _ => {}
    }
    check_texts(items.iter().map(|item| item.text.as_str()))?;
    Ok(items)
}

/// Refuses texts that are too many or too long.
pub(crate) fn check_texts<'t>(
    texts: impl ExactSizeIterator<Item = &'t str>,
) -> Result<(), Refusal> {
    let count = texts.len();
    if count == 0 || count > limits::TEXTS {
        return Err(Refusal::bad(format!(
            "there are {count} texts: a request may have from 1 to {}",
            limits::TEXTS
        )));
    }
    for text in texts {
        // A character has at most four bytes, so most texts need not be counted.
        if text.len() > limits::CHARACTERS && text.chars().count() > limits::CHARACTERS {
            return Err(Refusal::bad(format!(
                "a text has {} characters: it may have {}",
                text.chars().count(),
                limits::CHARACTERS
            )));
        }
    }
    Ok(())
}

/// The rest of the body in the words of the engine. Second texts go to the items, so that requests whose
/// second texts differ can share a pass.
fn request(
    model: &Model,
    mut body: Map<String, Value>,
    items: &mut [Item],
) -> Result<Request, Refusal> {
    let query: Option<String> = take(&mut body, "query")?;
    let pair = take(&mut body, "pair")?;
    let pair = pair.map(|pair| beside(pair, items, "pair")).transpose()?;
    let pair = match (pair, query) {
        (Some(_), Some(_)) => return Err(Refusal::bad("`pair` does not go with `query`")),
        (pair, query) => pair.or(query.map(Second::Before)),
    };
    let answer: Option<Seconds> = take(&mut body, "answer")?;
    let finds_answers = model.transformer.config().head.outputs() == Outputs::StartAndEnd;
    let answer = match answer {
        // It stands in the second text, and is a place there.
        Some(Seconds::One(answer)) if finds_answers => Some(Second::Text(answer)),
        Some(_) if pair.is_some() && !finds_answers => {
            return Err(Refusal::bad("`answer` does not go with `pair`"));
        }
        Some(answer) => Some(beside(answer, items, "answer")?),
        None => None,
    };
    let rules = rules(&mut body)?;
    let sampling = sampling(&mut body)?;
    let mut request: Request = read(body)?;
    request.rules = rules;
    request.pair = pair;
    request.answer = answer;
    request.sampling = request.sampling.or(sampling);
    check(&request)?;
    Ok(request)
}

/// A body in the words of the engine.
pub(crate) fn read<T: DeserializeOwned>(mut body: Map<String, Value>) -> Result<T, Refusal> {
    for key in ["target", "against"] {
        // A label may be given by its number.
        if let Some(Value::Number(number)) = body.get(key) {
            let number = number.to_string();
            body.insert(key.to_owned(), number.into());
        }
    }
    serde_path_to_error::deserialize(Value::Object(body)).map_err(|error| {
        let key = error.path().to_string();
        Refusal::bad(format!("`{key}`: {}", error.into_inner()))
    })
}

/// Puts second texts beside the items, and says where they are.
fn beside(seconds: Seconds, items: &mut [Item], key: &str) -> Result<Second, Refusal> {
    let seconds = match seconds {
        Seconds::One(text) | Seconds::Written(Second::Text(text)) => vec![text; items.len()],
        Seconds::Many(texts) => texts,
        Seconds::Written(before @ Second::Before(_)) => return Ok(before),
        Seconds::Written(Second::Column(_)) => {
            return Err(Refusal::bad(format!(
                "`{key}` names a column, and a request has none: give a list of texts"
            )));
        }
    };
    if seconds.len() != items.len() {
        return Err(Refusal::bad(format!(
            "`{key}` has {} texts for {}",
            seconds.len(),
            items.len()
        )));
    }
    check_texts(seconds.iter().map(String::as_str))?;
    for (item, second) in items.iter_mut().zip(seconds) {
        item.second = Some(second);
    }
    Ok(Second::Column(SECOND.to_owned()))
}

/// How tokens are drawn, if they are: the seed of drawing is the seed of the question.
fn sampling(body: &mut Map<String, Value>) -> Result<Option<Sampling>, Refusal> {
    let temperature = take(body, "temperature")?;
    let top_k = take(body, "top_k")?;
    let top_p = take(body, "top_p")?;
    if temperature.is_none() && top_k.is_none() && top_p.is_none() {
        return Ok(None);
    }
    let usual = Sampling::default();
    Ok(Some(Sampling {
        temperature: temperature.unwrap_or(usual.temperature),
        top_k,
        top_p: top_p.unwrap_or(usual.top_p),
        seed: body
            .get("seed")
            .and_then(Value::as_u64)
            .unwrap_or(usual.seed),
    }))
}

/// Refuses what would take the model for too long.
fn check(request: &Request) -> Result<(), Refusal> {
    let Request {
        method,
        hops,
        labels,
        generate,
        ..
    } = request;
    if let Some(method) = method {
        check_method(method)?;
    }
    let generated = generate.map_or(0, NonZeroUsize::get);
    most("generate", generated, limits::TOKENS)?;
    most("labels", labels.len(), limits::LABELS)?;
    most("hops", *hops, limits::HOPS)
}

/// Refuses a number that is larger than a server allows.
pub(crate) fn most(key: &str, asked: usize, most: usize) -> Result<(), Refusal> {
    match asked > most {
        true => Err(Refusal::bad(format!(
            "`{key}` asks for {asked}: a server allows {most}"
        ))),
        false => Ok(()),
    }
}

/// The rules, by name or as themselves. A file's name is refused: no request opens a file.
pub(crate) fn rules(body: &mut Map<String, Value>) -> Result<Option<NamedRules>, Refusal> {
    match body.remove("rules") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if is_rules_file(&name) => Err(Refusal::bad(format!(
            "`rules` is {name}: a server opens no files; give a preset, or the rules themselves"
        ))),
        Some(Value::String(name)) => Ok(Some(NamedRules::Name(name))),
        Some(rules @ Value::Object(_)) => match serde_path_to_error::deserialize(rules) {
            Ok(rules) => Ok(Some(NamedRules::Set(rules))),
            Err(error) => {
                let key = error.path().to_string();
                let why = error.into_inner();
                Err(Refusal::bad(format!("`rules`, `{key}`: {why}")))
            }
        },
        Some(_) => Err(Refusal::bad(
            "`rules` is neither a preset's name nor an object with `name` and `rules`",
        )),
    }
}

/// Refuses a method with more steps or samples than a server has time for.
fn check_method(method: &str) -> Result<(), Refusal> {
    let numbers = method.split(':').skip(1).filter_map(|parameter| {
        let (name, number) = parameter.split_once('=')?;
        // A seed takes no time.
        (name != "seed").then(|| number.parse::<f64>().ok())?
    });
    let most = limits::STEPS as f64;
    match numbers.into_iter().find(|number| *number > most) {
        Some(number) => Err(Refusal::bad(format!(
            "`method` asks for {number}: a server allows {most}"
        ))),
        None => Ok(()),
    }
}
