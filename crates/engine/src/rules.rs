//! Rule sets by name or from a file.

use std::path::Path;

use relprop_rules::RuleSet;

use crate::EngineError;

/// The presets that are shown side by side: the paper's method first, then what it improves on, its
/// two rules alone, and two methods that came after it.
pub const COMPARED: [&str; 6] = ["ah-ln", "gradient-x-input", "ah", "ln", "attn-lrp", "libra"];

/// The rule set called `name`: a file if the name ends in `.toml`, else a preset.
///
/// # Errors
///
/// If there is no such preset, or the file cannot be read or understood.
pub fn rules(name: &str) -> Result<RuleSet, EngineError> {
    if !is_rules_file(name) {
        return RuleSet::preset(name).map_err(EngineError::Preset);
    }
    let path = || name.into();
    let text = std::fs::read_to_string(name).map_err(|source| EngineError::RulesFile {
        path: path(),
        source,
    })?;
    RuleSet::from_toml(&text).map_err(|source| EngineError::RulesText {
        path: path(),
        source,
    })
}

/// What a preset is, in one sentence: the comment that its text begins with, up to its first full stop. Empty if
/// there is no such preset.
pub fn preset_about(name: &str) -> String {
    let text = RuleSet::preset_toml(name).unwrap_or_default();
    let comment = text.lines().map_while(|line| line.strip_prefix("# "));
    let comment = comment.collect::<Vec<_>>().join(" ");
    let about = comment.split_once(". ");
    let about = about.map_or(comment.as_str(), |(first, _)| first);
    about.trim_end_matches('.').to_owned()
}

/// Whether `name` is the name of a file with rules.
pub fn is_rules_file(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "toml")
}
