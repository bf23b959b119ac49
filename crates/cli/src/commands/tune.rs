//! `relprop tune`

use std::fmt::Write;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use relprop_checkpoints::Model;
use relprop_engine::Precision;
use relprop_engine::measure::{Samples, TextColumns, drawn};
use relprop_evaluate::{Interval, hiding_token};
use relprop_evaluate::{tune::Comparison, tune::Search, tune::Tuned, tune::tune as search};
use relprop_rules::RuleSet;

use crate::args::TuneArguments;
use crate::opened;
use crate::output::Output;
use crate::say::say;
use crate::usage::UsageError;

/// Searches for the rule set that is the most faithful on a model and texts.
pub(crate) fn tune(arguments: &TuneArguments) -> anyhow::Result<()> {
    if arguments.tries == 0 {
        return Err(UsageError::new("--tries must be 1 or more").into());
    }
    let starts = arguments.start.iter().map(|name| opened::rules(name));
    let starts: Vec<RuleSet> = starts.collect::<Result<_, _>>()?;
    let device = arguments.device.open()?;
    let (model, _) = arguments.model.open(&device, Precision::F32)?;
    let model = Arc::new(model);
    let data = Samples::open(
        &arguments.data,
        TextColumns::default(),
        None,
        arguments.seed,
        &arguments.target.into(),
        &model,
        say,
    )?;
    let (texts, held_out) = drawn(
        &data.samples,
        arguments.limit,
        arguments.min_words,
        arguments.seed,
    )
    .with_context(|| arguments.data.display().to_string())?;
    eprintln!(
        "searching with {} texts, {} held out",
        texts.len(),
        held_out.len()
    );

    let bar = ProgressBar::new(arguments.tries as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} rule sets, {eta} left\n{msg}");
    bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
    bar.tick();
    let plan = Search {
        model: &model,
        starts: &starts,
        texts: &texts,
        held_out: &held_out,
        tries: arguments.tries,
        mask_token: hiding_token(&model)?,
    };
    let tuned = search(&plan, |attempt| {
        let score = attempt
            .score
            .map_or("given up".to_owned(), |score| format!("{score:.4}"));
        let line = format!("{score:>8}  {}", attempt.what);
        if arguments.verbose {
            bar.suspend(|| eprintln!("{line}"));
        }
        bar.set_message(format!("best {:.4}; {line}", attempt.best));
        bar.set_position(attempt.number as u64);
        Ok(())
    })?;
    bar.finish_and_clear();

    let toml = written(&tuned, &model, &data, arguments)?;
    let mut output = Output::open(arguments.out.as_deref())?;
    output.write(&toml)?;
    output.finish()?;
    eprint!("{}", summary(&tuned));
    if let Some(file) = &arguments.out {
        let (model, file) = (arguments.model.name.display(), file.display());
        eprintln!("next: relprop explain --model {model} --rules {file} \"a text\"");
    }
    Ok(())
}

/// The rule set as TOML, with the result of the search in comments.
fn written(
    tuned: &Tuned,
    model: &Model,
    data: &Samples,
    arguments: &TuneArguments,
) -> anyhow::Result<String> {
    let hash = |sha256: &Option<String>| sha256.clone().unwrap_or("unknown".to_owned());
    let mut text = format!(
        "# Found by `relprop tune` {} from `{}`. {} rule sets were tried.\n",
        env!("CARGO_PKG_VERSION"),
        tuned.start.name,
        tuned.tries
    );
    for (name, value) in [
        ("model", hash(&model.sha256)),
        ("texts", hash(&data.sha256)),
        ("seed", arguments.seed.to_string()),
    ] {
        writeln!(text, "# {name:<6} {value}")?;
    }
    for line in summary(tuned).lines() {
        writeln!(text, "{}", format!("# {line}").trim_end())?;
    }
    Ok(text + &tuned.rules.to_toml()?)
}

/// Lines that say what was changed and by how much it helped.
fn summary(tuned: &Tuned) -> String {
    let mut text = String::new();
    if tuned.kept.is_empty() {
        text += &format!("Nothing was better than `{}`.\n", tuned.start.name);
    }
    for change in &tuned.kept {
        text += &format!("changed: {change}\n");
    }
    let compared = [("search", &tuned.search), ("held out", &tuned.held_out)];
    for (name, comparison) in compared {
        let Comparison {
            texts,
            start,
            found,
            difference,
        } = comparison;
        let line = |metric: &str, [start, found, difference]: [Interval; 3]| {
            format!(
                "{name:<9} {metric:<6} {:.4} -> {:.4}, by {:+.4} [{:+.4} {:+.4}] ({texts} texts)\n",
                start.mean, found.mean, difference.mean, difference.low, difference.high
            )
        };
        text += &line("AUAC", [start.auac, found.auac, difference.auac]);
        text += &line("AU-MSE", [start.au_mse, found.au_mse, difference.au_mse]);
    }
    if !tuned.kept.is_empty() {
        text += if tuned.held_out.confirmed() {
            "Confirmed: on texts that the search has not seen, both numbers are at least as good, and \
             one is better beyond its 95 % interval.\n"
        } else {
            "Not confirmed: on texts that the search has not seen, it is not surely better. Give more \
             texts, or stay with what it started from.\n"
        };
    }
    text
}
