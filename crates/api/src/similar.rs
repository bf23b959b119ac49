//! Why texts are alike.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_engine::{AnyModel, EngineError, NamedRules};
use relprop_explain::{ExplainError, Measure, Plan, Similar, Similarity};
use relprop_transformer::VectorPooling;
use serde_json::{Map, Value, json};

use crate::ask::{check_texts, refuse_unknown, rules, take};
use crate::fields::Field;
use crate::fragment::Fragment;
use crate::models::{NamedModel, place};
use crate::refusal::Refusal;

/// How many of the texts are explained, if nothing else is said: as many as the program explains.
const TOP: usize = 3;

/// The keys of a request.
pub const FIELDS: &[Field] = &[
    Field {
        name: "texts",
        about: "The two texts; with `query`, the texts that it is compared with.",
        schema: || json!({"type": "array", "items": {"type": "string"}}),
    },
    Field {
        name: "query",
        about: "A text that is compared with each of the others: the most similar come first.",
        schema: || json!({"type": "string"}),
    },
    Field {
        name: "top",
        about: "How many of the texts are explained, the most similar first.",
        schema: || json!({"type": "integer", "minimum": 1, "default": TOP}),
    },
    Field {
        name: "measure",
        about: "What is explained.",
        schema: || json!({"enum": ["cosine", "dot"], "default": "cosine"}),
    },
    Field {
        name: "pooling",
        about: "The hidden states that a text's vector is made of, in place of what the folder says.",
        schema: || json!({"enum": ["mean", "first", "last"]}),
    },
    Field {
        name: "rules",
        about: "The rules of propagation.",
        schema: || json!({"oneOf": [{"type": "string"}, {"type": "object"}]}),
    },
    Field {
        name: "at",
        about: "The site at which relevance is read.",
        schema: || json!({"type": "string"}),
    },
    Field {
        name: "model",
        about: "The name of the model; the first by default.",
        schema: || json!({"type": "string"}),
    },
    Field {
        name: "fragments",
        about: "Which fragments of HTML are wanted beside the numbers.",
        schema: || json!({"type": "array", "items": {"enum": Fragment::NAMES}}),
    },
];

/// What `POST /api/similar` asks.
#[derive(Debug)]
pub struct SimilarAsk {
    /// The place of the model among those that can be asked.
    pub place: usize,
    model: Arc<Model>,
    query: String,
    /// The texts that the first is compared with.
    pub texts: Vec<String>,
    top: usize,
    rules: Option<NamedRules>,
    at: Option<String>,
    measure: Measure,
    pooling: Option<VectorPooling>,
    /// Which fragments of HTML are wanted.
    pub fragments: Vec<Fragment>,
}

impl SimilarAsk {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for an unknown key or name, for what exceeds a limit, and for a model of two towers.
    pub fn read(models: &[NamedModel], mut body: Map<String, Value>) -> Result<Self, Refusal> {
        refuse_unknown(&body, FIELDS.iter().map(|field| field.name))?;
        let name: Option<String> = take(&mut body, "model")?;
        let query: Option<String> = take(&mut body, "query")?;
        let mut texts: Vec<String> = take(&mut body, "texts")?.unwrap_or_default();
        let top: Option<usize> = take(&mut body, "top")?;
        let query = match query {
            Some(query) => query,
            None if texts.len() == 2 => texts.remove(0),
            None => {
                return Err(Refusal::bad(
                    "give two `texts`, or a `query` and the `texts` to compare it with",
                ));
            }
        };
        check_texts(texts.iter().map(String::as_str))?;
        check_texts(std::iter::once(query.as_str()))?;
        let place = place(models, name.as_deref())?;
        let NamedModel { name, model, .. } = &models[place];
        let AnyModel::One(model) = model else {
            return Err(Refusal::bad(format!(
                "the model `{name}` has two towers: /api/explain compares pictures with texts by it"
            )));
        };
        Ok(Self {
            place,
            model: Arc::clone(model),
            query,
            texts,
            top: top.unwrap_or(TOP),
            rules: rules(&mut body)?,
            at: take(&mut body, "at")?,
            measure: take(&mut body, "measure")?.unwrap_or_default(),
            pooling: take(&mut body, "pooling")?,
            fragments: take(&mut body, "fragments")?.unwrap_or_default(),
        })
    }

    /// The most similar texts, each with its place among those given.
    ///
    /// # Errors
    ///
    /// If the model makes no vectors, cannot read a text, or its device fails.
    pub fn find(&self) -> Result<Vec<(usize, Similarity)>, EngineError> {
        let plan = Plan {
            rules: self.rules.as_ref().map(NamedRules::open).transpose()?,
            at: self.at.clone(),
            ..Plan::default()
        };
        let similar = Similar::new(&self.model, &plan, self.measure, self.pooling)?;
        let tokenize = |text: &String| {
            let tokens = self.model.tokenize(text, None, plan.truncation);
            tokens.map_err(ExplainError::from)
        };
        let query = tokenize(&self.query)?;
        let texts = self.texts.iter().map(tokenize);
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        Ok(similar.most_similar(&query, &texts, self.top)?)
    }
}
