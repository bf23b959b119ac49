//! Runs that are killed go on, and parts of a table add up to the whole.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rstest::rstest;
use serde_json::Value;

use super::{Folder, difference, json_lines, numbers, tables, wait_for};

#[rstest]
#[case("out.parquet")]
#[case("out.arrow")]
#[case("out.jsonl")]
#[case("out.csv")]
fn a_run_that_is_killed_goes_on_where_it_was(#[case] out: &str) {
    let folder = Folder::new();
    // Every 50th row is bad.
    let rows = json_lines(1500);
    let rows = rows
        .lines()
        .enumerate()
        .map(|(index, row)| match index % 50 {
            7 => "not json\n".to_owned(),
            _ => format!("{row}\n"),
        });
    folder.write("in.jsonl", rows.collect::<String>());
    let whole = format!("whole-{out}");
    let (errors, of_whole) = (
        folder.path("errors.jsonl"),
        folder.path("whole-errors.jsonl"),
    );
    let group = ["--group", "50"];
    folder.explain(
        "in.jsonl",
        &whole,
        &[&group[..], &["--errors", of_whole.as_str()]].concat(),
    );

    let more = [&group[..], &["--errors", errors.as_str(), "--resume"]].concat();
    for groups in [2, 7, 12] {
        folder.kill("in.jsonl", out, &more, groups);
    }
    // What is there is whole and can be read; a table of JSON lines has 49 good rows a group.
    let parts = format!("{out}.parts");
    let first = out.replace("out.", "part-00000000.");
    assert_eq!(folder.rows(&format!("{parts}/{first}")).len(), 49);

    // Nothing of an interrupted run is lost by mistake.
    let files = [folder.path("in.jsonl"), folder.path(out)];
    let again = [
        "--input",
        files[0].as_str(),
        "--out",
        files[1].as_str(),
        "--group",
        "50",
    ];
    folder.fails(1, &again, &["an interrupted run", "--resume", "delete"]);
    let resume = [&again[..], &["--resume"]].concat();
    folder.fails(
        1,
        &[&resume[..], &["--rules", "ah"]].concat(),
        &["`rules` changed"],
    );
    folder.fails(
        1,
        &[&resume[..], &["--target", "0", "--ledger"]].concat(),
        &["`target`, `ledger`"],
    );

    let said = folder.explain("in.jsonl", out, &more);
    assert!(said.contains("30 of 1500 texts were skipped"), "{said}");
    assert!(
        folder.bytes(out) == folder.bytes(&whole),
        "the files differ"
    );
    assert_eq!(
        folder.bytes("errors.jsonl"),
        folder.bytes("whole-errors.jsonl")
    );
    assert!(!Path::new(&folder.path(&parts)).exists());

    // A scheduler may start a finished run once more.
    let said = folder.explain("in.jsonl", out, &more);
    assert!(said.contains("nothing to resume"), "{said}");
    assert!(folder.bytes(out) == folder.bytes(&whole));
}

#[test]
fn a_run_goes_on_only_with_the_table_that_it_began_with() {
    let folder = Folder::new();
    let more = ["--group", "50", "--resume"];
    folder.write("in.jsonl", json_lines(1000));
    folder.kill("in.jsonl", "out.jsonl", &more, 2);
    folder.write("in.jsonl", json_lines(1000).replace("warm", "cold"));
    let files = [folder.path("in.jsonl"), folder.path("out.jsonl")];
    let files = ["--input", files[0].as_str(), "--out", files[1].as_str()];
    folder.fails(
        1,
        &[&files[..], &more].concat(),
        &["`input` changed", "delete the folder"],
    );
    fs::remove_dir_all(folder.path("out.jsonl.parts")).unwrap();
    folder.explain("in.jsonl", "out.jsonl", &more);
}

#[test]
fn one_output_is_written_by_one_run_at_a_time() {
    let folder = Folder::new();
    folder.write("in.jsonl", json_lines(3000));
    let files = [folder.path("in.jsonl"), folder.path("out.jsonl")];
    let files = [
        "--input",
        files[0].as_str(),
        "--out",
        files[1].as_str(),
        "--group",
        "10",
        "--resume",
    ];
    let mut child = folder
        .command(&files)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(
        Path::new(&folder.path("out.jsonl.parts/part-00000000.jsonl")),
        &mut child,
    );
    folder.fails(1, &files, &["another relprop is writing"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[rstest]
fn parts_add_up_to_the_whole(
    #[values("txt", "tsv", "csv", "jsonl", "parquet", "arrow")] from: &str,
) {
    let folder = Folder::new();
    tables(&folder, 23);
    let input = format!("in.{from}");
    folder.explain(&input, "whole.jsonl", &[]);
    let mut parts = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        folder.explain(&input, "part.jsonl", &["--shard", shard, "--group", "3"]);
        parts.extend(folder.rows("part.jsonl"));
    }
    let whole = folder.rows("whole.jsonl");
    assert_eq!(parts.len(), whole.len());
    for (part, whole) in parts.iter().zip(&whole) {
        assert_eq!(
            (&part["text"], &part["input"]),
            (&whole["text"], &whole["input"])
        );
        let of = |row: &Value| numbers(&row["tokens"], "relevance");
        assert!(difference(&of(part), &of(whole)) < 1e-5);
    }
}
