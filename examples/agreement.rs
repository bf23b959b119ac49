//! Which noun a language model looks at when it chooses between `is` and `are`: how often an explanation
//! points at the subject of a sentence, whose number decides the verb, and not at another noun or at the
//! first token.
//!
//! ```text
//! relprop train --task next-token --data agreement --config agreement.toml --out agreement-model
//! cargo run --release --example agreement -- agreement-model
//! ```
//!
//! docs/language-models.md has the settings, and what came out.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::{corpus::Agreement, corpus::agreement};
use relprop_explain::{Explainer, Plan, Target};
use relprop_explain::{methods::Method, methods::by_name};
use relprop_rules::RuleSet;
use relprop_transformer::TokenizedText;

/// As many sentences as `relprop train --data agreement` makes; the last tenth is not trained on.
const SENTENCES: usize = 20_000;
/// How many of the last tenth are explained: those with another noun between subject and verb.
const EXPLAINED: usize = 400;

/// A sentence up to its verb, and the tokens of both forms of the verb.
struct Case {
    text: TokenizedText,
    right: usize,
    wrong: usize,
    /// Which tokens are the subject.
    subject: Vec<bool>,
}

/// How often the strongest token is the subject, and what the first token holds.
#[derive(Default)]
struct Score {
    among_all: f64,
    without_first: f64,
    held_by_first: f64,
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| anyhow::anyhow!("give a model's folder"))?;
    let model = Arc::new(Model::load(&folder, &Device::flex())?);
    let sentences = agreement(SENTENCES, 0).split_off(SENTENCES * 9 / 10);
    let hard = sentences.iter().filter(|sentence| sentence.attractors > 0);
    let cases: Vec<Case> = hard
        .take(EXPLAINED)
        .map(|sentence| case(&model, sentence))
        .collect::<Result<_, _>>()?;

    let right = right(&model, &cases)?;
    let share = right.len() as f64 / cases.len() as f64;
    println!(
        "the right verb is likelier in {:.1} % of {} sentences",
        100.0 * share,
        cases.len()
    );
    println!("explained are those {}\n", right.len());
    println!(
        "| method | contrast | without the first | first holds | logit | without the first | first holds |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for name in ["random", "attention-last", "attention-rollout"] {
        let method = by_name(name, &model, 0)?;
        let score = score(&right, |case| of_label(method.as_ref(), case, case.right))?;
        println!("| {name} | {} | {} |", row(&score), row(&score));
    }
    let name = "integrated-gradients:steps=20:baseline=zero";
    let method = by_name(name, &model, 0)?;
    let contrast = score(&right, |case| {
        let wrong = of_label(method.as_ref(), case, case.wrong)?;
        let of_right = of_label(method.as_ref(), case, case.right)?;
        Ok(of_right.iter().zip(wrong).map(|(a, b)| a - b).collect())
    })?;
    let logit = score(&right, |case| of_label(method.as_ref(), case, case.right))?;
    println!(
        "| integrated-gradients | {} | {} |",
        row(&contrast),
        row(&logit)
    );
    for name in RuleSet::presets() {
        let rules = RuleSet::preset(name)?;
        let explainer = Explainer::new(&model, &Plan::default().by_rules(rules))?;
        let explain = |case: &Case, target| -> anyhow::Result<Vec<f32>> {
            let explainer = explainer.target(target)?;
            let found = explainer.explain_batch(std::slice::from_ref(&case.text))?;
            Ok(found[0]
                .tokens
                .iter()
                .map(|token| token.relevance)
                .collect())
        };
        let contrast = score(&right, |case| {
            explain(case, Target::Contrast(case.right, case.wrong))
        })?;
        let logit = score(&right, |case| explain(case, Target::Label(case.right)))?;
        println!("| {name} | {} | {} |", row(&contrast), row(&logit));
    }
    Ok(())
}

fn case(model: &Model, sentence: &Agreement) -> anyhow::Result<Case> {
    let characters: Vec<char> = sentence.text.chars().collect();
    let prompt: String = characters[..sentence.verb.start - 1].iter().collect();
    let verb: String = characters[sentence.verb.clone()].iter().collect();
    let text = model.tokenize(&prompt, None, Default::default())?;
    let id = |verb: &str| match Target::read(model, &format!(" {verb}"), None)? {
        Target::Label(id) => Ok(id),
        _ => anyhow::bail!("{verb} is no token"),
    };
    let range = &sentence.subject;
    let tokens = text.tokens.iter();
    let subject = tokens.map(|token| token.start < range.end && token.end > range.start);
    Ok(Case {
        subject: subject.collect(),
        right: id(&verb)?,
        wrong: id(sentence.other)?,
        text,
    })
}

/// The cases in which the model expects the right form more than the wrong one.
fn right<'c>(model: &Arc<Model>, cases: &'c [Case]) -> anyhow::Result<Vec<&'c Case>> {
    let rules = RuleSet::preset("gradient-x-input")?;
    let explainer = Explainer::new(model, &Plan::default().by_rules(rules))?;
    let mut right = Vec::new();
    for case in cases {
        let target = Target::Contrast(case.right, case.wrong);
        let explainer = explainer.target(target)?;
        let found = explainer.explain_batch(std::slice::from_ref(&case.text))?;
        if found[0].target.value > 0.0 {
            right.push(case);
        }
    }
    Ok(right)
}

fn of_label(method: &dyn Method, case: &Case, label: usize) -> anyhow::Result<Vec<f32>> {
    let found = method.relevance(&[&case.text], label)?;
    Ok(found.concat())
}

/// The mean over all cases.
fn score(
    cases: &[&Case],
    explain: impl Fn(&Case) -> anyhow::Result<Vec<f32>>,
) -> anyhow::Result<Score> {
    let mut mean = Score::default();
    for case in cases {
        let relevance = explain(case)?;
        let points = |from: usize| {
            let best =
                (from..relevance.len()).max_by(|a, b| relevance[*a].total_cmp(&relevance[*b]));
            best.is_some_and(|best| case.subject[best])
        };
        let all: f32 = relevance.iter().map(|r| r.abs()).sum();
        let count = cases.len() as f64;
        mean.among_all += f64::from(u8::from(points(0))) / count;
        mean.without_first += f64::from(u8::from(points(1))) / count;
        mean.held_by_first += f64::from(relevance[0].abs() / all) / count;
    }
    Ok(mean)
}

fn row(score: &Score) -> String {
    let Score {
        among_all,
        without_first,
        held_by_first,
    } = score;
    format!("{among_all:.2} | {without_first:.2} | {held_by_first:.2}")
}
