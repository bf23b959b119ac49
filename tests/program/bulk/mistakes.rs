//! Bad rows, empty tables, files that are no tables, and wrong usage.

use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};

use super::Folder;

#[test]
fn bad_rows_are_collected_with_their_number_and_reason() {
    let folder = Folder::new();
    let rows = "{\"text\": \"warm\", \"id\": 1}\n\nnot json\n{\"id\": 3}\n{\"text\": \" \", \"id\": 4}\n\
                {\"text\": 5}\n{\"text\": \"dull\", \"id\": 6}\n";
    folder.write("in.jsonl", rows);
    let errors = folder.path("errors.jsonl");
    let said = folder.explain("in.jsonl", "out.parquet", &["--errors", &errors]);
    assert!(
        said.contains("4 of 6 texts were skipped") && !said.contains("not json"),
        "{said}"
    );
    let texts: Vec<_> = folder
        .rows("out.parquet")
        .iter()
        .map(|row| row["text"].clone())
        .collect();
    assert_eq!(texts, ["warm", "dull"]);
    let errors = String::from_utf8(folder.bytes("errors.jsonl")).unwrap();
    let errors: Vec<Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let found = |name: &str| {
        errors
            .iter()
            .map(|row| row[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("row"), [2, 3, 4, 5]);
    assert_eq!(found("line"), [3, 4, 5, 6]);
    assert_eq!(errors[0]["input"], "not json");
    assert_eq!(errors[1]["input"], json!({"id": 3, "text": null}));
    for (error, reason) in errors
        .iter()
        .zip(["column 2", "no text", "empty", "`text` is 5"])
    {
        assert!(
            error["reason"].as_str().unwrap().contains(reason),
            "{error}"
        );
    }

    // Without a file for them they are named.
    let said = folder.explain("in.jsonl", "out.csv", &[]);
    assert!(
        said.contains("in.jsonl, line 4: the row has no text; skipped"),
        "{said}"
    );
    folder.write("in.jsonl", "{\"text\": \"\"}\n{\"text\": \"\"}\n");
    let arguments = ["--input", &folder.path("in.jsonl")];
    folder.fails(1, &arguments, &["none of the 2 texts could be explained"]);
}

#[rstest]
#[case("in.txt", "")]
#[case("in.csv", "id,text\n")]
#[case("in.tsv", "id\ttext\n")]
#[case("in.jsonl", "\n")]
fn an_empty_table_becomes_an_empty_table(#[case] name: &str, #[case] content: &str) {
    let folder = Folder::new();
    folder.write(name, content);
    for out in ["out.jsonl", "out.csv", "out.parquet", "out.arrow"] {
        let said = folder.explain(name, out, &[]);
        assert!(said.contains("there are no texts"), "{said}");
        assert!(Path::new(&folder.path(out)).exists());
    }
    for out in ["out.csv", "out.parquet", "out.arrow"] {
        assert_eq!(folder.rows(out).len(), 0);
        // And what it became can be explained once more, but for its columns.
        folder.fails(
            1,
            &[
                "--input",
                &folder.path(out),
                "--out",
                &folder.path("again.parquet"),
            ],
            &["has a column `prediction`", "--format jsonl"],
        );
    }
    // A part of a table may have no rows, too.
    folder.write("in.txt", "warm\n");
    folder.explain("in.txt", "out.parquet", &["--shard", "1/3"]);
    assert_eq!(folder.rows("out.parquet").len(), 0);
    folder.explain("in.txt", "out.parquet", &["--shard", "3/3"]);
    assert_eq!(folder.rows("out.parquet").len(), 1);
}

#[rstest]
#[case(&["--input", "in.csv", "--resume"], &["--out"])]
#[case(&["--input", "in.csv", "--out", "out.json", "--resume"], &["resumed", ".jsonl"])]
#[case(&["--input", "in.csv", "--shard", "0/2"], &["counted from 1"])]
#[case(&["--input", "-", "--shard", "1/2"], &["standard input"])]
#[case(&["--shard", "1/2", "a text"], &["--input"])]
#[case(&["--format", "parquet", "a text"], &["--out"])]
#[case(&["--input", "in.csv", "--out", "out.parquet", "a text"], &["not both"])]
#[case(&["--input", "in.csv", "--out", "out.pdf"], &["out.pdf", "--format"])]
#[case(&["--group", "0", "a text"], &["--group"])]
fn wrong_usage_ends_with_2(#[case] arguments: &[&str], #[case] words: &[&str]) {
    Folder::new().fails(2, arguments, words);
}

#[rstest]
#[case("in.csv", "", &["in.csv, line 1", "empty"])]
#[case("in.csv", "text,text\n", &["two columns", "`text`"])]
#[case("in.csv", "review\nwarm\n", &["no column `text` or `sentence`", "`review`", "--column"])]
#[case("in.parquet", "not parquet", &["in.parquet", "complete"])]
#[case("in.arrow", "not arrow", &["in.arrow", "complete"])]
#[case("in.xlsx", "", &["in.xlsx", ".parquet"])]
fn a_file_that_is_no_table_is_named(
    #[case] name: &str,
    #[case] content: &str,
    #[case] words: &[&str],
) {
    let folder = Folder::new();
    let input = folder.write(name, content);
    folder.fails(1, &["--input", &input], words);
}
