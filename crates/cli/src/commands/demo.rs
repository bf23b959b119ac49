//! `relprop demo`

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use burn::tensor::Device;
use relprop_checkpoints::{Model, Truncation};
use relprop_data::{corpus::Corpus, corpus::Example, corpus::reviews};
use relprop_engine::COMPARED;
use relprop_evaluate::{Candidate, Evaluation, Method, Results, Sample, hiding_token, metric};
use relprop_explain::methods::Propagation;
use relprop_explain::{Explainer, Explanation, Plan};
use relprop_render as render;
use relprop_rules::{Registry, RuleSet};
use relprop_serve::Options;
use relprop_train::{Display, TrainConfig, accuracy, train};

use super::serve::serve_one;
use crate::args::DemoArguments;
use crate::output::Output;

/// How many texts are computed at once.
const BATCH: usize = 32;

/// Trains a model on the embedded corpus, explains it and evaluates the explanations.
pub(crate) fn demo(arguments: &DemoArguments) -> anyhow::Result<()> {
    let device = arguments.device.open()?;
    let mut output = Output::open(None)?;
    let corpus = reviews(arguments.reviews as usize, arguments.seed);
    let folder = arguments.out.join("model");
    let model = Arc::new(model(&corpus, &folder, arguments.seed, &device)?);
    let right = accuracy(&model, &corpus.test, BATCH)?;
    output.write(format!(
        "\nThe model is right on {:.1} % of {} reviews that it has never seen.\n\n",
        100.0 * right,
        corpus.test.len()
    ))?;

    let examples = showcase(&corpus.test);
    let compared = explainers(&model, COMPARED)?;
    let mut pictures = Vec::new();
    for example in &examples {
        let mut by_rules = Vec::new();
        for explainer in &compared {
            by_rules.push(explainer.explain(&example.text)?);
        }
        output.write(render::ansi(&by_rules[0], output.width, output.colour))?;
        output.write("\n")?;
        pictures.push(by_rules);
    }

    let results = evaluate(&model, &corpus.test)?;
    output.write(table(&results, output.width))?;

    let report = arguments.out.join("report.html");
    let page = page(&model, right, &results, &examples, &pictures);
    fs::write(&report, page).with_context(|| report.display().to_string())?;
    output.write(format!(
        "\nThe report, with rule sets side by side: {}\n\nWhat to try next:\n  \
         relprop explain --model {model} \"the plot is not dull but the ending fails to charm\"\n  \
         relprop evaluate --model {model} --data reviews --metrics all\n  \
         relprop inspect --model {model}\n  \
         relprop rules ah-ln > mine.toml, edit it, and explain with --rules mine.toml\n  \
         relprop train --data reviews.tsv --out my-model\n  \
         relprop serve --model {model}\n",
        report.display(),
        model = folder.display()
    ))?;
    if !arguments.serve {
        return Ok(());
    }
    drop(output);
    serve_one(
        "demo",
        model,
        Options {
            port: arguments.port,
            ..Options::default()
        },
    )
}

/// The demo's model: that of an earlier demo if it is there, else a new one.
fn model(corpus: &Corpus, folder: &Path, seed: u64, device: &Device) -> anyhow::Result<Model> {
    if folder.join("config.json").exists() {
        eprintln!("using the model of an earlier demo in {}", folder.display());
        return Ok(Model::load(folder, device)?);
    }
    eprintln!(
        "training a small BERT on {} generated film reviews",
        corpus.train.len()
    );
    let config = TrainConfig {
        seed,
        ..TrainConfig::small()
    };
    let start = Instant::now();
    train(corpus, &config, folder, device, Display::Lines)?;
    eprintln!("trained in {:.0} s", start.elapsed().as_secs_f64());
    // Read back, so that the report names the weights that are in the folder.
    Ok(Model::load(folder, device)?)
}

/// One explainer for each preset.
fn explainers(
    model: &Arc<Model>,
    presets: impl IntoIterator<Item = &'static str>,
) -> anyhow::Result<Vec<Explainer>> {
    let explainer = |name| {
        let plan = Plan::default().by_rules(RuleSet::preset(name)?);
        Ok(Explainer::new(model, &plan)?)
    };
    presets.into_iter().map(explainer).collect()
}

/// A handful of reviews: plain, negated and with a contrast, of both labels.
fn showcase(reviews: &[Example]) -> Vec<&Example> {
    let says = |review: &Example, words: &[&str]| {
        let text = format!(" {} ", review.text);
        words.iter().any(|word| text.contains(&format!(" {word} ")))
    };
    let negation = ["not", "never", "fails", "hardly"];
    let contrast = ["but", "despite", "although"];
    let plain = |review: &Example| {
        let evidence = review.evidence.len();
        evidence >= 2 && !says(review, &negation) && !says(review, &contrast)
    };
    let negated = |review: &Example| says(review, &["not", "never"]) && !says(review, &contrast);
    let contrasted = |review: &Example| says(review, &contrast) && !says(review, &negation);
    let find = |is_kind: &dyn Fn(&Example) -> bool, label: usize| {
        reviews
            .iter()
            .find(|review| review.label == label && is_kind(review))
    };
    let found = [
        find(&plain, 1),
        find(&negated, 1),
        find(&negated, 0),
        find(&contrasted, 1),
        find(&contrasted, 0),
    ];
    found.into_iter().flatten().collect()
}

/// What the demo measures, on every preset.
const METRICS: [&str; 3] = ["pointing-game", "mass-accuracy", "conservation"];

/// How well every preset finds the words that decide, computed as `relprop evaluate --data reviews`
/// does.
fn evaluate(model: &Arc<Model>, reviews: &[Example]) -> anyhow::Result<Results> {
    let sample = |review: &Example| -> anyhow::Result<Sample> {
        let text = model.tokenize(&review.text, None, Truncation::Cut)?;
        Ok(Sample {
            evidence: review.evidence.clone(),
            ..Sample::new(text, review.label)
        })
    };
    let samples = reviews.iter().map(sample).collect::<Result<Vec<_>, _>>()?;
    let presets: Vec<String> = RuleSet::presets().map(str::to_owned).collect();
    let candidate = |preset| -> anyhow::Result<Candidate> {
        let rules = RuleSet::preset(preset)?;
        let propagation = Propagation::new(model, &rules, &Registry::default())?;
        Ok(Candidate::from(Box::new(propagation) as Box<dyn Method>))
    };
    let candidates: Vec<Candidate> = RuleSet::presets()
        .map(candidate)
        .collect::<Result<_, _>>()?;
    let metrics = METRICS
        .into_iter()
        .map(metric)
        .collect::<Result<Vec<_>, _>>()?;
    let evaluation = Evaluation {
        model,
        metrics: &metrics,
        mask_token: hiding_token(model)?,
        hops: 0,
        seed: 0,
    };
    let readings = evaluation.measure(&candidates, &samples, |_| {})?;
    Ok(Results::new(&presets, &metrics, &readings))
}

/// The results for the terminal: the table of `relprop evaluate`, and what its columns are.
fn table(results: &Results, width: usize) -> String {
    let mut table = format!(
        "How well each rule set finds the words that decide, which are known of these reviews\n\n{}\n",
        render::evaluation_table(results, width)
    );
    for metric in &results.metrics {
        table += &format!("{:<16}{}\n", metric.name, metric.about);
    }
    table
}

/// The report.
fn page(
    model: &Model,
    right: f64,
    results: &Results,
    examples: &[&Example],
    pictures: &[Vec<Explanation>],
) -> String {
    let config = model.transformer.config();
    let first = &pictures[0][0];
    let mut facts = vec![
        (
            "Model".to_owned(),
            format!(
                "{}, {} blocks, width {}",
                model.family.name, config.blocks, config.width
            ),
        ),
        (
            "Test accuracy".to_owned(),
            format!("{:.1} %", 100.0 * right),
        ),
        ("Device".to_owned(), first.device.clone()),
        ("Version".to_owned(), format!("relprop {}", first.version)),
    ];
    let compared = results.methods.iter();
    let compared = compared.filter(|method| COMPARED.contains(&method.name.as_str()));
    facts.extend(compared.filter_map(|method| {
        let share = method
            .metrics
            .iter()
            .find(|found| found.metric == METRICS[0])?;
        Some((
            format!("{}: evidence on top", method.name),
            format!("{:.1} %", 100.0 * share.mean?.mean),
        ))
    }));
    let items: Vec<_> = pictures
        .iter()
        .zip(examples)
        .map(|(explanations, example)| render::Item {
            picture: None,
            explanations,
            note: None,
            evidence: &example.evidence,
        })
        .collect();
    render::html(&render::Report {
        title: "relprop demo",
        facts: &facts,
        items: &items,
    })
    .page()
}
