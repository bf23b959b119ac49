//! All requests, for whoever asks one after another.

use relprop_engine::{EngineError, caught};
use relprop_explain::batching::Passes;
use serde_json::Value;

use crate::answer::{Answer, SimilarAnswer, written};
use crate::ask::{Ask, ask, object};
use crate::compare::{Comparison, sides};
use crate::describe::{described, rules};
use crate::explainers::{Explained, Explainers};
use crate::models::NamedModel;
use crate::refusal::Refusal;
use crate::similar::SimilarAsk;

/// Models, and answers about them: what a server does, but one request at a time, and on the caller's thread.
#[derive(Debug)]
pub struct Api {
    models: Vec<NamedModel>,
    described: Value,
    explainers: Explainers,
}

impl Api {
    /// Answers about `models`, the first of which is meant where a request names none.
    ///
    /// # Errors
    ///
    /// If a model cannot be run at all.
    pub fn new(models: Vec<NamedModel>) -> Result<Self, EngineError> {
        Ok(Self {
            described: described(&models)?,
            models,
            explainers: Explainers::default(),
        })
    }

    /// The answer to a request, as JSON: what a server answers at this `path` to this `body`.
    ///
    /// # Errors
    ///
    /// [`Refusal`], if there is nothing at this path or the request cannot be answered as asked.
    pub fn answer(&mut self, path: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        match path {
            "/api/model" => written(&self.described),
            "/api/rules" => written(&rules()),
            "/api/explain" => {
                let asked = ask(&self.models, object(body)?)?;
                let explained = self.explain(&asked)?;
                let name = &self.models[asked.question.model].name;
                written(&Answer::new(name, &explained, &asked.fragments))
            }
            "/api/compare" => {
                let found = sides(&self.models, object(body)?)?.into_iter().map(|side| {
                    let explained = self.explain(&side)?;
                    Ok((side, explained))
                });
                let found = found.collect::<Result<Vec<_>, Refusal>>()?;
                written(&Comparison::new(&self.models, &found))
            }
            "/api/similar" => {
                let asked = SimilarAsk::read(&self.models, object(body)?)?;
                let name = &self.models[asked.place].name;
                let found = caught(|| asked.find()).unwrap_or_else(|fault| Err(fault.into()))?;
                written(&SimilarAnswer::new(name, &found, &asked.fragments))
            }
            _ => Err(Refusal {
                status: 404,
                message: format!("there is nothing at {path}"),
            }),
        }
    }

    fn explain(&mut self, asked: &Ask) -> Result<Explained, Refusal> {
        let items: Vec<_> = asked.items.iter().collect();
        let find = || {
            let passes = Passes::default();
            self.explainers
                .find(&self.models, &asked.question, &items, passes)
        };
        let (found, warning) = caught(find).unwrap_or_else(|fault| Err(fault.into()))?;
        Ok(Explained::new(found, warning)?)
    }
}
