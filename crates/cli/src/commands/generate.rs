//! `relprop explain --generate N`

use relprop_checkpoints::Model;
use relprop_explain::Sampling;
use relprop_render as render;
use relprop_rules::RuleSet;

use super::explain::explainers;
use crate::args::{ExplainArguments, Format, SamplingArguments};
use crate::output::Output;
use crate::usage::UsageError;

/// Lets a language model go on with each text, and explains each new token.
pub(super) fn generate(
    arguments: &ExplainArguments,
    format: Format,
    model: &Model,
    rules: &RuleSet,
) -> anyhow::Result<()> {
    let count = arguments.generate.map_or(1, Into::into);
    let explainer = explainers(arguments, Format::Ansi, model, rules)?.remove(0);
    if !matches!(format, Format::Ansi | Format::Json | Format::Html) {
        let message = "a continuation is written as ansi, json or html (--format)";
        return Err(UsageError::new(message).into());
    }
    let [text] = &arguments.texts[..] else {
        return Err(UsageError::new("--generate goes on with one text: give one").into());
    };
    if arguments.ledger {
        return Err(UsageError::new("--ledger does not go with --generate").into());
    }
    let sampling = sampling(&arguments.sampling)?;
    let continuation = explainer.continuation(&explainer.tokenize(text)?, count, sampling)?;
    if continuation.steps.len() < count {
        eprintln!(
            "the text ends after {} of {count} tokens: the model ends it, or has no position for more",
            continuation.steps.len()
        );
    }
    let mut output = Output::open(arguments.out.as_deref())?;
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&continuation)? + "\n",
        Format::Html => render::continuation_html(&continuation),
        _ => render::continuation_ansi(&continuation, output.width, output.colour),
    };
    output.write(&text)
}

/// How tokens are drawn, if they are.
fn sampling(arguments: &SamplingArguments) -> Result<Option<Sampling>, UsageError> {
    let SamplingArguments {
        temperature,
        top_k,
        top_p,
        seed,
    } = *arguments;
    if temperature.is_none() && top_k.is_none() && top_p.is_none() && seed.is_none() {
        return Ok(None);
    }
    let usual = Sampling::default();
    let sampling = Sampling {
        temperature: temperature.unwrap_or(usual.temperature),
        top_k,
        top_p: top_p.unwrap_or(usual.top_p),
        seed: seed.unwrap_or(usual.seed),
    };
    sampling.check().map_err(UsageError::new)?;
    Ok(Some(sampling))
}
