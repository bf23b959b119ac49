//! `relprop rules`

use relprop_engine::preset_about;
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
        output.write(format!("{name:<18} {}\n", preset_about(name)))?;
    }
    output.write("\n`relprop rules PRESET` prints one as TOML, to edit and give to --rules.\n")
}
