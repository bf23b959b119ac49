//! `relprop inspect`

use std::fmt::Write;

use anyhow::Context;
use burn::module::Module;
use relprop_checkpoints::Model;
use relprop_engine::{AnyModel, Precision};
use relprop_render::printable;
use relprop_rules::{Registry, RuleSet};
use relprop_transformer::NormPlacement;

use crate::args::InspectArguments;
use crate::opened;
use crate::output::Output;

/// Shows a model, its sites, and the rule that each gets.
pub(crate) fn inspect(arguments: &InspectArguments) -> anyhow::Result<()> {
    let rules = opened::rules(&arguments.rules)?;
    let device = arguments.device.open()?;
    let (model, _) = arguments.model.open_any(&device, Precision::F32)?;
    let text = match model {
        AnyModel::One(model) => shown(&model, &rules)?,
        AnyModel::Towers(towers) => {
            let [picture, text] = [&towers.picture, &towers.text].map(|one| shown(one, &rules));
            format!(
                "{} of two towers\n\nthe tower for pictures\n{}\nthe tower for texts\n{}",
                towers.family, picture?, text?
            )
        }
    };
    Output::open(None)?.write(printable(&text))
}

/// A model, its sites, and the rule that each gets.
fn shown(model: &Model, rules: &RuleSet) -> anyhow::Result<String> {
    let sites = model.transformer.sites();
    let bound = rules
        .bind(&sites, &Registry::default())
        .with_context(|| format!("the rules `{}`", rules.name))?;

    let mut text = String::new();
    let config = model.transformer.config();
    let placement = match config.norm_placement {
        NormPlacement::Before => "before",
        NormPlacement::After => "after",
        NormPlacement::AfterParts => "at the end of",
        NormPlacement::Around => "around",
    };
    let feed_forward = match &config.feed_forward {
        Some(part) => format!("width {}, {:?}", part.width, part.activation).to_lowercase(),
        None => "none".to_owned(),
    };
    let decoder = config.decoder.map(|decoder| {
        format!(
            "{} blocks, {} heads, feed-forward width {}",
            decoder.blocks, decoder.heads, decoder.feed_forward
        )
    });
    let decoder = decoder.unwrap_or_default();
    for (name, value) in [
        ("family", model.family.name.to_owned()),
        ("sha256", model.sha256.clone().unwrap_or_default()),
        ("parameters", model.transformer.num_params().to_string()),
        (
            "encoder",
            format!("{} blocks, width {}", config.blocks, config.width),
        ),
        ("decoder", decoder),
        ("heads", config.heads.to_string()),
        ("feed-forward", feed_forward),
        ("norms", format!("{placement} each part")),
        ("vocabulary", config.vocabulary().to_string()),
        ("positions", config.positions.to_string()),
        ("labels", config.labels.join(", ")),
        ("rules", rules.name.clone()),
    ]
    .into_iter()
    .filter(|(name, value)| *name != "decoder" || !value.is_empty())
    {
        writeln!(text, "{name:<13} {value}")?;
    }

    let width = sites.iter().map(|site| site.name.len()).max().unwrap_or(0);
    writeln!(text, "\n{:<width$}  {:<17}  rule", "site", "operation")?;
    for site in &sites {
        // Signals between operations have no rule; relevance can be read there all the same.
        let operation = site.operation.unwrap_or("-");
        let rule = bound.name(&site.name).unwrap_or("-");
        writeln!(text, "{:<width$}  {operation:<17}  {rule}", site.name)?;
    }
    Ok(text)
}
