//! Tables of texts: to train on, to measure with, and to explain in bulk.
//!
//! The first byte says which kind: `0` TSV, `1` CSV, `2` JSON lines, `3` lines or trees.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use relprop_fuzz::Folder;
use relprop_data::{Table, texts};
use relprop_data::{corpus::Corpus, corpus::are_trees, corpus::read_texts, corpus::read_trees};

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::new);
const KINDS: [&str; 4] = ["t.tsv", "t.csv", "t.jsonl", "t.txt"];
/// How many rows are read at a time.
const GROUP: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let path = FOLDER.write(KINDS[usize::from(kind % 4)], bytes);
    let _ = read_texts(&path);
    let _ = Corpus::read(&path);
    if are_trees(&path).is_ok_and(|are| are) {
        let _ = read_trees(&path);
    }

    let Ok(table) = Table::open(&path, None) else {
        return;
    };
    for first in [0, 1] {
        let mut rows = first.min(table.rows());
        let mut source = table.read(first).expect("it was opened before");
        while let Some(group) = source.read(GROUP).expect("it was looked through") {
            assert!(!group.is_empty() && group.len() <= GROUP);
            rows += group.len() as u64;
            texts(&group.batch, table.column()).expect("the column holds texts");
        }
        assert_eq!(rows, table.rows(), "it was looked through");
    }
});
