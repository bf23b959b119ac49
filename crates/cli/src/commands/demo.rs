//! `relprop demo`

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::{corpus::Corpus, corpus::Example, corpus::reviews};
use relprop_engine::COMPARED;
use relprop_explain::{Explainer, Explanation, Plan};
use relprop_render as render;
use relprop_rules::RuleSet;
use relprop_train::{Display, TrainConfig, accuracy, train};
use relprop_transformer::TokenizedText;

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

    let scores = scores(&model, &corpus.test)?;
    output.write(table(&scores, corpus.test.len()))?;

    let report = arguments.out.join("report.html");
    let page = page(&model, right, &scores, &examples, &pictures);
    fs::write(&report, page).with_context(|| report.display().to_string())?;
    output.write(format!(
        "\nThe report, with rule sets side by side: {}\n\nWhat to try next:\n  \
         relprop explain --model {model} \"the plot is not dull but the ending fails to charm\"\n  \
         relprop inspect --model {model}\n  \
         relprop rules ah-ln > mine.toml, edit it, and explain with --rules mine.toml\n  \
         relprop train --data reviews.tsv --out my-model\n",
        report.display(),
        model = folder.display()
    ))
}

/// The demo's model: the one of an earlier demo if it is there, else a fresh one.
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

/// One explainer a preset.
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

/// How well a rule set finds the words that decide.
struct Score {
    rules: String,
    /// The share of texts whose most relevant word is evidence.
    pointing: f64,
    /// The share of positive relevance that lies on evidence.
    mass: f64,
    /// The median share of the target that the tokens hold.
    conserved: f64,
}

/// Explains every review under every preset and compares with the known evidence.
fn scores(model: &Arc<Model>, reviews: &[Example]) -> anyhow::Result<Vec<Score>> {
    let mut scores = Vec::new();
    for explainer in explainers(model, RuleSet::presets())? {
        let mut explanations = Vec::new();
        for chunk in reviews.chunks(BATCH) {
            let tokens: Result<Vec<TokenizedText>, _> = chunk
                .iter()
                .map(|review| explainer.tokenize(&review.text))
                .collect();
            explanations.extend(explainer.explain_batch(&tokens?)?);
        }
        scores.push(score(&explanations, reviews));
    }
    Ok(scores)
}

fn score(explanations: &[Explanation], reviews: &[Example]) -> Score {
    let (mut hits, mut mass, mut conserved) = (0, 0.0, Vec::new());
    for (explanation, review) in explanations.iter().zip(reviews) {
        let is_evidence = |start: usize, end: usize| {
            review
                .evidence
                .iter()
                .any(|range: &Range<usize>| start < range.end && range.start < end)
        };
        let words = &explanation.words;
        let top = words
            .iter()
            .max_by(|a, b| a.relevance.total_cmp(&b.relevance));
        hits += usize::from(top.is_some_and(|word| is_evidence(word.start, word.end)));
        let positive = |on_evidence: bool| -> f64 {
            let counted = words
                .iter()
                .filter(|word| !on_evidence || is_evidence(word.start, word.end))
                .map(|word| f64::from(word.relevance.max(0.0)));
            counted.sum()
        };
        mass += positive(true) / positive(false).max(f64::MIN_POSITIVE);
        conserved.push(f64::from(explanation.total() / explanation.target.value));
    }
    conserved.sort_by(f64::total_cmp);
    let count = explanations.len() as f64;
    Score {
        rules: explanations
            .first()
            .map(|first| first.rules.clone())
            .unwrap_or_default(),
        pointing: hits as f64 / count,
        mass: mass / count,
        conserved: conserved
            .get(conserved.len() / 2)
            .copied()
            .unwrap_or(f64::NAN),
    }
}

/// The scores as a table for the terminal.
fn table(scores: &[Score], reviews: usize) -> String {
    let mut table = format!(
        "How often the explanation finds the words that decide ({reviews} reviews whose evidence \
         is known)\n\n{:<18}{:>16}{:>16}{:>16}\n",
        "rules", "top word is", "relevance on", "tokens hold,"
    );
    table += &format!(
        "{:<18}{:>16}{:>16}{:>16}\n",
        "", "evidence", "evidence", "of the logit"
    );
    for score in scores {
        table += &format!(
            "{:<18}{:>14.1} %{:>14.1} %{:>14.0} %\n",
            score.rules,
            100.0 * score.pointing,
            100.0 * score.mass,
            100.0 * score.conserved
        );
    }
    table
}

/// The report.
fn page(
    model: &Model,
    right: f64,
    scores: &[Score],
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
    let compared = |score: &&Score| COMPARED.contains(&score.rules.as_str());
    facts.extend(scores.iter().filter(compared).map(|score| {
        (
            format!("{}: evidence on top", score.rules),
            format!("{:.1} %", 100.0 * score.pointing),
        )
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
}
