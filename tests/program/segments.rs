//! `--segments`, in every format.

use std::fs;

use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use rstest::rstest;
use serde_json::Value;

const TEXT: &str = "a warm film. It is never dull! 今日は。";

fn explain(model: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder(model));
    command.args(arguments).output().unwrap().into()
}

fn json(model: &str, arguments: &[&str]) -> Value {
    let ran = explain(model, &[arguments, &["--format", "json"]].concat()).done();
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Sums of segments are the sums of their tokens, and their texts are slices of the text, whatever the model
/// is asked.
#[rstest]
#[case("bert", &[TEXT])]
#[case("gpt2", &[TEXT, "--position", "3"])]
#[case("gpt2", &["a film. It", "--answer", " is warm. So", "--hops", "2"])]
#[case("heads/bert-tokens", &[TEXT, "--target", "PER@word(1)"])]
#[case("heads/bert-tokens", &[TEXT, "--target", "entity(-1)"])]
#[case("heads/bert-answers", &["is it?", "--pair", "a warm film. It is never dull!"])]
fn segments_hold_what_their_tokens_hold(#[case] model: &str, #[case] arguments: &[&str]) {
    let found = json(model, &[arguments, &["--segments", "sentences"]].concat());
    let characters: Vec<char> = found["text"].as_str().unwrap().chars().collect();
    let number = |value: &Value| value.as_f64().unwrap();
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let tokens = found["tokens"].as_array().unwrap();
    let tokens = || tokens.iter().filter(|token| token["special"] == false);
    let relevance = tokens().map(|token| number(&token["relevance"]).abs());
    let largest = relevance.fold(0.0, f64::max);
    assert!(largest > 0.0, "{found:#}");
    let segments = found["segments"].as_array().unwrap();
    assert!(segments.len() > 1, "{found:#}");
    for segment in segments {
        let (start, end) = (index(&segment["start"]), index(&segment["end"]));
        let slice: String = characters[start..end].iter().collect();
        assert_eq!(segment["text"], slice);
        let inside = tokens().filter(|token| (start..end).contains(&index(&token["start"])));
        let sum: f64 = inside.map(|token| number(&token["relevance"])).sum();
        // Behind the token that is asked, a segment holds nothing.
        let off = (number(&segment["relevance"]) - sum).abs();
        assert!(off <= 1e-5 * largest, "{segment}");
        // Of equal ones, the first in the text comes first.
        let before = segments.iter().filter(|other| {
            let (one, own) = (number(&other["relevance"]), number(&segment["relevance"]));
            one > own || (one == own && index(&other["start"]) < start)
        });
        assert_eq!(index(&segment["rank"]), 1 + before.count());
    }
    let sum = |items: &mut dyn Iterator<Item = &Value>| {
        items.map(|item| number(&item["relevance"])).sum::<f64>()
    };
    let (of_segments, of_tokens) = (sum(&mut segments.iter()), sum(&mut tokens()));
    assert!((of_segments - of_tokens).abs() < 1e-5 * of_tokens.abs().max(1.0));
}

#[test]
fn every_format_shows_them() {
    let segments = ["--segments", "sentences"];
    let ran = explain("bert", &[&[TEXT][..], &segments].concat()).done();
    assert!(
        ran.stdout
            .contains("segments, what speaks for the target first"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("  1. ") && ran.stdout.contains("It is never dull!"));
    let page = explain(
        "bert",
        &[&[TEXT, "--format", "html"][..], &segments].concat(),
    )
    .done();
    assert!(
        page.stdout
            .contains("Segments, what speaks for the target first")
    );
    let lines = explain(
        "bert",
        &[&[TEXT, "--format", "jsonl"][..], &segments].concat(),
    )
    .done();
    assert!(
        lines
            .stdout
            .contains("\"segments\":[{\"text\":\"a warm film.\""),
        "{}",
        lines.stdout
    );
    let table = explain(
        "bert",
        &[&[TEXT, "--format", "csv"][..], &segments].concat(),
    )
    .done();
    let (head, row) = table.stdout.split_once('\n').unwrap();
    assert!(head.trim_end().ends_with(",segments"), "{head}");
    assert!(row.contains("It is never dull!\"\""), "{row}");
    let without = explain("bert", &[TEXT, "--format", "csv"]).done();
    assert!(!without.stdout.contains("segments"));
    let temporary = tempfile::tempdir().unwrap();
    for name in ["out.parquet", "out.arrow"] {
        let out = temporary.path().join(name);
        explain(
            "bert",
            &[&[TEXT, "--out", out.to_str().unwrap()][..], &segments].concat(),
        )
        .done();
        assert!(fs::metadata(out).unwrap().len() > 0);
    }
}

#[test]
fn fields_of_a_document_have_names_and_another_text_is_a_bad_row() {
    let found = json(
        "bert",
        &[
            "{\"a\": \"warm\", \"b\": [\"film\", 3]}",
            "--segments",
            "json",
        ],
    );
    let names = found["segments"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|segment| segment["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["/a", "/b/0", "/b/1"]);
    let ran = explain("bert", &["a film", "--segments", "json"]);
    assert!(ran.stderr.contains("no JSON document"), "{}", ran.stderr);
    explain("bert", &["a film", "--segments", "sentence"]).failed(2, &["sentences", "separator"]);
}
