//! `relprop evaluate`

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use relprop_explain::evaluate::{
    Curve, Interval, Method, Random, Sample, TextCurves, area, faithfulness, mean_with_interval,
};
use relprop_explain::{Explainer, Target};
use relprop_rules::Registry;
use relprop_train::corpus;
use relprop_transformer::{Model, Truncation};
use serde::Serialize;

use crate::args::EvaluateArguments;
use crate::output::Output;
use crate::usage::UsageError;
use crate::{device, rules};

/// The name and version of the format of `results.json`.
const SCHEMA: &str = "relprop.evaluation/1";

/// Everything that a run found, and what is needed to repeat it.
#[derive(Serialize)]
struct Results {
    schema: &'static str,
    version: &'static str,
    family: &'static str,
    sha256: Option<String>,
    data: String,
    texts: usize,
    seed: u64,
    methods: Vec<MethodResult>,
}

/// What one method reached.
#[derive(Serialize)]
struct MethodResult {
    name: String,
    auac: Interval,
    aupc: Interval,
    au_mse: Interval,
    activation: Curve,
    pruning: Curve,
    error: Curve,
}

/// Measures which explanation of a model is the most faithful.
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<()> {
    let device = device::parse(&arguments.device.name)?;
    let model = Model::load(&arguments.model, &device)?;
    let methods = methods(arguments, &model)?;
    let samples = samples(arguments, &model)?;
    let unknown = ["[UNK]", "<unk>"]
        .iter()
        .find_map(|token| model.tokenizer.id(token));
    let Some(unknown) = unknown else {
        bail!("the model's vocabulary has no unknown token to hide others behind");
    };

    let bar = ProgressBar::new((methods.len() * samples.len()) as u64);
    let style = ProgressStyle::with_template("{msg:>20} {wide_bar} {pos}/{len} texts, {eta} left");
    bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
    let mut results = Vec::new();
    for method in &methods {
        bar.set_message(method.name().to_owned());
        let curves = faithfulness(&model, method.as_ref(), &samples, unknown, |done| {
            bar.inc(done as u64);
        })?;
        results.push(MethodResult::of(method.name(), &curves));
    }
    bar.finish_and_clear();
    Output::open(None)?.write(&table(&results, samples.len()))?;

    let Some(folder) = &arguments.out else {
        return Ok(());
    };
    let results = Results {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        family: model.family.name(),
        sha256: model.sha256.clone(),
        data: arguments.data.display().to_string(),
        texts: samples.len(),
        seed: arguments.seed,
        methods: results,
    };
    let file = folder.join("results.json");
    let place = || file.display().to_string();
    fs::create_dir_all(folder).with_context(place)?;
    let json = serde_json::to_string_pretty(&results)? + "\n";
    fs::write(&file, json).with_context(place)
}

fn methods<'m>(
    arguments: &EvaluateArguments,
    model: &'m Model,
) -> anyhow::Result<Vec<Box<dyn Method + 'm>>> {
    let registry = Registry::default();
    let method = |name: &String| -> anyhow::Result<Box<dyn Method + 'm>> {
        if name == "random" {
            let seed = arguments.seed;
            return Ok(Box::new(Random { seed }));
        }
        let rules = rules::load(name)?;
        let explainer = Explainer::new(model, &rules, &registry).map_err(UsageError::new)?;
        Ok(Box::new(explainer))
    };
    arguments.methods.iter().map(method).collect()
}

/// The labelled texts of the file; those that cannot be used are named and left out.
fn samples(arguments: &EvaluateArguments, model: &Model) -> anyhow::Result<Vec<Sample>> {
    let name = arguments.data.display();
    let inputs = corpus::read_texts(&arguments.data)?;
    for error in &inputs.skipped {
        eprintln!("{error}; skipped");
    }
    let config = model.transformer.config();
    let limit = arguments.limit.unwrap_or(usize::MAX);
    let mut samples = Vec::new();
    for input in inputs.texts.iter().take(limit) {
        let line = input.line;
        let Some(label) = &input.label else {
            bail!(
                "{name}, line {line}: the text has no label; the true label is needed to measure"
            );
        };
        let Ok(Target::Label(label)) = Target::parse(label, &config.labels) else {
            let known = config.labels.join(", ");
            bail!("{name}, line {line}: the model has no label `{label}`; it has {known}");
        };
        match model
            .tokenizer
            .encode(&input.text, config.positions, Truncation::Cut)
        {
            Ok(text) => samples.push(Sample { text, label }),
            Err(error) => eprintln!("{name}, line {line}: {error}; skipped"),
        }
    }
    if samples.is_empty() {
        bail!("{name}: there is no text to measure with");
    }
    Ok(samples)
}

impl MethodResult {
    fn of(name: &str, curves: &[TextCurves]) -> Self {
        let areas = |curve: fn(&TextCurves) -> &Curve| {
            let areas: Vec<f64> = curves.iter().map(|curves| area(curve(curves))).collect();
            mean_with_interval(&areas)
        };
        let mean = |curve: fn(&TextCurves) -> &Curve| {
            std::array::from_fn(|step| {
                let values = curves.iter().map(|curves| curve(curves)[step]);
                values.sum::<f64>() / curves.len() as f64
            })
        };
        Self {
            name: name.to_owned(),
            auac: areas(|curves| &curves.activation),
            aupc: areas(|curves| &curves.pruning),
            au_mse: areas(|curves| &curves.error),
            activation: mean(|curves| &curves.activation),
            pruning: mean(|curves| &curves.pruning),
            error: mean(|curves| &curves.error),
        }
    }
}

/// One line a method, in the order in which they were asked for.
fn table(results: &[MethodResult], texts: usize) -> String {
    let width = results.iter().map(|result| result.name.len()).max();
    let width = width.unwrap_or(0).max("method".len());
    let mut text = format!(
        "{:<width$}  {:<19}  {:<19}  AU-MSE (lower is better)\n",
        "method", "AUAC (higher)", "AUPC (higher)"
    );
    let share = |Interval { mean, low, high }| format!("{mean:.3} [{low:.3} {high:.3}]");
    for result in results {
        let Interval { mean, low, high } = result.au_mse;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<width$}  {:<19}  {:<19}  {mean:.2} [{low:.2} {high:.2}]",
            result.name,
            share(result.auac),
            share(result.aupc),
        );
    }
    text + &format!("{texts} texts; in brackets 95 % bootstrap intervals\n")
}
