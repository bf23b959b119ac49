//! The keys of a request, in one table: the request is checked by it, and described by it.

use serde_json::{Value, json};

/// A key of a request.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// What its value is, as JSON Schema.
    pub schema: fn() -> Value,
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn text_or_texts() -> Value {
    json!({"oneOf": [text(), texts()]})
}

fn text_or_number() -> Value {
    json!({"oneOf": [text(), {"type": "integer", "minimum": 0}]})
}

fn switch() -> Value {
    json!({"type": "boolean", "default": false})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn picture() -> Value {
    let named = json!({
        "type": "object",
        "properties": {"name": text(), "data": text()},
        "required": ["name", "data"],
        "additionalProperties": false,
    });
    json!({"oneOf": [text(), named]})
}

/// A field of this name, kind and meaning.
const fn field(name: &'static str, schema: fn() -> Value, about: &'static str) -> Field {
    Field {
        name,
        about,
        schema,
    }
}

/// What is asked beside what the engine does.
pub const OWN: &[Field] = &[
    field("text", text, "The text."),
    field(
        "texts",
        texts,
        "Several texts, in place of `text`; with two towers, the texts that each picture is compared with.",
    ),
    field(
        "picture",
        picture,
        "A picture for a model that reads pictures: the bytes of a PNG or JPEG file in base64.",
    ),
    field(
        "pictures",
        || json!({"type": "array", "items": picture()}),
        "Several pictures.",
    ),
    field(
        "model",
        text,
        "The name of the model, as `GET /api/model` lists it; the first by default.",
    ),
    field(
        "fragments",
        || json!({"type": "array", "items": {"enum": crate::fragment::Fragment::NAMES}}),
        "Which fragments of HTML are wanted beside the numbers.",
    ),
    field("query", text, "What the model reads before each text."),
    field(
        "temperature",
        number,
        "Draw tokens from logits that are divided by this.",
    ),
    field("top_k", count, "Draw from so many of the likeliest tokens."),
    field(
        "top_p",
        number,
        "Draw from the fewest likeliest tokens that together have this probability.",
    ),
];

/// What is asked of two towers alone; what else is asked of them, one model is asked as well.
pub const TOWERS: &[Field] = &[field(
    "pairs",
    switch,
    "Also say what patches and words do together: a pass for each feature of a vector.",
)];

/// The fields of the engine's request.
pub const FIELDS: &[Field] = &[
    field("method", text, "The method; `lrp` by default."),
    field(
        "rules",
        || json!({"oneOf": [text(), {"type": "object"}]}),
        "The rules of propagation: a preset's name, or an object with `name` and `rules`.",
    ),
    field("at", text, "The site at which relevance is read."),
    field("ledger", switch, "Account for the whole target."),
    field(
        "recompute",
        switch,
        "Run every block again in the backward pass: less memory, more time.",
    ),
    field(
        "target",
        text_or_number,
        "What is explained: a label, or a target such as `yes-no` or `entity(-1)`; `predicted` by default.",
    ),
    field(
        "against",
        text_or_number,
        "Explain why the target rather than this.",
    ),
    field(
        "position",
        count,
        "The token that is asked, counted from 0.",
    ),
    field(
        "hops",
        count,
        "How often relevance on earlier text of an answer is passed on.",
    ),
    field(
        "score",
        || json!({"enum": ["logit", "log-probability", "entropy", "norm"]}),
        "How the target is measured.",
    ),
    field(
        "segments",
        text,
        "Gather relevance by segments of the text.",
    ),
    field(
        "truncation",
        || json!({"enum": ["cut", "cut-start", "refuse", "windows"]}),
        "What is done to a text that is too long.",
    ),
    field("seed", count, "The seed of random numbers."),
    field(
        "pair",
        text_or_texts,
        "What the model reads after each text: one for all, or one for each.",
    ),
    field(
        "labels",
        texts,
        "Labels that the model was never trained on.",
    ),
    field(
        "template",
        text,
        "The sentence that such a label makes, with `{}` where it stands.",
    ),
    field(
        "several",
        switch,
        "Several of these labels can be true at once.",
    ),
    field(
        "answer",
        text_or_texts,
        "Explain why the model gives this answer: one for all texts, or one for each.",
    ),
    field(
        "chat",
        switch,
        "Put texts through the model's chat template.",
    ),
    field(
        "parts",
        || json!({"enum": ["entities", "tokens"]}),
        "What is explained where each token has a label.",
    ),
    field(
        "generate",
        count,
        "Let a language model add so many tokens, and explain each.",
    ),
    field(
        "sampling",
        || json!({"type": "object"}),
        "How tokens are drawn: `temperature`, `top_k`, `top_p` and `seed` in one object.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use relprop_engine::{CompareRequest, Request};
    use serde_json::Value;

    use super::*;

    fn keys(request: impl serde::Serialize) -> BTreeSet<String> {
        let Value::Object(request) = serde_json::to_value(request).unwrap() else {
            panic!("a request is an object")
        };
        request.keys().cloned().collect()
    }

    fn names(fields: &[Field]) -> BTreeSet<String> {
        let names: BTreeSet<String> = fields.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(names.len(), fields.len());
        names
    }

    #[test]
    fn the_table_has_every_key_of_the_engine() {
        let known = names(FIELDS);
        assert_eq!(known, keys(Request::default()));
        assert!(known.is_disjoint(&names(OWN)));
    }

    #[test]
    fn what_two_towers_alone_are_asked_has_a_table_of_its_own() {
        let one: BTreeSet<String> = names(FIELDS).union(&names(OWN)).cloned().collect();
        let asked = keys(CompareRequest::default());
        let alone: BTreeSet<String> = asked.difference(&one).cloned().collect();
        assert_eq!(alone, names(TOWERS));
    }
}
