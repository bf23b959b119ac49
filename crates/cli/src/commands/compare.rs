//! `relprop explain --texts`: pictures and texts, to a model of two towers.

use std::fs;
use std::sync::Arc;

use anyhow::Context;
use image::DynamicImage;
use relprop_engine::{CompareRequest, NamedRules, read_picture};
use relprop_explain::{Compare, Comparison};
use relprop_render as render;
use relprop_transformer::TokenizedText;

use super::explain::numbered;
use crate::args::ExplainArguments;
use crate::output::Output;
use crate::plan::{Checked, ExplainPlan, truncation, unit};
use crate::say::say;
use crate::usage::UsageError;

/// Tells how well each of the texts fits each picture, and why.
pub(crate) fn compare(arguments: &ExplainArguments) -> anyhow::Result<()> {
    let Checked { format, rules } = ExplainPlan::check(arguments)?;
    if !format.labellings {
        return UsageError::refuse(
            "a picture and texts are written as ansi, json, jsonl or html (--format)",
        );
    }
    let request = CompareRequest {
        texts: arguments.captions.clone(),
        method: arguments.method.clone(),
        rules: rules.map(NamedRules::Set),
        at: arguments.at.clone(),
        ledger: arguments.ledger,
        recompute: arguments.recompute,
        target: arguments.target.clone(),
        against: arguments.against.clone(),
        score: unit(arguments.score),
        truncation: truncation(arguments.no_truncate, arguments.windows),
        pairs: arguments.pairs,
    };
    // A model can be large: what it is not needed for is refused before.
    request.plan().map_err(UsageError::from)?;
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let towers = arguments.model.open_towers(&device, precision)?;
    let towers = Arc::new(towers);
    let compare = request.open(&towers).map_err(UsageError::from)?;
    let texts: Vec<TokenizedText> = request
        .texts
        .iter()
        .map(|text| read(&compare, text))
        .collect::<anyhow::Result<_>>()?;

    let mut found: Vec<(Comparison, DynamicImage)> = Vec::new();
    for name in &arguments.texts {
        let (tokens, picture) = read_picture(&towers.picture, name)?;
        let one = compare.explain(&tokens, &texts)?;
        one.finite().with_context(|| name.clone())?;
        if let Some(file) = &arguments.overlay {
            let file = numbered(file, found.len() + 1, arguments.texts.len());
            let bytes = render::overlay(&one.picture, &picture);
            fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        }
        found.push((one, picture));
    }
    let mut out = Output::open(arguments.out.as_deref())?;
    let text = written(format.name, &found, out.width, out.colour)?;
    out.write(text)?;
    out.finish()
}

/// A text as the model reads it, with a warning where it was too long.
fn read(compare: &Compare, text: &str) -> anyhow::Result<TokenizedText> {
    let read = compare
        .tokenize(text)
        .with_context(|| format!("{text:?}"))?;
    if read.dropped > 0 {
        let dropped = read.dropped;
        say(&format!("{text:?}: {dropped} tokens were cut"));
    }
    Ok(read)
}

fn written(
    format: &str,
    found: &[(Comparison, DynamicImage)],
    width: usize,
    colour: bool,
) -> anyhow::Result<String> {
    let all = || found.iter().map(|(one, _)| one);
    Ok(match format {
        "json" => {
            let text = match found {
                [(one, _)] => serde_json::to_string_pretty(one)?,
                _ => serde_json::to_string_pretty(&all().collect::<Vec<_>>())?,
            };
            text + "\n"
        }
        "jsonl" => {
            let lines = all().map(serde_json::to_string);
            let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
            lines.join("\n") + "\n"
        }
        "html" => {
            let found: Vec<_> = found
                .iter()
                .map(|(one, picture)| (one, Some(picture)))
                .collect();
            render::comparison_html(&found).page()
        }
        _ => all()
            .map(|one| render::comparison_ansi(one, width, colour))
            .collect(),
    })
}
