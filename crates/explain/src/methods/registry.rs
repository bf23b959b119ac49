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

/// Makes a method for a model, from the parameters in its name and from a seed, which the name can
/// replace.
type Make = fn(&Arc<Model>, ParsedName, u64) -> Result<Box<dyn Method>, ExplainError>;

/// The methods besides rule sets, in the order in which users are shown them. A new method needs
/// its file and a line here.
const TABLE: &[(&str, Make)] = &[
    ("random", |_, name, seed| {
        Ok(Box::new(name.seeded(seed).read::<Random>()?))
    }),
    ("saliency", |model, name, _| {
        name.plain(Saliency::new(model))
    }),
    ("smooth-grad", |model, name, seed| {
        Ok(Box::new(SmoothGrad::new(model, name.seeded(seed).read()?)?))
    }),
    ("integrated-gradients", |model, name, _| {
        Ok(Box::new(IntegratedGradients::new(model, name.read()?)?))
    }),
    ("full-grad", |model, name, _| {
        Ok(Box::new(FullGrad::new(model, &name.read()?)?))
    }),
    ("decomposition", |model, name, _| {
        Ok(Box::new(Decomposition::new(model, name.read()?)?))
    }),
    ("occlusion", |model, name, _| {
        name.plain(Occlusion::new(model)?)
    }),
    ("shapley", |model, name, seed| {
        Ok(Box::new(Shapley::new(model, name.seeded(seed).read()?)?))
    }),
    ("attention-last", |model, name, _| {
        name.plain(AttentionLast::new(model))
    }),
    ("attention-rollout", |model, name, _| {
        name.plain(AttentionRollout::new(model))
    }),
    ("attention-flow", |model, name, _| {
        Ok(Box::new(AttentionFlow::new(model, name.read()?)))
    }),
    ("grad-rollout", |model, name, _| {
        name.plain(GradRollout::new(model))
    }),
    ("gae", |model, name, _| name.plain(Gae::new(model))),
    ("chefer", |model, name, _| {
        Ok(Box::new(Chefer::new(model, name.read()?)?))
    }),
];

/// The names of the methods besides rule sets, in the order in which users are shown them.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// The method called `name`: one of [`names`] or a preset. Parameters follow the name, separated by
/// colons: `integrated-gradients:steps=50:baseline=zero`; they are the fields of the method's
/// parameters. What is random comes from `seed`, unless the name gives another.
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
    let parsed = ParsedName::parse(name)?;
    let method = match TABLE.iter().find(|(known, _)| *known == parsed.method) {
        Some((_, make)) => {
            fits(model, parsed.method)?;
            make(model, parsed, seed)?
        }
        None if RuleSet::presets().any(|preset| preset == parsed.method) => {
            let rules = RuleSet::preset(parsed.method)?;
            parsed.plain(Propagation::new(model, &rules, &Registry::default())?)?
        }
        None => {
            return Err(ExplainError::UnknownMethod {
                name: parsed.method.to_owned(),
                known: names().chain(RuleSet::presets()).collect(),
            });
        }
    };
    let name = name.to_owned();
    Ok(Box::new(Named { name, method }))
}

/// Checks that the method's tokens are the same in all blocks, or that it does not ask.
fn fits(model: &Model, method: &str) -> Result<(), ExplainError> {
    let by_blocks = method.starts_with("attention-")
        || [
            "full-grad",
            "decomposition",
            "grad-rollout",
            "gae",
            "chefer",
        ]
        .contains(&method);
    match by_blocks && model.transformer.config().stages.is_some() {
        false => Ok(()),
        true => Err(ExplainError::FewerTokens {
            what: format!("`{method}`"),
        }),
    }
}

/// A method under the name that the user gave, parameters included.
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

    fn takes_any_target(&self) -> bool {
        self.method.takes_any_target()
    }

    fn rules(&self) -> &str {
        self.method.rules()
    }

    fn site(&self) -> &str {
        self.method.site()
    }
}

/// A method's name and the parameters behind it.
struct ParsedName<'n> {
    method: &'n str,
    parameters: Map<String, Value>,
}

/// The parameters of a method that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

impl<'n> ParsedName<'n> {
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

    /// A method that has no parameters.
    fn plain(self, method: impl Method + 'static) -> Result<Box<dyn Method>, ExplainError> {
        self.read::<NoParameters>()?;
        Ok(Box::new(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_method_and_no_name_comes_twice() {
        let page = include_str!("../../../../docs/methods.md");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        for (index, name) in names().enumerate() {
            let row = format!("| `{name}` |");
            assert!(rows.iter().any(|line| line.starts_with(&row)), "{name}");
            assert!(
                !names().take(index).any(|earlier| earlier == name),
                "{name}"
            );
        }
        assert_eq!(rows.len(), names().len());
    }
}
