//! Rule sets in TOML: read, given to models, written and read again.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use relprop_fuzz::{BERT, GPT2, model};
use relprop_rules::{Registry, RuleSet, Site};

static SITES: LazyLock<[Vec<Site>; 2]> =
    LazyLock::new(|| [BERT, GPT2].map(|config| model(config).transformer.sites()));

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(rules) = RuleSet::from_toml(text) else {
        return;
    };
    for sites in SITES.iter() {
        let _ = rules.bind(sites, &Registry::default());
        for site in sites {
            let _ = rules.deciding(site);
        }
    }
    let written = rules.to_toml().expect("what was read can be written");
    RuleSet::from_toml(&written).expect("what was written can be read");
});
