//! Methods, rules, targets or models side by side.

use relprop_explain::{Explanation, LRP};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::ask::{Ask, ask, take};
use crate::explainers::Explained;
use crate::limits;
use crate::models::NamedModel;
use crate::refusal::Refusal;

/// What only propagation can be asked: another method takes its place with all of it.
const PROPAGATION: [&str; 4] = ["rules", "at", "ledger", "recompute"];
/// What all sides have in common.
pub const COMMON: [&str; 5] = ["text", "texts", "picture", "pictures", "fragments"];

/// What `POST /api/compare` asks: what is asked of all, and under `sides` what each has of its own.
///
/// # Errors
///
/// [`Refusal`], as [`ask`] has it for each side, or if there are too few or too many sides.
pub fn sides(models: &[NamedModel], mut body: Map<String, Value>) -> Result<Vec<Ask>, Refusal> {
    let sides: Option<Vec<Map<String, Value>>> = take(&mut body, "sides")?;
    let sides = sides.unwrap_or_default();
    if !(2..=limits::SIDES).contains(&sides.len()) {
        return Err(Refusal::bad(format!(
            "give from 2 to {} `sides`, each an object with what it has of its own, such as `rules`",
            limits::SIDES
        )));
    }
    let read = sides.into_iter().enumerate().map(|(place, side)| {
        let of_side = |message: &str| Refusal::bad(format!("side {}: {message}", place + 1));
        if let Some(key) = COMMON.into_iter().find(|key| side.contains_key(*key)) {
            return Err(of_side(&format!("`{key}` is the same for all sides")));
        }
        let mut asked = body.clone();
        let method = side.get("method").and_then(Value::as_str);
        if method.is_some_and(|method| method != LRP) {
            PROPAGATION.iter().for_each(|key| drop(asked.remove(*key)));
        } else if side.contains_key("rules") {
            asked.remove("method");
        }
        asked.extend(side);
        ask(models, asked).map_err(|error| of_side(&error.message))
    });
    read.collect()
}

/// The answer to `POST /api/compare`.
#[derive(Debug, Serialize)]
pub struct Comparison<'f> {
    sides: Vec<Side<'f>>,
}

#[derive(Debug, Serialize)]
struct Side<'f> {
    /// The name of the rule set or of the method.
    title: &'f str,
    #[serde(flatten)]
    answer: Answer<'f>,
    /// For each text the relevance that has the deepest color: the largest of a word, in any side whose
    /// relevance is in the same unit. None for what is no single explanation.
    scales: Vec<Option<f32>>,
}

impl<'f> Comparison<'f> {
    /// Puts what was found side by side.
    pub fn new(models: &'f [NamedModel], found: &'f [(Ask, Explained)]) -> Self {
        let side = |(asked, explained): &'f (Ask, Explained)| {
            let scale = |place: usize| {
                let own = explanation(explained, place)?;
                let sides = found
                    .iter()
                    .filter_map(|(_, side)| explanation(side, place));
                let comparable = sides.filter(|other| has_unit_of(own, other));
                Some(comparable.map(strongest).fold(strongest(own), f32::max))
            };
            Side {
                title: explanation(explained, 0).map_or("", Explanation::title),
                answer: Answer::new(
                    &models[asked.question.model].name,
                    explained,
                    &asked.fragments,
                ),
                scales: (0..explained.found.len()).map(scale).collect(),
            }
        };
        Self {
            sides: found.iter().map(side).collect(),
        }
    }
}

/// The explanation of a text, if there is a single one.
fn explanation(explained: &Explained, place: usize) -> Option<&Explanation> {
    explained
        .found
        .get(place)
        .and_then(|(found, _)| found.explanation())
}

/// Propagation gives relevance in units of the target, under any rules; other methods have units of their
/// own.
fn has_unit_of(one: &Explanation, other: &Explanation) -> bool {
    one.method == LRP && other.method == LRP && one.target.score == other.target.score
}

/// The largest relevance of a word, of either sign; of a patch, where there are no words.
fn strongest(explanation: &Explanation) -> f32 {
    let words = explanation.words.iter().map(|word| word.relevance);
    let tokens = explanation.tokens.iter().map(|token| token.relevance);
    let largest = |all: &mut dyn Iterator<Item = f32>| all.fold(0.0, |a: f32, b| a.max(b.abs()));
    match explanation.words.is_empty() {
        true => largest(&mut { tokens }),
        false => largest(&mut { words }),
    }
}
