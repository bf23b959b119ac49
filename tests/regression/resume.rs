//! `--resume` mixed two runs: the manifest listed flags one by one, and `--against`, `--score` and
//! `--position` were not among them. A run of 200,000 rows that was killed and resumed against another
//! label ended well, with half of its rows of either contrast. The manifest is the whole plan since.

use std::collections::BTreeSet;
use std::fs;

use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};

/// What changes what is written: a model, the flags of the first run, others that the second has in their
/// place, and what the refusal calls the difference.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);
const CASES: [Case; 26] = [
    (
        "llama",
        &["--target", " film", "--against", "dull"],
        &["--target", " film", "--against", " film"],
        "target",
    ),
    ("llama", &[], &["--position", "0"], "target"),
    (
        "llama",
        &["--answer", " film"],
        &["--answer", " dull"],
        "content",
    ),
    (
        "llama",
        &["--answer", " film"],
        &["--answer", " film", "--hops", "1"],
        "hops",
    ),
    (
        "llama",
        &["--generate", "2", "--target", "answer()"],
        &["--generate", "3", "--target", "answer()"],
        "content",
    ),
    (
        "llama",
        &["--answer-column", "other"],
        &["--answer-column", "text"],
        "content",
    ),
    (
        "heads/bert-tokens",
        &["--parts", "entities"],
        &["--parts", "tokens"],
        "content",
    ),
    ("bert", &[], &["--score", "log-probability"], "target"),
    ("bert", &["--target", "0"], &["--target", "1"], "target"),
    ("bert", &[], &["--rules", "libra"], "rules"),
    ("bert", &[], &["--at", "embeddings.word"], "at"),
    ("bert", &[], &["--ledger"], "ledger"),
    ("bert", &[], &["--segments", "sentences"], "segments"),
    ("bert", &[], &["--recompute"], "recompute"),
    ("bert", &[], &["--no-truncate"], "truncation"),
    ("bert", &[], &["--windows"], "truncation"),
    ("bert", &["--pair", "dull"], &["--pair", "warm"], "content"),
    (
        "bert",
        &["--query", "dull"],
        &["--query", "warm"],
        "content",
    ),
    (
        "bert",
        &["--target", "0", "--labels", "a,b"],
        &[
            "--target",
            "0",
            "--labels",
            "a,b",
            "--template",
            "it is {}",
            "--several",
        ],
        "content",
    ),
    (
        "bert",
        &["--pair-column", "other"],
        &["--pair-column", "text"],
        "content",
    ),
    (
        "bert",
        &["--method", "saliency"],
        &["--method", "gae"],
        "method",
    ),
    ("bert", &["--group", "1"], &["--group", "2"], "group"),
    ("bert", &["--shard", "1/2"], &["--shard", "2/2"], "rows"),
    (
        "bert",
        &["--column", "text"],
        &["--column", "other"],
        "column",
    ),
    ("bert", &[], &["--dtype", "f16"], "dtype"),
    ("mistral", &[], &["--chat"], "chat"),
];

/// What says from where, to where and on what, and what a table does not have.
const OTHER_FLAGS: [&str; 17] = [
    "--texts",
    "--pairs",
    "--base",
    "--model",
    "--input",
    "--out",
    "--format",
    "--errors",
    "--resume",
    "--device",
    "--overlay",
    "--temperature",
    "--top-k",
    "--top-p",
    "--seed",
    "--help",
    "--version",
];

#[test]
fn a_run_is_resumed_as_what_it_was_or_not_at_all() {
    for (model, first, second, name) in CASES {
        let temporary = tempfile::tempdir().unwrap();
        let path = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("in.tsv"), "text\tother\nthe film\ta\nis dull\tb\n").unwrap();
        let run = |more: &[&str]| -> Ran {
            let mut command = relprop();
            let command = command.args(["explain", "--model"]).arg(folder(model));
            let files = ["--input", &path("in.tsv"), "--out", &path("out.jsonl")];
            command.args(files).args(more).output().unwrap().into()
        };
        // All rows are done, and stay in parts, because a folder is no file for errors.
        fs::create_dir(path("errors")).unwrap();
        run(&[first, &["--errors", &path("errors")]].concat()).failed(1, &["errors"]);
        assert!(fs::exists(path("out.jsonl.parts/_manifest.json")).unwrap());

        let changed = format!(": `{name}` changed since");
        run(&[second, &["--resume"]].concat()).failed(1, &[&changed]);
        assert!(!fs::exists(path("out.jsonl")).unwrap(), "{name}");
        run(&[first, &["--resume"]].concat()).done();
        assert!(fs::exists(path("out.jsonl")).unwrap(), "{name}");
    }
}

/// Found by reading: what stands beside a tokenizer decides its tokens, and was not part of a run.
#[test]
fn a_run_is_resumed_with_the_files_that_it_began_with() {
    let temporary = tempfile::tempdir().unwrap();
    let path = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(folder("bert").join(file), path(file)).unwrap();
    }
    fs::write(path("in.txt"), "the film\n").unwrap();
    let run = |more: &[&str]| -> Ran {
        let mut command = relprop();
        let command = command.args(["explain", "--model"]).arg(temporary.path());
        let files = ["--input", &path("in.txt"), "--out", &path("out.jsonl")];
        command.args(files).args(more).output().unwrap().into()
    };
    fs::create_dir(path("errors")).unwrap();
    run(&["--errors", &path("errors")]).failed(1, &["errors"]);
    for file in ["special_tokens_map.json", "added_tokens.json"] {
        fs::write(path(file), "{}").unwrap();
        run(&["--resume"]).failed(1, &["`model-files` changed since"]);
        fs::remove_file(path(file)).unwrap();
    }
    run(&["--resume"]).done();
}

/// So that the next flag is not forgotten.
#[test]
fn every_flag_stands_in_one_of_the_tables_above() {
    let help = Ran::from(relprop().args(["explain", "--help"]).output().unwrap()).done();
    let words = help.stdout.lines().flat_map(|line| {
        let flags = line.trim_start();
        flags
            .starts_with('-')
            .then(|| flags.split([' ', ',']).take(3))
    });
    let found: BTreeSet<_> = words
        .flatten()
        .filter(|word| word.starts_with("--"))
        .collect();
    let cases = CASES
        .iter()
        .flat_map(|(_, first, second, _)| first.iter().chain(*second));
    let known = cases.chain(&OTHER_FLAGS).copied();
    let known: BTreeSet<_> = known.filter(|word| word.starts_with("--")).collect();
    assert_eq!(found, known);
}
