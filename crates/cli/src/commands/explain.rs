//! `relprop explain`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use relprop_checkpoints::Model;
use relprop_engine::{Group, Worker};
use relprop_explain::Explainer;
use relprop_render as render;

use super::compare::compare;
use crate::args::ExplainArguments;
use crate::destination::Destination;
use crate::input::Input;
use crate::plan::{Destined, ExplainPlan};
use crate::progress::Progress;
use crate::usage::UsageError;
use crate::way_out::told;

/// Explains why a model decided as it did.
pub(crate) fn explain(arguments: ExplainArguments) -> anyhow::Result<()> {
    if !arguments.captions.is_empty() {
        return compare(&arguments);
    }
    let checked = ExplainPlan::check(&arguments)?;
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let (model, folder) = arguments.model.open(&device, precision)?;
    let (plan, destined) = ExplainPlan::new(arguments, checked, precision, &model, &folder)?;
    let explainers = explainers(&plan, &Arc::new(model))?;
    run(&plan, &destined, &explainers)
}

/// The explainer that was asked for, and one more for each rule set beside it.
fn explainers(plan: &ExplainPlan, model: &Arc<Model>) -> anyhow::Result<Vec<Explainer>> {
    let beside = plan.compared.iter().cloned();
    let beside = beside.map(|rules| plan.question.by_rules(rules));
    let questions = std::iter::once(plan.question.clone()).chain(beside);
    let explainers = questions.map(|question| Explainer::new(model, &question));
    let explainers: Result<_, _> = explainers.collect();
    Ok(explainers.map_err(UsageError::from)?)
}

/// Explains group by group, and writes as it goes.
fn run(plan: &ExplainPlan, destined: &Destined, explainers: &[Explainer]) -> anyhow::Result<()> {
    let worker = Worker::new(explainers, plan.content.clone());
    let mut worker = worker.chatting(plan.chat).telling(told);
    let Some(mut destination) = Destination::open(plan, destined)? else {
        eprintln!("the output is finished: there is nothing to resume");
        return Ok(());
    };
    let group = plan.group.get();
    let finished = plan.rows.as_ref().map_or(0, |rows| {
        (destination.groups() * group as u64).min(rows.end - rows.start)
    });
    let mut inputs = Input::of(plan, destined, finished)?;
    let mut progress = Progress::new(plan, finished, destination.bad()?, &inputs);
    let warnings = explainers.iter().filter_map(Explainer::warning);
    warnings.for_each(|warning| progress.say(&warning));
    let mut drawn = 0;
    for input in &mut inputs {
        while let Some(rows) = input.read(group)? {
            let read = rows.len() as u64;
            let group = worker.explain(rows, input.column, |warning| progress.say(warning))?;
            progress.warn(&group, input, destined.errors.is_none());
            if let Some(file) = &destined.overlay {
                overlay(&group, file, &mut drawn, destined.texts.len())?;
            }
            progress.suspend(|| destination.put(group))?;
            progress.advance(read);
        }
    }
    if let (true, 0, Some(input)) = (progress.is_empty(), destination.groups(), inputs.last()) {
        // An empty table makes an empty table.
        destination.put(worker.explain(input.nothing(), input.column, |_| ())?)?;
    }
    destination.finish()?;
    progress.finish(destined.table.is_some() && destined.out.is_some())
}

/// Writes each picture with its heat map over it.
fn overlay(group: &Group, file: &Path, drawn: &mut usize, of: usize) -> anyhow::Result<()> {
    *drawn += group.bad.len();
    for (picture, explanation) in group.pictures.iter().zip(group.explanations()) {
        *drawn += 1;
        let file = numbered(file, *drawn, of);
        let bytes = render::overlay(explanation, picture);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// `out.png` for a single picture, `out-3.png` for the third of several.
pub(super) fn numbered(file: &Path, number: usize, of: usize) -> PathBuf {
    if of == 1 {
        return file.to_owned();
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().unwrap_or("png".as_ref());
    file.with_file_name(format!("{stem}-{number}"))
        .with_extension(ending)
}
