//! Methods by name.

use relprop_checkpoints::Model;
use std::sync::Arc;

use relprop_rules::{Registry, RuleSet};
use relprop_transformer::TokenizedText;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::*;
use crate::{ExplainError, SiteRelevance};

/// The methods besides rule sets, in the order in which users are shown them.
pub const NAMES: [&str; 13] = [
    "random",
    "saliency",
    "smooth-grad",
    "integrated-gradients",
    "full-grad",
    "occlusion",
    "shapley",
    "attention-last",
    "attention-rollout",
    "attention-flow",
    "grad-rollout",
    "gae",
    "chefer",
];

/// The method called `name`: one of [`NAMES`] or a preset. Parameters stand behind colons:
/// `integrated-gradients:steps=50:baseline=zero`; they are the fields of the method's parameters.
/// What is random comes from `seed`, unless the name gives another.
///
/// Methods that read a signal do so at [`DEFAULT_SITE`](crate::DEFAULT_SITE).
///
/// # Errors
///
/// [`ExplainError::UnknownMethod`], [`ExplainError::MethodParameter`], or that the method does not
/// fit the model.
///
/// ```no_run
/// # fn run(model: &std::sync::Arc<relprop_checkpoints::Model>) -> Result<(), relprop_explain::ExplainError> {
/// let method = relprop_explain::methods::by_name("smooth-grad:samples=50", model, 0)?;
/// assert_eq!(method.name(), "smooth-grad:samples=50");
/// # Ok(()) }
/// ```
pub fn by_name(name: &str, model: &Arc<Model>, seed: u64) -> Result<Box<dyn Method>, ExplainError> {
    let given = Given::parse(name)?;
    let method: Box<dyn Method> = match given.method {
        "random" => Box::new(given.seeded(seed).read::<Random>()?),
        "saliency" => given.none(Saliency::new(model))?,
        "smooth-grad" => Box::new(SmoothGrad::new(model, given.seeded(seed).read()?)?),
        "integrated-gradients" => Box::new(IntegratedGradients::new(model, given.read()?)?),
        "full-grad" => Box::new(FullGrad::new(model, &given.read()?)?),
        "occlusion" => given.none(Occlusion::new(model)?)?,
        "shapley" => Box::new(Shapley::new(model, given.seeded(seed).read()?)?),
        "attention-last" => given.none(AttentionLast::new(model))?,
        "attention-rollout" => given.none(AttentionRollout::new(model))?,
        "attention-flow" => Box::new(AttentionFlow::new(model, given.read()?)),
        "grad-rollout" => given.none(GradRollout::new(model))?,
        "gae" => given.none(Gae::new(model))?,
        "chefer" => Box::new(Chefer::new(model, given.read()?)?),
        preset if RuleSet::presets().any(|known| known == preset) => {
            let rules = RuleSet::preset(preset)?;
            given.none(Propagation::new(model, &rules, &Registry::default())?)?
        }
        unknown => {
            return Err(ExplainError::UnknownMethod {
                name: unknown.to_owned(),
                known: NAMES.into_iter().chain(RuleSet::presets()).collect(),
            });
        }
    };
    let name = name.to_owned();
    Ok(Box::new(Named { name, method }))
}

/// A method under the name that the user gave it, parameters and all.
#[derive(Debug)]
struct Named {
    name: String,
    method: Box<dyn Method>,
}

impl Method for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        self.method.relevance(texts, label)
    }

    fn find(
        &self,
        texts: &[&TokenizedText],
        question: &Question,
    ) -> Result<Vec<Finding>, ExplainError> {
        self.method.find(texts, question)
    }

    fn read(
        &self,
        site: &str,
        text: &TokenizedText,
        question: &Question,
    ) -> Result<SiteRelevance, ExplainError> {
        self.method.read(site, text, question)
    }

    fn rules(&self) -> &str {
        self.method.rules()
    }

    fn site(&self) -> &str {
        self.method.site()
    }
}

/// A method's name and the parameters behind it.
struct Given<'n> {
    method: &'n str,
    parameters: Map<String, Value>,
}

/// The parameters of a method that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct None {}

impl<'n> Given<'n> {
    fn parse(name: &'n str) -> Result<Self, ExplainError> {
        let mut parts = name.split(':');
        let method = parts.next().unwrap_or_default();
        let mut parameters = Map::new();
        for part in parts {
            let Some((key, value)) = part.split_once('=') else {
                return Err(ExplainError::MethodParameter {
                    method: method.to_owned(),
                    message: format!("`{part}` is no parameter; write it as name=value"),
                });
            };
            // A number, or else a word.
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            parameters.insert(key.to_owned(), value);
        }
        Ok(Self { method, parameters })
    }

    fn seeded(mut self, seed: u64) -> Self {
        let seed = || seed.into();
        self.parameters.entry("seed").or_insert_with(seed);
        self
    }

    fn read<P: DeserializeOwned>(self) -> Result<P, ExplainError> {
        serde_json::from_value(self.parameters.into()).map_err(|error| {
            ExplainError::MethodParameter {
                method: self.method.to_owned(),
                message: error.to_string(),
            }
        })
    }

    /// A method without parameters.
    fn none(self, method: impl Method + 'static) -> Result<Box<dyn Method>, ExplainError> {
        self.read::<None>()?;
        Ok(Box::new(method))
    }
}
