//! `relprop evaluate`

mod data;
mod folder;

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use relprop_checkpoints::Model;
use relprop_engine::method;
use relprop_evaluate::{
    Candidate, Evaluation, Metric, Need, Readings, Results, Sample, cascade, metric,
    metrics as table, unknown_token,
};
use relprop_render as render;

use crate::args::EvaluateArguments;
use crate::output::Output;
use crate::plan::EvaluatePlan;
use crate::usage::UsageError;

pub(crate) use data::{Data, labelled};
use folder::{Folder, State};

/// How many texts are measured at once, and how many a part of an interrupted run holds.
const TEXTS: usize = 16;
/// The name that stands for every metric for which the data have what it needs.
const ALL: &str = "all";

/// Measures which explanation of a model is the most faithful.
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<()> {
    let mut metrics = metrics(&arguments.metrics)?;
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let (model, _) = arguments.model.open(&device, precision)?;
    let model = Arc::new(model);
    let data = labelled(
        &arguments.data,
        arguments.limit,
        arguments.seed,
        arguments.target,
        &model,
    )?;
    if arguments.metrics.iter().any(|name| name == ALL) {
        metrics.retain(|metric| missing(metric.as_ref(), &data.samples).is_none());
    }
    for metric in &metrics {
        if let Some(what) = missing(metric.as_ref(), &data.samples) {
            let (name, data) = (metric.about().name, arguments.data.display());
            return Err(
                UsageError::new(format_args!("`{name}` needs {what}; {data} has none")).into(),
            );
        }
    }
    let settings = EvaluatePlan::new(arguments, &model, &metrics, &data)?;
    let folder = arguments
        .out
        .as_deref()
        .map(|path| Folder::open(path, &settings));
    let folder = folder.transpose()?;

    let results = match &folder {
        Some((_, State::Finished(results))) => {
            eprintln!("this run was finished before; its results are shown again");
            results.clone()
        }
        _ => {
            let folder = folder.as_ref().map(|(folder, _)| folder);
            let readings = run(arguments, &model, &metrics, &data.samples, folder)?;
            Results::new(&arguments.methods, &metrics, &readings)
        }
    };
    let mut output = Output::open(None)?;
    output.write(render::evaluation_table(&results, output.width))?;
    match folder {
        Some((folder, _)) => folder.finish(&settings, &results),
        None => Ok(()),
    }
}

/// What every metric finds under every method, `[method][text][metric]`.
fn run(
    arguments: &EvaluateArguments,
    model: &Arc<Model>,
    metrics: &[Box<dyn Metric>],
    samples: &[Sample],
    folder: Option<&Folder>,
) -> anyhow::Result<Vec<Vec<Readings>>> {
    let seed = arguments.seed;
    let randomized = match metrics
        .iter()
        .any(|m| m.about().need == Some(Need::Randomized))
    {
        true => cascade(model, seed)
            .into_iter()
            .map(|(_, model)| Arc::new(model))
            .collect(),
        false => Vec::new(),
    };
    let candidate = |name: &String| -> anyhow::Result<Candidate> {
        let stages = randomized
            .iter()
            .map(|model| method(name, model, seed).map_err(UsageError::from));
        Ok(Candidate {
            method: method(name, model, seed).map_err(UsageError::from)?,
            randomized: stages.collect::<Result<_, _>>()?,
        })
    };
    let candidates = arguments.methods.iter().map(candidate);
    let candidates: Vec<Candidate> = candidates.collect::<Result<_, _>>()?;
    let evaluation = Evaluation {
        model,
        metrics,
        mask_token: unknown_token(model)?,
        seed,
    };

    let bar = progress_bar(samples.len());
    let mut all = vec![Vec::new(); candidates.len()];
    for (index, chunk) in samples.chunks(TEXTS).enumerate() {
        let done = index * TEXTS;
        bar.set_message(format!("{done} of {} texts", samples.len()));
        let known = folder.map(|folder| folder.part(index)).transpose()?;
        let part = match known.flatten() {
            Some(part) => part,
            None => {
                let part = evaluation.measure(&candidates, chunk, |share| {
                    bar.set_position(position(done as f64 + share * chunk.len() as f64));
                })?;
                match folder {
                    // Read back, so that a run that was interrupted has exactly the same numbers.
                    Some(folder) => folder.keep(index, &part)?,
                    None => part,
                }
            }
        };
        bar.set_position(position((done + chunk.len()) as f64));
        all.iter_mut()
            .zip(part)
            .for_each(|(all, part)| all.extend(part));
    }
    bar.finish_and_clear();
    Ok(all)
}

/// The bar counts thousandths of texts.
fn position(texts: f64) -> u64 {
    (texts * 1000.0) as u64
}

fn progress_bar(texts: usize) -> ProgressBar {
    let bar = ProgressBar::new(position(texts as f64));
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left");
    bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
    bar
}

/// The metrics by their names, each once; all of them for [`ALL`].
fn metrics(names: &[String]) -> anyhow::Result<Vec<Box<dyn Metric>>> {
    let mut wanted: Vec<String> = Vec::new();
    for name in names {
        let more = match name.as_str() {
            ALL => table::names().collect(),
            _ => vec![name.clone()],
        };
        for name in more {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    let found = wanted
        .iter()
        .map(|name| metric(name))
        .collect::<Result<_, _>>();
    Ok(found.map_err(|error| UsageError::new(format_args!("{error}; or `{ALL}`")))?)
}

/// What the samples lack for `metric`.
fn missing(metric: &dyn Metric, samples: &[Sample]) -> Option<&'static str> {
    match metric.about().need? {
        Need::Evidence if samples.iter().all(|sample| sample.evidence.is_empty()) => Some(
            "texts whose deciding words are known, as those of the embedded corpus (`--data reviews`)",
        ),
        Need::Polarity if samples.iter().all(|sample| sample.polarity.is_empty()) => Some(
            "words that people have judged, as in the trees of the Stanford Sentiment Treebank (.txt)",
        ),
        _ => None,
    }
}
