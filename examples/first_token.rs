//! What the first token of a prompt holds: how much a trained language model looks at it, how much of
//! the relevance it gets, and how much of a map can be seen beside it.
//!
//! ```text
//! cargo run --release --example first_token -- MODEL texts.tsv 300
//! ```
//!
//! The prompts are the first halves of the texts, and what is explained is the token that the model
//! expects next, or the difference between that one and the second likeliest. docs/language-models.md
//! has a model that this was measured on, and what came out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::corpus::read_texts;
use relprop_explain::{Explainer, Explanation, Plan, Target};
use relprop_rules::{Operation, Pass, RuleSet, operations::AttentionWeights};
use relprop_transformer::{Batch, PaddingSide, TokenizedText};

/// Shorter prompts have too few tokens to share anything.
const SHORTEST: usize = 8;
/// From which part of the strongest token's relevance on a token can be seen on a map.
const SEEN: f32 = 0.1;

/// A prompt, and the tokens that the model expects most after it.
struct Prompt {
    text: TokenizedText,
    likeliest: usize,
    second: usize,
}

/// Means over all prompts.
#[derive(Default)]
struct Share {
    /// The first token's part of all absolute relevance.
    held: f64,
    /// How often it is the strongest token.
    strongest: f64,
    /// The part of the other tokens that can be seen on a map with it.
    seen: f64,
    /// The part of them on a map without it.
    seen_without: f64,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().context("give a model's folder")?;
    let file = arguments.next().context("give a file of texts")?;
    let count = arguments
        .next()
        .and_then(|count| count.to_str()?.parse().ok());
    let model = Arc::new(Model::load(&folder, &Device::flex())?);

    let mut prompts = Vec::new();
    for text in read_texts(&file)?.texts {
        let mut text = model.tokenize(&text.text, None, Default::default())?;
        let half = text.tokens.len() / 2;
        if half >= SHORTEST {
            text.tokens.truncate(half);
            text.types.truncate(half);
            prompts.push(prompt(&model, text));
        }
        if Some(prompts.len()) == count {
            break;
        }
    }
    let tokens: usize = prompts.iter().map(|prompt| prompt.text.tokens.len()).sum();
    let mean = tokens as f64 / prompts.len() as f64;
    println!("{} prompts of {mean:.0} tokens on average", prompts.len());

    let attention = attention(&model, &prompts)?;
    let by_block: Vec<String> = attention.iter().map(|mass| format!("{mass:.2}")).collect();
    println!(
        "of the last token's attention the first one has {:.2} (by block: {}); {:.2} if all had the same\n",
        attention.iter().sum::<f64>() / attention.len() as f64,
        by_block.join(", "),
        prompts
            .iter()
            .map(|prompt| 1.0 / prompt.text.tokens.len() as f64)
            .sum::<f64>()
            / prompts.len() as f64,
    );

    println!(
        "| preset | logit: held | strongest | others seen | without it | contrast: held | strongest | others seen | without it |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for preset in RuleSet::presets() {
        let rules = RuleSet::preset(preset)?;
        let explainer = Explainer::new(&model, &Plan::default().by_rules(rules))?;
        let logit = share(&explainer, &prompts, |of| Target::Label(of.likeliest))?;
        let contrast = share(&explainer, &prompts, |of| {
            Target::Contrast(of.likeliest, of.second)
        })?;
        println!("| `{preset}` | {} | {} |", row(&logit), row(&contrast));
    }

    let rules = RuleSet::preset("ah-ln")?;
    let explainer = Explainer::new(&model, &Plan::default().by_rules(rules))?;
    if let Some(prompt) = prompts.first() {
        for target in [
            Target::Label(prompt.likeliest),
            Target::Contrast(prompt.likeliest, prompt.second),
        ] {
            map(&explain(&explainer, prompt, target)?);
        }
    }
    Ok(())
}

fn prompt(model: &Model, text: TokenizedText) -> Prompt {
    let transformer = &model.transformer;
    let padding = transformer.config().padding_token;
    let batch = Batch::new([&text], padding, PaddingSide::Right, &transformer.device());
    let logits = transformer.forward(&batch, &mut Pass::plain());
    let logits = logits
        .into_data_as::<f32>()
        .try_to_vec::<f32>()
        .expect("they are f32");
    let mut ids: Vec<usize> = (0..logits.len()).collect();
    ids.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    Prompt {
        text,
        likeliest: ids[0],
        second: ids[1],
    }
}

/// How much of its attention the last token gives to the first one, in each block: the mean over
/// prompts and heads.
fn attention(model: &Model, prompts: &[Prompt]) -> anyhow::Result<Vec<f64>> {
    let transformer = &model.transformer;
    let sites = transformer.sites().into_iter();
    let sites = sites.filter(|site| site.operation == Some(AttentionWeights::NAME));
    let sites: Vec<String> = sites.map(|site| site.name).collect();
    let mut means = vec![0.0; sites.len()];
    for Prompt { text, .. } in prompts {
        let padding = transformer.config().padding_token;
        let batch = Batch::new([text], padding, PaddingSide::Right, &transformer.device());
        let mut pass = sites.iter().fold(Pass::plain(), Pass::with_probe);
        transformer.forward(&batch, &mut pass);
        let mut found = pass.into_readings();
        for (mean, site) in means.iter_mut().zip(&sites) {
            let weights = found.read::<4>(site)?.signal;
            let to_first = weights.narrow(2, text.tokens.len() - 1, 1).narrow(3, 0, 1);
            *mean += f64::from(to_first.mean().into_scalar::<f32>()) / prompts.len() as f64;
        }
    }
    Ok(means)
}

fn explain(explainer: &Explainer, prompt: &Prompt, target: Target) -> anyhow::Result<Explanation> {
    let explainer = explainer.target(target)?;
    let mut found = explainer.explain_batch(std::slice::from_ref(&prompt.text))?;
    Ok(found.remove(0))
}

fn share(
    explainer: &Explainer,
    prompts: &[Prompt],
    target: impl Fn(&Prompt) -> Target,
) -> anyhow::Result<Share> {
    let mut share = Share::default();
    for prompt in prompts {
        let found = explain(explainer, prompt, target(prompt))?;
        let sizes: Vec<f32> = found
            .tokens
            .iter()
            .map(|token| token.relevance.abs())
            .collect();
        let (first, others) = (sizes[0], &sizes[1..]);
        let largest = others.iter().copied().fold(0.0, f32::max);
        let seen = |scale: f32| {
            let seen = others.iter().filter(|size| **size >= SEEN * scale);
            seen.count() as f64 / others.len() as f64
        };
        let count = prompts.len() as f64;
        share.held += f64::from(first / sizes.iter().sum::<f32>()) / count;
        share.strongest += f64::from(u8::from(first > largest)) / count;
        share.seen += seen(largest.max(first)) / count;
        share.seen_without += seen(largest) / count;
    }
    Ok(share)
}

fn row(share: &Share) -> String {
    let Share {
        held,
        strongest,
        seen,
        seen_without,
    } = share;
    format!("{held:.2} | {strongest:.2} | {seen:.2} | {seen_without:.2}")
}

/// Every token, and its relevance in percent of the strongest: of all, and of all but the first.
fn map(explanation: &Explanation) {
    println!(
        "\n{} = {:.2}",
        explanation.target.label, explanation.target.value
    );
    let largest = |from: usize| {
        let sizes = explanation.tokens[from..]
            .iter()
            .map(|token| token.relevance.abs());
        sizes.fold(0.0, f32::max)
    };
    let percent = |relevance: f32, scale: f32| 100.0 * relevance / scale;
    for (place, token) in explanation.tokens.iter().enumerate() {
        let with = percent(token.relevance, largest(0));
        let without = match place {
            0 => String::new(),
            _ => format!("{:+.0}", percent(token.relevance, largest(1))),
        };
        println!("{:>12} {with:>+5.0} {without:>5}", token.text);
    }
}
