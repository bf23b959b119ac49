//! The program with models that read pictures.

use std::fs;

use relprop_testing::difference;
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

#[test]
fn the_program_explains_picture_files() {
    let folder = tempfile::tempdir().unwrap();
    let (model, small, photo) = (
        path("vit"),
        path("pictures/small.png"),
        path("pictures/photo.jpg"),
    );
    let shown = run(&["explain", "--model", &model, &small]).done().stdout;
    // 2 rows of 4 patches, each a sign and a step.
    let cells = |line: &&str| {
        let cells: Vec<_> = line.split_whitespace().collect();
        cells.len() == 4 && cells.iter().all(|cell| cell.len() <= 2)
    };
    assert_eq!(shown.lines().filter(cells).count(), 2, "{shown}");
    assert!(
        shown.contains("small.png") && shown.contains("patches "),
        "{shown}"
    );

    let json = run(&["explain", "--model", &model, "--format", "json", &small])
        .done()
        .stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["picture"],
        serde_json::json!({"width": 5, "height": 3, "rows": 2, "columns": 4})
    );
    let last = json["tokens"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], "1,3");
    // Of 13 x 8 pixels, patches of 3 x 4; of the picture, 5/13 and 3/8 of that.
    let area: Vec<f64> = serde_json::from_value(last["area"].clone()).unwrap();
    let expected = [9.0 * 5.0 / 13.0, 1.5, 3.0 * 5.0 / 13.0, 1.5];
    assert!(difference(&area, &expected) < 1e-6, "{area:?}");
    assert_eq!(json["words"], serde_json::json!([]));

    let page = folder.path().join("page.html");
    let overlay = folder.path().join("over.png");
    run(&[
        "explain",
        "--model",
        &model,
        "--out",
        page.to_str().unwrap(),
        "--overlay",
        overlay.to_str().unwrap(),
        &small,
        &photo,
    ])
    .done();
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 2);
    assert!(page.contains("<h2>Picture 2</h2>"));
    for (number, size) in [(1, (450, 270)), (2, (480, 360))] {
        let bytes = fs::read(folder.path().join(format!("over-{number}.png"))).unwrap();
        let drawn = relprop_data::decode(&bytes).unwrap();
        assert_eq!((drawn.width(), drawn.height()), size);
    }
}

#[test]
fn the_program_says_what_does_not_go_with_pictures() {
    let (vit, bert, small) = (path("vit"), path("bert"), path("pictures/small.png"));
    let explain = |more: &[&str]| run(&[&["explain", "--model", &vit], more].concat());
    explain(&["no.png"]).failed(1, &["no.png"]);
    explain(&[&path("vit/config.json")]).failed(1, &["config.json: it is no PNG, JPEG, GIF"]);
    explain(&["--pair", "a", &small]).failed(2, &["--pair is for texts"]);
    explain(&["--format", "csv", &small]).failed(2, &["a table is for texts"]);
    explain(&["--method", "integrated-gradients:baseline=mean", &small])
        .failed(1, &["embeddings.word"]);
    run(&["explain", "--model", &bert, "--overlay", "a.png", "a"]).failed(2, &["--overlay is for"]);
    let both = explain(&["no.png", &small]).done();
    assert!(
        both.stderr.contains("no.png") && both.stderr.contains("1 of 2 pictures"),
        "{}",
        both.stderr
    );
}

/// Every method that makes sense without words gives every patch a number.
#[rstest]
fn other_methods_read_patches_too(
    #[values(
        "random",
        "saliency",
        "occlusion",
        "integrated-gradients:steps=4",
        "attention-rollout"
    )]
    method: &str,
) {
    let found = run(&[
        "explain",
        "--model",
        &path("deit"),
        "--format",
        "json",
        "--method",
        method,
        &path("pictures/large.png"),
    ]);
    let json: Value = serde_json::from_str(&found.done().stdout).unwrap();
    let tokens = json["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2 + 4);
    assert!(
        tokens[2..].iter().any(|token| token["relevance"] != 0.0),
        "{tokens:?}"
    );
}

#[test]
fn the_program_tells_why_pictures_are_alike() {
    let folder = tempfile::tempdir().unwrap();
    let model = path("picture-vectors/dinov2");
    let [a, b, c] =
        ["large.png", "small.png", "photo.jpg"].map(|name| path(&format!("pictures/{name}")));
    let shown = run(&["similar", "--model", &model, "--ledger", &a, &b])
        .done()
        .stdout;
    assert!(shown.contains("pairs of patches, of the cosine"), "{shown}");
    assert!(shown.contains("row 0 column 1 - row"), "{shown}");

    let of = |pooling: &str| {
        let arguments = [
            "similar",
            "--model",
            &model,
            "--format",
            "json",
            "--pooling",
            pooling,
            &a,
            &b,
        ];
        let json: Value = serde_json::from_str(&run(&arguments).done().stdout).unwrap();
        assert_eq!(json["texts"][1]["picture"]["width"], 5);
        assert_eq!(json["word_interaction"].as_array().unwrap().len(), 4);
        json["cosine"].as_f64().unwrap()
    };
    assert_ne!(of("mean"), of("first"));

    let page = folder.path().join("page.html");
    run(&[
        "similar",
        "--model",
        &model,
        "--out",
        page.to_str().unwrap(),
        &a,
        &b,
    ])
    .done();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Why the two pictures are alike"));
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
    assert_eq!(page.matches("<line class=\"link ").count(), 4 * 4);

    // The most similar of several, itself first.
    let json = run(&[
        "similar", "--model", &model, "--format", "json", "--top", "2", "--query", &a, &b, &c, &a,
    ])
    .done()
    .stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert!((json[0]["cosine"].as_f64().unwrap() - 1.0).abs() < 1e-5);
}

#[test]
fn what_goes_with_no_similarity_of_pictures_is_said() {
    let model = path("picture-vectors/swin");
    let [a, b] = ["large.png", "small.png"].map(|name| path(&format!("pictures/{name}")));
    let error = run(&["similar", "--model", &model, "--pooling", "first", &a, &b]).stderr;
    assert!(error.contains("no vector in this way"), "{error}");
    let error = run(&[
        "similar",
        "--model",
        &model,
        "--query",
        &a,
        "--input",
        "table.csv",
    ])
    .stderr;
    assert!(error.contains("--input is for texts"), "{error}");
    let error = run(&["similar", "--model", &model, &a, "missing.png"]).stderr;
    assert!(error.contains("missing.png"), "{error}");
    let error = run(&["similar", "--model", &path("vit"), &a, &b]).stderr;
    assert!(
        error.contains("no vector of a text or a picture"),
        "{error}"
    );
}
