//! The program with models of two towers: pictures and texts.

use std::fs;

use relprop_testing::fixtures::folder;
use rstest::rstest;
use serde_json::Value;

use crate::{Ran, relprop};

fn run(arguments: &[&str]) -> Ran {
    Ran::from(relprop().args(arguments).output().unwrap())
}

fn path(relative: &str) -> String {
    folder(relative).to_str().unwrap().to_owned()
}

fn explain(model: &str, more: &[&str]) -> Ran {
    let (model, picture) = (path(model), path("pictures/large.png"));
    let first = ["explain", "--model", &model, &picture];
    run(&[&first[..], more].concat())
}

const TEXTS: [&str; 3] = ["--texts", "a red cat", "two squares"];

#[rstest]
fn a_picture_is_compared_with_texts(#[values("towers/clip", "towers/siglip2")] model: &str) {
    let shown = explain(model, &TEXTS).done().stdout;
    for part in [
        "cosine ",
        "logit ",
        "two squares",
        "strongest: ",
        "patches ",
        "method lrp",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = explain(
        model,
        &[&TEXTS[..], &["--format", "json", "--ledger"]].concat(),
    );
    let json: Value = serde_json::from_str(&json.done().stdout).unwrap();
    assert_eq!(json["schema"], "relprop.comparison/1");
    let logits: Vec<f64> = serde_json::from_value(json["picture"]["logits"].clone()).unwrap();
    let best = usize::from(logits[1] > logits[0]);
    assert_eq!(json["picture"]["prediction"], TEXTS[1 + best]);
    assert_eq!(json["picture"]["target"]["label"], TEXTS[1 + best]);
    let [scale, bias] = ["scale", "bias"].map(|key| json[key].as_f64().unwrap());
    for (text, logit) in json["texts"].as_array().unwrap().iter().zip(&logits) {
        let cosine = text["cosine"].as_f64().unwrap();
        assert!((scale * cosine + bias - logit).abs() < 1e-4);
    }
    // The other text has no part in the target.
    assert!(json["texts"][best]["explanation"]["words"].is_array());
    assert_eq!(json["texts"][1 - best].get("explanation"), None);
    let closes = |explanation: &Value| {
        let left = explanation["ledger"]["unaccounted"].as_f64().unwrap();
        assert!(left.abs() < 1e-4, "{left}");
    };
    closes(&json["picture"]);
    closes(&json["texts"][best]["explanation"]);

    let both = [
        &TEXTS[..],
        &[
            "--target",
            "0",
            "--against",
            "two squares",
            "--format",
            "json",
        ],
    ];
    let json: Value = serde_json::from_str(&explain(model, &both.concat()).done().stdout).unwrap();
    assert_eq!(json["picture"]["target"]["label"], "a red cat-two squares");
    let part = |k: usize| {
        json["texts"][k]["explanation"]["target"]["value"]
            .as_f64()
            .unwrap()
    };
    let whole = json["picture"]["target"]["value"].as_f64().unwrap();
    assert!((part(0) + part(1) - whole).abs() < 1e-4);
}

#[test]
fn a_page_shows_patches_and_words_and_an_overlay_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let [page, over] = ["page.html", "over.png"].map(|name| folder.path().join(name));
    let [page, over] = [&page, &over].map(|path| path.to_str().unwrap());
    let more = ["--format", "html", "--out", page, "--overlay", over];
    explain("towers/clip", &[&TEXTS[..], &more].concat()).done();
    let text = fs::read_to_string(page).unwrap();
    for part in [
        "Picture 1",
        "Text 1",
        "<rect class=\"p ",
        "data:image/png",
        "patches or words",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(fs::metadata(over).unwrap().len() > 100);
}

#[test]
fn pairs_of_patches_and_words_are_named() {
    let more = [&TEXTS[..], &["--pairs"]].concat();
    let shown = explain("towers/clip", &more).done().stdout;
    assert!(shown.contains("strongest pairs: row "), "{shown}");
    run(&[
        "explain",
        "--model",
        &path("vit"),
        &path("pictures/large.png"),
        "--pairs",
    ])
    .failed(2, &["--texts"]);
}

#[test]
fn sites_of_both_towers_are_named() {
    let at = [
        "--at",
        "embeddings.pixel,embeddings.word",
        "--format",
        "jsonl",
    ];
    let found = explain("towers/clip", &[&TEXTS[..], &at].concat()).done();
    let json: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(json["picture"]["at"], "embeddings.pixel");
    let texts = json["texts"].as_array().unwrap();
    let explained = texts
        .iter()
        .find_map(|text| text.get("explanation"))
        .unwrap();
    assert_eq!(explained["at"], "embeddings.word");
    let at = ["--at", "embeddings.word"];
    explain("towers/clip", &[&TEXTS[..], &at].concat()).failed(2, &["embeddings.word"]);
}

#[test]
fn mistakes_are_named() {
    explain("towers/clip", &[]).failed(1, &["two towers", "--texts"]);
    explain("vit", &TEXTS).failed(1, &["no two towers", "--texts"]);
    explain("towers/clip", &[&TEXTS[..], &["--format", "csv"]].concat()).failed(2, &["json"]);
    explain("towers/clip", &[&TEXTS[..], &["--chat"]].concat()).failed(2, &["--chat"]);
    explain(
        "towers/clip",
        &[&TEXTS[..], &["--target", "a dog"]].concat(),
    )
    .failed(2, &["a red cat"]);
    explain("towers/clip", &[&TEXTS[..], &["--method", "gae"]].concat())
        .failed(2, &["propagation"]);
    explain("towers/clip", &[&TEXTS[..], &["--score", "norm"]].concat()).failed(2, &["norm"]);
    let texts = path("towers/clip/config.json");
    run(&[
        "explain",
        "--model",
        &path("towers/clip"),
        &texts,
        "--texts",
        "a dog",
    ])
    .failed(1, &["config.json"]);
    run(&[
        "evaluate",
        "--model",
        &path("towers/clip"),
        "--data",
        "reviews",
    ])
    .failed(1, &["two towers"]);
}

#[test]
fn inspect_shows_both_towers() {
    let shown = run(&["inspect", "--model", &path("towers/siglip2")])
        .done()
        .stdout;
    for part in [
        "pooling.attention.mix",
        "embeddings.word",
        "embeddings.pixel",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
