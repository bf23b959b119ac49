//! Labels that are chosen from, and a query before many texts.

use std::fs;

use relprop_testing::fixtures::folder;
use serde_json::Value;

use crate::{Ran, relprop};

fn explain(fixture: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder(fixture));
    command.args(arguments).output().unwrap().into()
}

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.done().stdout).unwrap()
}

/// The fixture has no label of entailment, so one is named.
const CHOICE: [&str; 6] = [
    "--labels",
    "warm , funny",
    "--template",
    "it is {} .",
    "--target",
    "positive",
];

#[test]
fn a_label_is_explained_as_the_pair_that_it_makes() {
    let text = ["a film", "--format", "json"];
    let found = json(explain("bert", &[&CHOICE[..], &text].concat()));
    let candidates = found["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    let mut all = 0.0;
    for candidate in candidates {
        let hypothesis = candidate["hypothesis"].as_str().unwrap();
        let arguments = [
            "a film", "--pair", hypothesis, "--target", "positive", "--format", "json",
        ];
        assert_eq!(candidate["explanation"], json(explain("bert", &arguments)));
        all += candidate["probability"].as_f64().unwrap();
    }
    assert!((all - 1.0).abs() < 1e-6);
    let logit = |candidate: &Value| {
        candidate["explanation"]["target"]["value"]
            .as_f64()
            .unwrap()
    };
    assert!(
        logit(&candidates[0]) >= logit(&candidates[1]),
        "the likeliest first"
    );
    // By itself, each is as likely as entailment is beside contradiction.
    let several = json(explain(
        "bert",
        &[&CHOICE[..], &text, &["--several"]].concat(),
    ));
    for candidate in several["candidates"].as_array().unwrap() {
        let logits = candidate["explanation"]["logits"].as_array().unwrap();
        let [against, for_it] = [0, 2].map(|label| logits[label].as_f64().unwrap().exp());
        let expected = for_it / (for_it + against);
        let found = candidate["probability"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6);
    }
}

#[test]
fn labels_are_shown_in_every_format_that_has_them() {
    let arguments = [&CHOICE[..], &["a film"]].concat();
    let shown = explain("bert", &arguments).done().stdout;
    for word in [
        "warm: it is warm .",
        "funny: it is funny .",
        "%",
        "positive (warm)",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let page = explain("bert", &[&arguments[..], &["--format", "html"]].concat());
    assert!(page.done().stdout.contains("positive (funny)"));
    explain("bert", &[&arguments[..], &["--format", "csv"]].concat())
        .failed(2, &["ansi, json, jsonl or html"]);
}

#[test]
fn what_is_no_choice_is_refused() {
    let plain = ["a film", "--labels", "warm"];
    explain("bert", &plain).failed(2, &["`entail`", "negative, neutral, positive", "--target"]);
    let template = [
        &CHOICE[..2],
        &["--template", "it is so", "--target", "positive", "a film"],
    ];
    explain("bert", &template.concat()).failed(2, &["it is so", "{}"]);
    explain("gpt2", &plain).failed(2, &["`entail`"]);
    let both = [&CHOICE[..], &["a film", "--pair", "b"]].concat();
    explain("bert", &both).failed(2, &["--labels", "--pair"]);
    // A text that cannot be read costs no other.
    let temporary = tempfile::tempdir().unwrap();
    let table = temporary.path().join("in.jsonl");
    fs::write(
        &table,
        "{\"text\": \"a film\"}\n{\"text\": null}\n{\"text\": \"a warm one\"}\n",
    )
    .unwrap();
    let input = ["--input", table.to_str().unwrap(), "--format", "jsonl"];
    let ran = explain("bert", &[&CHOICE[..], &input].concat());
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
}

#[test]
fn a_query_is_read_before_every_text() {
    let passages = ["a warm film", "it is dull"];
    let temporary = tempfile::tempdir().unwrap();
    let table = temporary.path().join("in.txt");
    fs::write(&table, passages.join("\n")).unwrap();
    let input = [
        "--query",
        "is it good ?",
        "--input",
        table.to_str().unwrap(),
        "--format",
        "jsonl",
    ];
    let found = explain("bert", &input).done().stdout;
    for (line, passage) in found.lines().zip(passages) {
        let mut found: Value = serde_json::from_str(line).unwrap();
        found.as_object_mut().unwrap().remove("input");
        let alone = ["is it good ?", "--pair", passage, "--format", "json"];
        let alone = json(explain("bert", &alone));
        assert_eq!(found["words"], alone["words"]);
        assert_eq!(found["logits"], alone["logits"]);
    }
    let both = ["a", "--query", "b", "--pair", "c"];
    explain("bert", &both).failed(2, &["--query", "--pair"]);
}
