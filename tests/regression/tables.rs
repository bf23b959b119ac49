//! Tables as other programs write them. More of each kind stand in tests/program/bulk/kinds.rs.

use std::fs;

use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use serde_json::Value;

/// The texts that are explained of a table, and what is said.
fn texts(name: &str, table: &str, out: Option<&str>) -> (Vec<String>, String) {
    let temporary = tempfile::tempdir().unwrap();
    let path = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
    fs::write(path(name), table).unwrap();
    let explain = |more: &[&str]| -> Ran {
        let mut command = relprop();
        let command = command.args(["explain", "--model"]).arg(folder("bert"));
        command.args(more).output().unwrap().into()
    };
    let input = out.map_or_else(
        || path(name),
        |out| {
            explain(&["--input", &path(name), "--out", &path(out)]).done();
            path(out)
        },
    );
    let ran = explain(&["--input", &input, "--format", "jsonl"]);
    let found = ran.stdout.lines().map(|line| {
        let found: Value = serde_json::from_str(line).unwrap();
        found["text"].as_str().unwrap().to_owned()
    });
    (found.collect(), ran.stderr)
}

/// huggingface/datasets#7322: an object in one row and a text in another made the whole table unreadable.
#[test]
fn a_row_of_another_kind_costs_no_other_row() {
    let table = "{\"text\":\"a warm film\",\"meta\":{\"a\":1}}\n\
                 {\"text\":\"it is dull\",\"meta\":\"none\"}\n\
                 {\"text\":\"a film\",\"meta\":null}\n";
    let (found, said) = texts("in.jsonl", table, None);
    assert_eq!(found, ["a warm film", "a film"]);
    assert!(said.contains("line 2: `meta` is a text"), "{said}");
}

/// pola-rs/polars#24856, huggingface/datasets#8074: Parquet has no empty objects.
#[test]
fn an_empty_object_goes_to_parquet() {
    let table = "{\"text\":\"a warm film\",\"meta\":{}}\n{\"text\":\"it is dull\",\"meta\":{}}\n";
    let (found, _) = texts("in.jsonl", table, Some("out.parquet"));
    assert_eq!(found, ["a warm film", "it is dull"]);
}

/// pandas writes a tab, a quote and a line end of a field of a `.tsv` within quotes, which became halves of
/// texts.
#[test]
fn a_tsv_that_is_written_with_quotes_is_read_with_them() {
    let table = "text\tlabel\n\"a \"\"warm\"\"\tfilm\"\t1\n\"it is\ndull\"\t0\n";
    let (found, _) = texts("in.tsv", table, None);
    assert_eq!(found, ["a \"warm\"\tfilm", "it is\ndull"]);
}

/// rust-csv#395: a line that ends in CRLF was counted as none, so that a bad row was called by the line before.
#[test]
fn a_row_is_called_by_its_line_under_either_end() {
    for ends in ["\n", "\r\n"] {
        let table = ["text,label", "a warm film,1", ",0", "it is dull,0", ""].join(ends);
        let (found, said) = texts("in.csv", &table, None);
        assert_eq!(found, ["a warm film", "it is dull"]);
        assert!(said.contains("line 3"), "{said}");
    }
}

/// transformers#11065: Excel separates by `;` where the comma is in numbers, and may say so in a first line.
#[test]
fn a_table_of_excel_is_read_by_its_separator() {
    for first in ["", "sep=;\r\n"] {
        let table = format!("\u{feff}{first}text;label\r\na warm, funny film;1\r\n");
        let (found, _) = texts("in.csv", &table, None);
        assert_eq!(found, ["a warm, funny film"]);
    }
}

/// captum#388, transformers-interpret#99: the second text of a pair stands in a column of its own.
#[test]
fn a_table_of_pairs_is_explained() {
    let temporary = tempfile::tempdir().unwrap();
    let table = temporary.path().join("in.csv");
    fs::write(&table, "text,second\na warm film,it is dull\n").unwrap();
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder("bert"));
    let command = command.args(["--pair-column", "second", "--format", "jsonl", "--input"]);
    let ran: Ran = command.arg(&table).output().unwrap().into();
    let found: Value = serde_json::from_str(ran.done().stdout.trim()).unwrap();
    let words: Vec<&str> = found["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word["text"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["a", "warm", "film", "it", "is", "dull"]);
}
