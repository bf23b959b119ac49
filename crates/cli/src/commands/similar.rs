//! `relprop similar`

use std::sync::Arc;

use anyhow::Context;
use relprop_checkpoints::{Input, Model};
use relprop_data::texts;
use relprop_engine::{open_picture, read_picture};
use relprop_explain::{Measure, Plan, Similar, Similarity};
use relprop_render as render;
use relprop_transformer::{TokenizedText, VectorPooling};

use crate::args::{MeasureArgument, PoolingArgument, SimilarArguments, SimilarFormat};
use crate::input::open_table;
use crate::opened;
use crate::output::Output;
use crate::say::say;
use crate::usage::UsageError;

/// How many rows of a table are read at a time.
const ROWS: usize = 1024;

/// Tells why texts, or pictures, are alike to a model.
pub(crate) fn similar(arguments: &SimilarArguments) -> anyhow::Result<()> {
    if arguments.query.is_none() && arguments.texts.len() != 2 {
        return UsageError::refuse(
            "give two texts or pictures, or a --query and those to compare it with",
        );
    }
    let format = format(arguments)?;
    let rules = arguments.rules.as_deref().map(opened::rules).transpose()?;
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let (model, _) = arguments.model.open(&device, precision)?;
    let model = Arc::new(model);
    if arguments.input.is_some() && model.preprocessor().is_some() {
        return UsageError::refuse("--input is for texts; name the pictures one after another");
    }
    let plan = Plan {
        rules,
        at: arguments.at.clone(),
        ledger: arguments.ledger,
        ..Plan::default()
    };
    let measure = match arguments.measure {
        MeasureArgument::Cosine => Measure::Cosine,
        MeasureArgument::Dot => Measure::Dot,
    };
    let pooling = arguments.pooling.map(|pooling| match pooling {
        PoolingArgument::Mean => VectorPooling::Mean,
        PoolingArgument::First => VectorPooling::First,
        PoolingArgument::Last => VectorPooling::Last,
    });
    let similar = Similar::new(&model, &plan, measure, pooling).map_err(UsageError::from)?;
    let found = match &arguments.query {
        None => {
            let [first, second] = [&arguments.texts[0], &arguments.texts[1]];
            let texts = [read(&model, first)?, read(&model, second)?];
            vec![similar.explain(texts.each_ref())?]
        }
        Some(query) => ranked(arguments, &model, &similar, query)?,
    };
    let mut out = Output::open(arguments.out.as_deref())?;
    let text = written(format, &found, out.width, out.colour)?;
    out.write(text)?;
    out.finish()
}

/// The texts that are the most similar to the query, explained. A text that cannot be read is named and left
/// out.
fn ranked(
    arguments: &SimilarArguments,
    model: &Model,
    similar: &Similar,
    query: &str,
) -> anyhow::Result<Vec<Similarity>> {
    let query = read(model, query)?;
    let mut all: Vec<(f32, TokenizedText)> = Vec::new();
    let mut compare = |texts: Vec<TokenizedText>| -> anyhow::Result<()> {
        let measures = similar.measure(&query, &texts.iter().collect::<Vec<_>>())?;
        all.extend(measures.into_iter().zip(texts));
        Ok(())
    };
    let given = arguments.texts.iter();
    compare(
        given
            .map(|text| read(model, text))
            .collect::<Result<_, _>>()?,
    )?;
    if let Some(path) = &arguments.input {
        let table = open_table(path, arguments.column.as_deref())?;
        let mut rows = table.read(0)?;
        while let Some(rows) = rows.read(ROWS)? {
            let mut read = Vec::new();
            let column = texts(&rows.batch, table.column())?;
            for (text, place) in column.iter().zip(&rows.places) {
                let text = text.context("the row has no text");
                match text.and_then(|text| self::read(model, text)) {
                    Ok(text) => read.push(text),
                    Err(error) => say(&format!("{place}: {error:#}; skipped")),
                }
            }
            compare(read)?;
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(arguments.top);
    let best = all.iter().map(|(_, text)| similar.explain([&query, text]));
    Ok(best.collect::<Result<_, _>>()?)
}

/// A text, or the picture of this file, as the model reads it.
fn read(model: &Model, given: &str) -> anyhow::Result<TokenizedText> {
    match model.input {
        Input::Text(_) => Ok(model.tokenize(given, None, Default::default())?),
        Input::Pictures(_) => Ok(read_picture(model, given)?.0),
    }
}

fn format(arguments: &SimilarArguments) -> Result<SimilarFormat, UsageError> {
    let ending = arguments
        .out
        .as_deref()
        .and_then(|out| out.extension()?.to_str());
    match (arguments.format, ending) {
        (Some(format), _) => Ok(format),
        (None, Some("json")) => Ok(SimilarFormat::Json),
        (None, Some("html")) => Ok(SimilarFormat::Html),
        (None, Some("txt" | "ansi")) => Ok(SimilarFormat::Ansi),
        (None, None) if arguments.out.is_none() => Ok(SimilarFormat::Ansi),
        (None, _) => Err(UsageError::new(
            "the ending of --out says no format; say which one (--format)",
        )),
    }
}

fn written(
    format: SimilarFormat,
    found: &[Similarity],
    width: usize,
    colour: bool,
) -> anyhow::Result<String> {
    Ok(match format {
        SimilarFormat::Ansi => {
            let shown = found
                .iter()
                .map(|one| render::similarity_ansi(one, width, colour));
            shown.collect()
        }
        SimilarFormat::Json => {
            let text = match found {
                [one] => serde_json::to_string_pretty(one)?,
                several => serde_json::to_string_pretty(several)?,
            };
            text + "\n"
        }
        SimilarFormat::Html => match found {
            [one] => {
                let is_picture = one.texts[0].subject.picture().is_some();
                let names = one.texts.each_ref().map(|text| &text.text);
                let pictures = match is_picture {
                    true => Some([open_picture(names[0])?, open_picture(names[1])?]),
                    false => None,
                };
                render::similarity_html(one, pictures.as_ref().map(|both| both.each_ref())).page()
            }
            _ => {
                return Err(UsageError::new(
                    "a page shows one pair: give two texts or pictures, or --top 1",
                )
                .into());
            }
        },
    })
}
