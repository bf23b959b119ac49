//! Any text for a rule set in TOML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relprop_rules::RuleSet;

fuzz_target!(|text: &str| {
    if let Ok(rules) = RuleSet::from_toml(text) {
        // What was read can be written, and reads back as the same.
        let written = rules.to_toml().expect("a rule set that was read");
        assert_eq!(RuleSet::from_toml(&written).expect("what was written"), rules);
    }
});
