//! `relprop explain`

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use relprop_checkpoints::{Model, Truncation};
use relprop_data::Table;
use relprop_explain::methods::Method;
use relprop_explain::{DEFAULT_SITE, Explainer, Score, Target};
use relprop_rules::{Registry, RuleSet};
use serde_json::{Map, Value};

use super::generate::generate;
use crate::args::{DEFAULT_RULES, ExplainArguments, Format, LRP, Unit};
use crate::bulk::{
    Destination, Document, Input, Parts, Progress, Worker, manifest, open_table, sink,
};
use crate::output::{Output, is_file};
use crate::rules::COMPARED;
use crate::usage::UsageError;
use crate::{device, methods, model, rules};

/// Explains why a model decided as it did.
pub(crate) fn explain(arguments: &ExplainArguments) -> anyhow::Result<()> {
    let format = format(arguments)?;
    check(arguments, format)?;
    let rules = rules::load(&arguments.rules)?;
    let device = device::parse(&arguments.device.name)?;
    let table = table(arguments)?;
    let folder = model::folder(&arguments.model)?;
    let model = Model::load(&folder, &device)?;
    let model = arguments.precision.dtype.apply(model)?;
    if let Some(preprocessor) = &model.preprocessor {
        return super::pictures::explain(arguments, format, &model, preprocessor, &rules);
    }
    if arguments.overlay.is_some() {
        let message = "--overlay is for pictures, and the model reads texts";
        return Err(UsageError::new(message).into());
    }
    if arguments.generate.is_some() {
        return generate(arguments, format, &model, &rules);
    }
    let explainers = explainers(arguments, format, &model, &rules)?;
    let any_number = matches!(format, Format::Ansi | Format::Html);
    let mut worker = Worker::new(&explainers, arguments.pair.as_deref(), any_number);

    let manifest = || {
        let rows = table.as_ref().map(|(_, rows)| rows);
        manifest(arguments, format, &folder, &model, &rules, rows)
    };
    let Some(mut destination) = destination(arguments, format, manifest)? else {
        eprintln!("the output is finished: there is nothing to resume");
        return Ok(());
    };
    let group = arguments.group.get();
    let finished = table.as_ref().map_or(0, |(_, rows)| {
        (destination.groups() * group as u64).min(rows.end - rows.start)
    });
    let mut inputs = inputs(arguments, table.as_ref(), finished)?;
    let mut progress = Progress::new(finished, destination.bad()?, &inputs);
    for input in &mut inputs {
        while let Some(rows) = input.read(group)? {
            let read = rows.len() as u64;
            let group = worker.explain(rows, input.column, |warning| progress.say(warning))?;
            progress.warn(&group, input, arguments.errors.is_none());
            progress.suspend(|| destination.put(group))?;
            progress.advance(read);
        }
    }
    if let (true, 0, Some(input)) = (progress.is_empty(), destination.groups(), inputs.last()) {
        // An empty table makes an empty table.
        destination.put(worker.explain(input.nothing(), input.column, |_| ())?)?;
    }
    destination.finish()?;
    progress.finish(table.is_some() && arguments.out.is_some())
}

/// How results are written.
fn format(arguments: &ExplainArguments) -> Result<Format, UsageError> {
    match (arguments.format, arguments.out.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, Some(out)) => Format::from_path(out).ok_or_else(|| {
            UsageError::new(format_args!(
                "{}: the ending of the name says no format; say which one (--format)",
                out.display()
            ))
        }),
        (None, None) => Ok(Format::Ansi),
    }
}

/// Finds what does not go together.
fn check(arguments: &ExplainArguments, format: Format) -> Result<(), UsageError> {
    let to_file = arguments.out.as_deref().is_some_and(is_file);
    let document = matches!(format, Format::Json | Format::Html);
    let one_schema = matches!(format, Format::Csv | Format::Parquet | Format::Arrow);
    let message = if one_schema && format != Format::Csv && !to_file {
        "a Parquet or Arrow table is written to a file: name it (--out)"
    } else if one_schema && arguments.input.is_some() && !arguments.texts.is_empty() {
        "a table has the columns of one input: give texts or --input, not both"
    } else if arguments.resume && (document || !to_file) {
        "only a run that writes .jsonl, .csv, .parquet, .arrow or .txt to a file can be resumed"
    } else if is_stdin(arguments)
        && (arguments.resume || arguments.shard.is_some() || arguments.column.is_some())
    {
        "standard input is lines, read once and from the start: give a file to --input"
    } else {
        return Ok(());
    };
    Err(UsageError::new(message))
}

fn is_stdin(arguments: &ExplainArguments) -> bool {
    arguments.input.as_deref() == Some(Path::new("-"))
}

/// The table that was asked for, and which of its rows.
fn table(arguments: &ExplainArguments) -> anyhow::Result<Option<(Table, Range<u64>)>> {
    let Some(path) = arguments.input.as_deref().filter(|_| !is_stdin(arguments)) else {
        return Ok(None);
    };
    let table = open_table(path, arguments.column.as_deref())?;
    let rows = match arguments.shard {
        Some(shard) => shard.of(table.rows()),
        None => 0..table.rows(),
    };
    Ok(Some((table, rows)))
}

/// The texts, in order, without the first `finished` rows of the table.
fn inputs(
    arguments: &ExplainArguments,
    table: Option<&(Table, Range<u64>)>,
    finished: u64,
) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    if !arguments.texts.is_empty() {
        inputs.push(Input::given(&arguments.texts));
    }
    if let Some((table, rows)) = table {
        let start = rows.end.min(rows.start.saturating_add(finished));
        inputs.push(Input::table(table, start..rows.end)?);
    } else if is_stdin(arguments) {
        inputs.push(Input::stdin());
    }
    Ok(inputs)
}

/// Where results go. None if everything is there already.
fn destination(
    arguments: &ExplainArguments,
    format: Format,
    manifest: impl FnOnce() -> anyhow::Result<Map<String, Value>>,
) -> anyhow::Result<Option<Destination>> {
    let out = arguments.out.as_deref();
    let errors = || {
        let path = arguments.errors.as_deref();
        let create = |path: &Path| File::create(path).with_context(|| path.display().to_string());
        path.map(create).transpose()
    };
    let document = match format {
        Format::Json => Some(Document::Json(Vec::new())),
        Format::Html => Some(Document::Page(Vec::new())),
        _ => None,
    };
    if let Some(document) = document {
        let output = Output::open(out)?;
        return Ok(Some(Destination::Document {
            output,
            document,
            errors: errors()?,
        }));
    }
    let Some(file) = out.filter(|path| is_file(path)) else {
        let output = Output::open(out)?;
        let sink = sink(format, arguments.ledger, output.width, output.colour);
        let errors = errors()?;
        return Ok(Some(Destination::Stream {
            output,
            sink,
            started: false,
            errors,
        }));
    };
    let parts = Parts::open(file, &manifest()?, arguments.resume)?;
    Ok(parts.map(|parts| Destination::Parts {
        parts,
        sink: sink(format, arguments.ledger, 80, false),
        errors: arguments.errors.clone(),
    }))
}

/// The explainer that was asked for; for a page, one more for each rule set beside it.
pub(super) fn explainers<'m>(
    arguments: &ExplainArguments,
    format: Format,
    model: &'m Model,
    rules: &RuleSet,
) -> anyhow::Result<Vec<Explainer<'m>>> {
    let mut rule_sets = vec![rules.clone()];
    if format == Format::Html {
        let asked = |name: &str| arguments.method == LRP && name == rules.name;
        for name in COMPARED.into_iter().filter(|name| !asked(name)) {
            rule_sets.push(RuleSet::preset(name)?);
        }
    }
    let against = arguments.against.as_deref();
    let target = Target::read(model, &arguments.target, against).map_err(UsageError::new)?;
    let score = match arguments.score {
        Unit::Logit => Score::Logit,
        Unit::LogProbability => Score::LogProbability,
    };
    let truncation = if arguments.no_truncate {
        Truncation::Refuse
    } else {
        Truncation::Cut
    };
    let registry = Registry::default();
    let explainer = |rules: &RuleSet| -> anyhow::Result<Explainer<'m>> {
        let explainer = Explainer::new(model, rules, &registry).map_err(UsageError::new)?;
        let explainer = explainer.at(&arguments.at).map_err(UsageError::new)?;
        let explainer = match arguments.position {
            Some(position) => explainer.position(position).map_err(UsageError::new)?,
            None => explainer,
        };
        let explainer = match arguments.recompute {
            true => explainer.recompute(),
            false => explainer,
        };
        let explainer = explainer.target(target)?.score(score);
        Ok(explainer.truncation(truncation))
    };
    let mut explainers: Vec<_> = rule_sets.iter().map(explainer).collect::<Result<_, _>>()?;
    let mut asked = explainers.remove(0);
    if let Some(method) = method(arguments, target, model)? {
        asked = asked.by(method);
    }
    if arguments.ledger {
        asked = asked.with_ledger();
    }
    explainers.insert(0, asked);
    Ok(explainers)
}

/// The method that was asked for, if it is not propagation, which rules, site and ledger are for.
fn method<'m>(
    arguments: &ExplainArguments,
    target: Target,
    model: &'m Model,
) -> anyhow::Result<Option<Box<dyn Method + 'm>>> {
    let name = arguments.method.as_str();
    if name == LRP {
        return Ok(None);
    }
    if rules::is_file(name) || RuleSet::presets().any(|preset| preset == name) {
        let message = format!("`{name}` is a rule set: give it as --rules {name}");
        return Err(UsageError::new(message).into());
    }
    for (option, given) in [
        ("--rules", arguments.rules != DEFAULT_RULES),
        ("--at", arguments.at != DEFAULT_SITE),
        ("--ledger", arguments.ledger),
        ("--target A-B", matches!(target, Target::Contrast(..))),
        ("--score", arguments.score != Unit::Logit),
        ("--recompute", arguments.recompute),
    ] {
        if given {
            let message = format!("{option} goes with --method {LRP} alone, not with `{name}`");
            return Err(UsageError::new(message).into());
        }
    }
    methods::load(name, model, 0).map(Some)
}
