//! Any bytes for `config.json`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

mod folder;

static FOLDER: LazyLock<folder::Folder> = LazyLock::new(folder::Folder::new);

fuzz_target!(|bytes: &[u8]| FOLDER.load_with("config.json", bytes));
