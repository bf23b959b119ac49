//! `relprop evaluate`

mod folder;

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use relprop_checkpoints::Model;
use relprop_engine::EngineError;
use relprop_engine::measure::{
    ALL, MEASURED_AT_ONCE, Samples, candidates, measurable, metrics_by_name,
};
use relprop_evaluate::{Evaluation, Metric, Readings, Results, Sample, hiding_token};
use relprop_explain::ExplainError;
use relprop_render as render;

use crate::args::EvaluateArguments;
use crate::output::Output;
use crate::plan::EvaluatePlan;
use crate::say::say;
use crate::usage::UsageError;
use crate::way_out::told;

use folder::{Folder, State};

/// How many texts are measured at once, and how many a part of an interrupted run holds.
const TEXTS: usize = MEASURED_AT_ONCE;

/// Measures which explanation of a model is the most faithful.
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<()> {
    let metrics = metrics_by_name(&arguments.metrics)
        .map_err(|error| UsageError::new(format_args!("{error}; or `{ALL}`")))?;
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let (model, _) = arguments.model.open(&device, precision)?;
    let model = Arc::new(model);
    let data = Samples::open(
        &arguments.data,
        arguments.columns(),
        arguments.limit,
        arguments.seed,
        &arguments.target,
        &model,
        say,
    );
    let data = data.map_err(|error| match error {
        EngineError::Explain(error) if !matches!(error, ExplainError::Device(_)) => {
            UsageError::from(error).into()
        }
        error => anyhow::Error::from(error),
    })?;
    let name = arguments.data.display().to_string();
    let data = data.hidden_by(arguments.hide.into(), &name);
    let data = data.map_err(UsageError::new)?;
    let metrics = measurable(metrics, &arguments.metrics, &data.samples).map_err(|error| {
        let (data, error) = (arguments.data.display(), told(&error));
        UsageError::new(format_args!("{data}: {error}"))
    })?;
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
    let candidates =
        candidates(&arguments.methods, model, metrics, seed).map_err(UsageError::from)?;
    let evaluation = Evaluation {
        model,
        metrics,
        mask_token: hiding_token(model)?,
        hops: arguments.hops,
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
