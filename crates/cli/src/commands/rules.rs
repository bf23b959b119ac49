//! `relprop rules`

use relprop_rules::RuleSet;

use crate::args::RulesArguments;
use crate::output::Output;
use crate::usage::UsageError;

/// Lists the presets, or prints one as TOML.
pub(crate) fn rules(arguments: &RulesArguments) -> anyhow::Result<()> {
    let mut output = Output::open(None)?;
    let text = |name: &str| RuleSet::preset_toml(name).map_err(UsageError::new);
    if let Some(name) = &arguments.preset {
        return output.write(text(name)?);
    }
    for name in RuleSet::presets() {
        // A preset's text begins with a comment that says what it is, up to its first full stop.
        let comment = text(name)?
            .lines()
            .map_while(|line| line.strip_prefix("# "));
        let comment = comment.collect::<Vec<_>>().join(" ");
        let about = comment
            .split_once(". ")
            .map_or(comment.as_str(), |(first, _)| first);
        output.write(format!("{name:<18} {}\n", about.trim_end_matches('.')))?;
    }
    output.write("\n`relprop rules PRESET` prints one as TOML, to edit and give to --rules.\n")
}
