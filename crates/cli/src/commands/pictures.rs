//! `relprop explain` for a model that reads pictures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use relprop_checkpoints::{Model, Preprocessor};
use relprop_data::decode;
use relprop_explain::{Explainer, Explanation};
use relprop_render as render;
use relprop_rules::RuleSet;
use relprop_transformer::TokenizedText;

use super::explain::explainers;
use crate::args::{ExplainArguments, Format};
use crate::bulk::page;
use crate::output::Output;
use crate::usage::UsageError;

/// Explains the picture files that stand where texts do for other models.
pub(super) fn explain(
    arguments: &ExplainArguments,
    format: Format,
    model: &Model,
    preprocessor: &Preprocessor,
    rules: &RuleSet,
) -> anyhow::Result<()> {
    for (option, given) in [
        ("--input", arguments.input.is_some()),
        ("--pair", arguments.pair.is_some()),
        ("--errors", arguments.errors.is_some()),
        (
            "a table",
            matches!(format, Format::Csv | Format::Parquet | Format::Arrow),
        ),
    ] {
        if given {
            let message = format!("{option} is for texts; name the pictures one after another");
            return Err(UsageError::new(message).into());
        }
    }
    let explainers = explainers(arguments, format, model, rules)?;
    let mut output = Output::open(arguments.out.as_deref())?;
    // Formats that are one document are written at the end, the others as they come.
    let mut collected = Vec::new();
    let mut drawn = Vec::new();
    let total = arguments.texts.len();
    let mut done = 0;
    for (index, name) in arguments.texts.iter().enumerate() {
        let (picture, tokens) = match read(name, model, preprocessor) {
            Ok(read) => read,
            Err(error) if total > 1 => {
                eprintln!("{error:#}; skipped");
                continue;
            }
            Err(error) => return Err(error),
        };
        let found = one(&explainers, tokens)?;
        done += 1;
        if let Some(file) = &arguments.overlay {
            let file = numbered(file, index + 1, total);
            let bytes = render::overlay(&found[0], &picture);
            fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        }
        match format {
            Format::Ansi => {
                let map = render::ansi(&found[0], output.width, output.colour);
                output.write(format!("{map}\n"))?;
            }
            Format::Jsonl => output.write(render::jsonl(&found)?)?,
            Format::Json => collected.push(found),
            Format::Html => {
                collected.push(found);
                drawn.push(picture);
            }
            Format::Csv | Format::Parquet | Format::Arrow => {}
        }
    }
    if done == 0 {
        bail!("none of the {total} pictures could be explained");
    }
    match format {
        Format::Json => {
            let explanations: Vec<_> = collected.into_iter().flatten().collect();
            output.write(render::json(&explanations)?)?;
        }
        Format::Html => output.write(page(&collected, &drawn))?,
        _ => {}
    }
    output.finish()?;
    if done < total {
        eprintln!("{} of {total} pictures were skipped", total - done);
    }
    Ok(())
}

/// The picture that a file holds, and what the model sees of it.
fn read(
    name: &str,
    model: &Model,
    preprocessor: &Preprocessor,
) -> anyhow::Result<(image::DynamicImage, TokenizedText)> {
    let bytes = fs::read(name).with_context(|| name.to_owned())?;
    let picture = decode(&bytes).with_context(|| name.to_owned())?;
    let patches = model.transformer.config().patches();
    let patches = patches.context("the model has a preprocessor for pictures, but reads none")?;
    let tokens = preprocessor.tokens(&picture, patches, name);
    Ok((picture, tokens.with_context(|| name.to_owned())?))
}

/// One explanation from each explainer.
fn one(explainers: &[Explainer], picture: TokenizedText) -> anyhow::Result<Vec<Explanation>> {
    let pictures = [picture];
    let mut found = Vec::new();
    for explainer in explainers {
        found.extend(explainer.explain_batch(&pictures)?);
    }
    Ok(found)
}

/// `out.png` for a single picture, `out-3.png` for the third of several.
fn numbered(file: &Path, number: usize, of: usize) -> PathBuf {
    if of == 1 {
        return file.to_owned();
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().unwrap_or("png".as_ref());
    file.with_file_name(format!("{stem}-{number}"))
        .with_extension(ending)
}
