//! `relprop explain`

use std::io::stdin;
use std::path::Path;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use relprop_explain::methods::Method;
use relprop_explain::{DEFAULT_SITE, ExplainError, Explainer, Explanation, Target, render};
use relprop_rules::{Registry, RuleSet};
use relprop_train::corpus::{self, Format as FileFormat};
use relprop_transformer::{Model, TokenizedText, Truncation};

use crate::args::{DEFAULT_RULES, ExplainArguments, Format, LRP};
use crate::halving::Halving;
use crate::output::Output;
use crate::rules::COMPARED;
use crate::usage::UsageError;
use crate::{device, methods, rules};

/// How many texts are explained in one pass, at most.
const BATCH: usize = 32;
/// How many tokens are explained in one pass, padding included, at most: what bounds memory.
const TOKENS: usize = 4096;

/// Explains why a model decided as it did.
pub(crate) fn explain(arguments: &ExplainArguments) -> anyhow::Result<()> {
    let rules = rules::load(&arguments.rules)?;
    let device = device::parse(&arguments.device.name)?;
    let model = Model::load(&arguments.model, &device)?;
    let explainers = explainers(arguments, &model, &rules)?;

    let (texts, bad_rows) = texts(arguments)?;
    let total = texts.len() + bad_rows;
    let mut output = Output::open(arguments.out.as_deref())?;
    // Formats that are one document are written at the end, the others as they come.
    let mut collected: Vec<Vec<Explanation>> = Vec::new();
    let mut done = 0;
    let mut halving = Halving::new();
    let bar = progress(texts.len());
    for chunk in texts.chunks(BATCH) {
        let mut batch: Vec<TokenizedText> = Vec::new();
        for Text { text, place } in chunk {
            let tokens = match &arguments.pair {
                None => explainers[0].tokenize(text),
                Some(second) => explainers[0].tokenize_pair(text, second),
            };
            match tokens {
                Ok(tokens) => {
                    warn_if_cut(&tokens, place, &bar);
                    batch.push(tokens);
                }
                Err(error) if total > 1 => warn(&bar, &format!("{place}: {error}; skipped")),
                Err(error) => return Err(error.into()),
            }
        }
        done += batch.len();
        for pass in passes(&batch) {
            let explain = |texts: &[TokenizedText]| explain_pass(&explainers, texts);
            for of_text in halving.run(pass, explain, |warning| warn(&bar, warning))? {
                match arguments.format {
                    Format::Ansi => {
                        let picture = render::ansi(&of_text[0], output.width, output.colour);
                        bar.suspend(|| output.write(&format!("{picture}\n")))?;
                    }
                    Format::Jsonl => output.write(&render::jsonl(&of_text)?)?,
                    Format::Json | Format::Html => collected.push(of_text),
                }
            }
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    if done == 0 {
        bail!("none of the {total} texts could be explained");
    }
    match arguments.format {
        Format::Json => {
            let explanations: Vec<_> = collected.into_iter().flatten().collect();
            output.write(&render::json(&explanations)?)?;
        }
        Format::Html => output.write(&page(&collected))?,
        Format::Ansi | Format::Jsonl => {}
    }
    if done < total {
        eprintln!("{} of {total} texts were skipped", total - done);
    }
    Ok(())
}

/// The explainer that was asked for; for a page, one more for each rule set beside it.
fn explainers<'m>(
    arguments: &ExplainArguments,
    model: &'m Model,
    rules: &RuleSet,
) -> anyhow::Result<Vec<Explainer<'m>>> {
    let mut rule_sets = vec![rules.clone()];
    if arguments.format == Format::Html {
        let asked = |name: &str| arguments.method == LRP && name == rules.name;
        for name in COMPARED.into_iter().filter(|name| !asked(name)) {
            rule_sets.push(RuleSet::preset(name)?);
        }
    }
    let labels = &model.transformer.config().labels;
    let target = Target::parse(&arguments.target, labels).map_err(UsageError::new)?;
    let truncation = if arguments.no_truncate {
        Truncation::Refuse
    } else {
        Truncation::Cut
    };
    let registry = Registry::default();
    let explainer = |rules: &RuleSet| -> anyhow::Result<Explainer<'m>> {
        let explainer = Explainer::new(model, rules, &registry).map_err(UsageError::new)?;
        let explainer = explainer.at(&arguments.at).map_err(UsageError::new)?;
        Ok(explainer.target(target)?.truncation(truncation))
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
    ] {
        if given {
            let message = format!("{option} goes with --method {LRP} alone, not with `{name}`");
            return Err(UsageError::new(message).into());
        }
    }
    methods::load(name, model, 0).map(Some)
}

/// Cuts a batch into runs of texts that have no more than [`TOKENS`] tokens when padded.
fn passes(mut batch: &[TokenizedText]) -> Vec<&[TokenizedText]> {
    let mut passes = Vec::new();
    while !batch.is_empty() {
        let mut longest = 0;
        let fits = batch.iter().enumerate().take_while(|(index, text)| {
            longest = text.tokens.len().max(longest);
            *index == 0 || longest * (index + 1) <= TOKENS
        });
        let (pass, rest) = batch.split_at(fits.count());
        passes.push(pass);
        batch = rest;
    }
    passes
}

/// The explanations of each text, one from each explainer.
fn explain_pass(
    explainers: &[Explainer],
    texts: &[TokenizedText],
) -> Result<Vec<Vec<Explanation>>, ExplainError> {
    let mut by_text = vec![Vec::new(); texts.len()];
    for explainer in explainers {
        for (of_text, explanation) in by_text.iter_mut().zip(explainer.explain_batch(texts)?) {
            of_text.push(explanation);
        }
    }
    Ok(by_text)
}

/// A text and where it came from.
struct Text {
    text: String,
    place: String,
}

/// All texts that were asked for, and how many rows were none.
fn texts(arguments: &ExplainArguments) -> anyhow::Result<(Vec<Text>, usize)> {
    let given = arguments.texts.iter().enumerate();
    let mut texts: Vec<_> = given
        .map(|(i, text)| Text {
            text: text.clone(),
            place: format!("text {}", i + 1),
        })
        .collect();
    let Some(path) = &arguments.input else {
        return Ok((texts, 0));
    };
    let (name, inputs) = if path == Path::new("-") {
        let name = "standard input";
        (
            name.to_owned(),
            corpus::read_texts_from(stdin().lock(), name, FileFormat::Lines)?,
        )
    } else {
        (path.display().to_string(), corpus::read_texts(path)?)
    };
    texts.extend(inputs.texts.into_iter().map(|input| Text {
        text: input.text,
        place: format!("{name}, line {}", input.line),
    }));
    for error in &inputs.skipped {
        eprintln!("{error}; skipped");
    }
    Ok((texts, inputs.skipped.len()))
}

fn warn_if_cut(tokens: &TokenizedText, place: &str, bar: &ProgressBar) {
    if tokens.dropped > 0 {
        let message = format!(
            "{place}: {} tokens dropped from the end; the model reads at most {}",
            tokens.dropped,
            tokens.tokens.len()
        );
        warn(bar, &message);
    }
}

fn warn(bar: &ProgressBar, message: &str) {
    bar.suspend(|| eprintln!("{message}"));
}

/// A bar on standard error, where that is a terminal and there is something to wait for.
fn progress(texts: usize) -> ProgressBar {
    if texts <= BATCH {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} texts, {eta} left");
    ProgressBar::new(texts as u64).with_style(style.unwrap_or(ProgressStyle::default_bar()))
}

/// A page of all explanations.
fn page(texts: &[Vec<Explanation>]) -> String {
    let first = &texts[0][0];
    let by = match first.method.as_str() {
        LRP => "Rules",
        _ => "Method",
    };
    let facts = [
        ("Model", first.model.family.clone()),
        (
            "Weights",
            first
                .model
                .sha256
                .as_deref()
                .map_or("-", |hash| &hash[..12])
                .to_owned(),
        ),
        (by, first.title().to_owned()),
        ("Read at", first.at.clone()),
        ("Device", first.device.clone()),
        ("Version", format!("relprop {}", first.version)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let items: Vec<_> = texts
        .iter()
        .map(|explanations| render::Item {
            explanations,
            note: None,
            evidence: &[],
        })
        .collect();
    render::html(&render::Report {
        title: "Why the model decided as it did",
        facts: &facts,
        items: &items,
    })
}
