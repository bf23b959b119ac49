//! Any bytes for a table of texts: the first byte says which kind of file.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use relprop_train::corpus::{Corpus, read_texts};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let kind = ["tsv", "csv", "jsonl", "txt"][usize::from(kind % 4)];
    let path = FOLDER.path().join(format!("texts.{kind}"));
    fs::write(&path, bytes).expect("the folder can be written");
    let _ = read_texts(&path);
    let _ = Corpus::read(&path);
});
