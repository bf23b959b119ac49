//! The description of the API, made from the tables by which requests are checked and from the schemas of
//! what is written.

use relprop_api::{COMMON, FIELDS, Field, OWN, SIDES, SIMILAR_FIELDS, TOWERS};
use serde_json::{Map, Value, json};

/// A route.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// `get` or `post`.
    pub(crate) method: &'static str,
    about: &'static str,
    /// What is sent, as JSON Schema; none if nothing is.
    request: Option<fn() -> Value>,
    /// The type of the answer, and its JSON Schema if it is JSON.
    mime: &'static str,
    answer: fn() -> Value,
}

const JSON: &str = "application/json";

/// Every route but the files of the page.
pub(crate) const ROUTES: [Route; 9] = [
    Route {
        path: "/",
        method: "get",
        about: "The page.",
        request: None,
        mime: "text/html",
        answer: text,
    },
    Route {
        path: "/api/explain",
        method: "post",
        about: "Why the model decides as it does on each text or picture: what `relprop explain --format json` writes.",
        request: Some(|| object(&[OWN, FIELDS, TOWERS])),
        mime: JSON,
        answer: explained,
    },
    Route {
        path: "/api/compare",
        method: "post",
        about: "The same by several methods, rules, targets or models, with one scale for what has one unit.",
        request: Some(compared),
        mime: JSON,
        answer: sides,
    },
    Route {
        path: "/api/similar",
        method: "post",
        about: "Why texts are alike to a model that makes vectors of them: what `relprop similar --format json` writes.",
        request: Some(|| object(&[SIMILAR_FIELDS])),
        mime: JSON,
        answer: similarities,
    },
    Route {
        path: "/api/model",
        method: "get",
        about: "The models that are served, and what can be asked of them.",
        request: None,
        mime: JSON,
        answer: any_object,
    },
    Route {
        path: "/api/rules",
        method: "get",
        about: "The rule sets by name, each with its TOML.",
        request: None,
        mime: JSON,
        answer: any_object,
    },
    Route {
        path: "/api/openapi.json",
        method: "get",
        about: "This description.",
        request: None,
        mime: JSON,
        answer: any_object,
    },
    Route {
        path: "/health",
        method: "get",
        about: "Whether the server answers, and how many requests wait for the model.",
        request: None,
        mime: JSON,
        answer: any_object,
    },
    Route {
        path: "/metrics",
        method: "get",
        about: "Numbers about the server, in the text format of Prometheus.",
        request: None,
        mime: "text/plain",
        answer: text,
    },
];

/// What `docs/schema` says of what is written, by the names that the schemas have in the description.
const SCHEMAS: [(&str, &str); 6] = [
    (
        "explanation",
        include_str!("../../../docs/schema/explanation.json"),
    ),
    (
        "continuation",
        include_str!("../../../docs/schema/continuation.json"),
    ),
    (
        "labelling",
        include_str!("../../../docs/schema/labelling.json"),
    ),
    (
        "zero-shot",
        include_str!("../../../docs/schema/zero-shot.json"),
    ),
    (
        "comparison",
        include_str!("../../../docs/schema/comparison.json"),
    ),
    (
        "similarity",
        include_str!("../../../docs/schema/similarity.json"),
    ),
];

fn text() -> Value {
    json!({"type": "string"})
}

fn any_object() -> Value {
    json!({"type": "object"})
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these fields, all of which may be left out.
fn object(tables: &[&[Field]]) -> Value {
    let fields = tables.iter().flat_map(|fields| fields.iter());
    let properties = fields.map(|field| {
        let mut schema = (field.schema)();
        schema["description"] = field.about.into();
        (field.name.to_owned(), schema)
    });
    let properties: Map<String, Value> = properties.collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn compared() -> Value {
    let mut request = object(&[OWN, FIELDS, TOWERS]);
    let own: Vec<Field> = [OWN, FIELDS, TOWERS]
        .into_iter()
        .flatten()
        .filter(|field| !COMMON.contains(&field.name))
        .copied()
        .collect();
    request["properties"]["sides"] = json!({
        "type": "array",
        "minItems": 2,
        "maxItems": SIDES,
        "items": object(&[&own]),
        "description": "What each side has of its own; everything else holds for all of them.",
    });
    request["required"] = json!(["sides"]);
    request
}

/// The fields of an answer to `explain`.
fn answer() -> Map<String, Value> {
    let found = [
        "explanation",
        "continuation",
        "labelling",
        "zero-shot",
        "comparison",
    ];
    let found = found.map(schema);
    let fields = json!({
        "model": {"type": "string", "description": "The name of the model."},
        "explanations": {"type": "array", "items": {"oneOf": found}},
        "fragments": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
            "description": "The fragments of each text by their names, if any were asked for.",
        },
        "warning": {"type": "string", "description": "What should be known of all of them."},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn explained() -> Value {
    json!({
        "type": "object",
        "properties": answer(),
        "required": ["model", "explanations"],
        "additionalProperties": false,
    })
}

fn sides() -> Value {
    let mut fields = answer();
    fields.insert(
        "title".to_owned(),
        json!({"type": "string", "description": "The name of the rule set or of the method."}),
    );
    fields.insert(
        "scales".to_owned(),
        json!({
            "type": "array",
            "items": {"type": ["number", "null"]},
            "description": "For each text the relevance that has the deepest color.",
        }),
    );
    let side = json!({
        "type": "object",
        "properties": fields,
        "required": ["title", "model", "explanations", "scales"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {"sides": {"type": "array", "items": side}},
        "required": ["sides"],
        "additionalProperties": false,
    })
}

fn similarities() -> Value {
    json!({
        "type": "object",
        "properties": {
            "model": {"type": "string", "description": "The name of the model."},
            "places": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "The places of the texts among those given, the most similar first.",
            },
            "similarities": {"type": "array", "items": schema("similarity")},
            "fragments": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "required": ["model", "places", "similarities"],
        "additionalProperties": false,
    })
}

/// Points what refers to a part of the schema `name`, or to another schema's file, to where these stand in the
/// description.
fn point(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(to) if key == "$ref" => {
                        let (file, part) = to.split_once('#').unwrap_or((to, ""));
                        let place = match file.strip_suffix(".json").unwrap_or(file) {
                            "" => format!("{name}{part}"),
                            other => format!("{other}{part}"),
                        };
                        *to = format!("#/components/schemas/{place}");
                    }
                    value => point(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| point(value, name)),
        _ => {}
    }
}

/// The statuses of what is not answered as asked.
const REFUSED: [(&str, &str); 9] = [
    ("400", "The request asks for what cannot be done."),
    ("404", "There is nothing at this path."),
    ("405", "The path is not asked with this method."),
    ("408", "The body did not arrive in time."),
    ("413", "The body is too long."),
    ("415", "The body is not said to be JSON."),
    ("421", "The request is for another host."),
    ("500", "The model or its device failed on this request."),
    (
        "503",
        "Too much waits, or the model did not answer in time: try again after `retry-after` seconds.",
    ),
];

/// The description, as OpenAPI 3.1.
pub(crate) fn description() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let content = |mime: &str, schema: Value| json!({mime: {"schema": schema}});
        let mut responses = Map::new();
        let found = content(route.mime, (route.answer)());
        responses.insert(
            "200".to_owned(),
            json!({"description": "The answer.", "content": found}),
        );
        if route.request.is_some() {
            for (status, about) in REFUSED {
                let error = content(JSON, schema("error"));
                let refused = json!({"description": about, "content": error});
                responses.insert(status.to_owned(), refused);
            }
        }
        let mut operation = json!({"summary": route.about, "responses": responses});
        if let Some(request) = route.request {
            operation["requestBody"] =
                json!({"required": true, "content": content(JSON, request())});
        }
        paths.insert(route.path.to_owned(), json!({route.method: operation}));
    }
    let mut schemas = Map::new();
    for (name, text) in SCHEMAS {
        let mut schema: Value = serde_json::from_str(text).unwrap_or_default();
        point(&mut schema, name);
        schemas.insert(name.to_owned(), schema);
    }
    let error = json!({
        "type": "object",
        "properties": {"error": {"type": "string", "description": "A sentence."}},
        "required": ["error"],
        "additionalProperties": false,
    });
    schemas.insert("error".to_owned(), error);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "relprop",
            "description": "Why a Transformer decides as it does.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {"schemas": schemas},
    })
}
