//! What can be asked of the models: what the menus of a page need.

use relprop_checkpoints::{Input, Model};
use relprop_engine::{AnyModel, EngineError, caught};
use relprop_explain::{DEFAULT_RULES, DEFAULT_SITE, LRP, methods};
use relprop_rules::RuleSet;
use relprop_transformer::{Head, Outputs, Probabilities};
use serde::Serialize;
use serde_json::{Value, json};

use crate::models::NamedModel;

/// A model, as `GET /api/model` describes it.
#[derive(Debug, Serialize)]
struct Described<'m> {
    name: &'m str,
    family: &'m str,
    sha256: Option<&'m str>,
    device: String,
    dtype: &'static str,
    /// `texts`, `pictures`, or `pictures-and-texts`.
    reads: &'static str,
    /// What the head's numbers stand for: `labels`, `token-labels`, `start-and-end`, `vocabulary`, `vector`; of two
    /// towers `texts`, which are the labels of a picture.
    outputs: &'static str,
    probabilities: Probabilities,
    /// The labels; none where the outputs are tokens, a vector or the texts of a request.
    labels: &'m [String],
    #[serde(flatten)]
    parts: Parts,
}

/// What a model is made of.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Parts {
    One(Stack),
    Towers { scale: f64, bias: f64, towers: Both },
}

#[derive(Debug, Serialize)]
struct Both {
    picture: Stack,
    text: Stack,
}

/// A Transformer with its head.
#[derive(Debug, Serialize)]
struct Stack {
    head: Head,
    /// The most tokens that it reads.
    positions: usize,
    blocks: usize,
    heads: usize,
    width: usize,
    /// Whether it has a chat template.
    chat: bool,
    sites: Vec<Site>,
}

/// A site at which relevance can be read, or a rule assigned.
#[derive(Debug, Serialize)]
struct Site {
    name: String,
    /// The operation there; none for a signal between operations.
    operation: Option<&'static str>,
}

fn stack(model: &Model) -> Result<Stack, EngineError> {
    let config = model.transformer.config();
    let sites = caught(|| model.transformer.sites())?;
    Ok(Stack {
        head: config.head,
        positions: config.positions,
        blocks: config.blocks,
        heads: config.heads,
        width: config.width,
        chat: (model.tokenizer()).is_some_and(|tokenizer| tokenizer.check_chat().is_ok()),
        sites: (sites.into_iter())
            .map(|site| Site {
                name: site.name,
                operation: site.operation,
            })
            .collect(),
    })
}

fn described_as(served: &NamedModel) -> Result<Described<'_>, EngineError> {
    let (name, dtype) = (&*served.name, served.precision.name());
    let device = |model: &Model| format!("{:?}", model.transformer.device());
    Ok(match &served.model {
        AnyModel::One(model) => {
            let config = model.transformer.config();
            Described {
                name,
                family: model.family.name,
                sha256: model.sha256.as_deref(),
                device: device(model),
                dtype,
                reads: match model.input {
                    Input::Text(_) => "texts",
                    Input::Pictures(_) => "pictures",
                },
                outputs: match config.head.outputs() {
                    Outputs::Labels => "labels",
                    Outputs::TokenLabels => "token-labels",
                    Outputs::StartAndEnd => "start-and-end",
                    Outputs::Vocabulary => "vocabulary",
                    Outputs::Vector => "vector",
                },
                probabilities: config.probabilities,
                labels: &config.labels,
                parts: Parts::One(stack(model)?),
            }
        }
        AnyModel::Towers(towers) => Described {
            name,
            family: towers.family,
            sha256: towers.picture.sha256.as_deref(),
            device: device(&towers.picture),
            dtype,
            reads: "pictures-and-texts",
            outputs: "texts",
            probabilities: towers.probabilities,
            labels: &[],
            parts: Parts::Towers {
                scale: towers.scale,
                bias: towers.bias,
                towers: Both {
                    picture: stack(&towers.picture)?,
                    text: stack(&towers.text)?,
                },
            },
        },
    })
}

/// The answer to `GET /api/model`.
///
/// # Errors
///
/// If a model cannot be run at all.
pub fn described(models: &[NamedModel]) -> Result<Value, EngineError> {
    let described = models.iter().map(described_as);
    let described = described.collect::<Result<Vec<_>, _>>()?;
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "models": described,
        "methods": std::iter::once(LRP).chain(methods::names()).collect::<Vec<_>>(),
        "rules": RuleSet::presets().collect::<Vec<_>>(),
        "defaults": {"method": LRP, "rules": DEFAULT_RULES, "at": DEFAULT_SITE},
        "fragments": crate::fragment::Fragment::NAMES,
    }))
}

/// The answer to `GET /api/rules`: every preset, with what it is and how it is written.
pub fn rules() -> Value {
    let preset = |name: &'static str| {
        let text = RuleSet::preset_toml(name).unwrap_or_default();
        json!({"name": name, "about": relprop_engine::preset_about(name), "toml": text})
    };
    json!({"rules": RuleSet::presets().map(preset).collect::<Vec<_>>()})
}
