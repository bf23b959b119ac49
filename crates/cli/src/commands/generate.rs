//! `relprop explain --generate N`

use relprop_explain::render;
use relprop_rules::RuleSet;
use relprop_transformer::Model;

use super::explain::explainers;
use crate::args::{ExplainArguments, Format};
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
    let continuation = explainer.continuation(&explainer.tokenize(text)?, count)?;
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
