//! Rule sets by name or from a file.

use std::path::Path;

use anyhow::Context;
use relprop_rules::RuleSet;

use crate::usage::UsageError;

/// The presets that a page shows side by side, the paper's method first: its parts, what it improves
/// on, and the two methods that came after it.
pub(crate) const COMPARED: [&str; 6] =
    ["ah-ln", "gradient-x-input", "ah", "ln", "attn-lrp", "libra"];

/// The rule set that `--rules` names: a file if it ends in `.toml`, else a preset.
pub(crate) fn load(name: &str) -> anyhow::Result<RuleSet> {
    if is_file(name) {
        let text = std::fs::read_to_string(name).with_context(|| name.to_owned())?;
        return RuleSet::from_toml(&text).with_context(|| name.to_owned());
    }
    RuleSet::preset(name).map_err(|error| {
        UsageError::new(format_args!("{error}; or give a file that ends in .toml")).into()
    })
}

/// Whether `name` is that of a file.
pub(crate) fn is_file(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "toml")
}
