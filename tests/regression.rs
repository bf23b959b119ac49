//! A test a fault: what went wrong once, where it was found, and what must hold now. Faults of parts that have
//! tests of their own stand there: a run that is resumed with another contrast in `bulk.rs`, the demo's figure
//! in `cli.rs`, the LN-rule in `crates/rules/tests`.

mod common;

use burn::tensor::Device;
use common::program::{Ran, relprop};
use common::{Architecture, difference, model};
use relprop_checkpoints::Model;
use tempfile::TempDir;

/// A folder with a small BERT in it.
fn bert() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bert: Model = model(&Architecture::PostNorm.config());
    bert.save(folder.path()).unwrap();
    folder
}

fn explain(model: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    command.args(["explain", "--model", model]).args(arguments);
    command.output().unwrap().into()
}

fn pictures() -> String {
    format!("{}/tests/fixtures/vit", env!("CARGO_MANIFEST_DIR"))
}

/// Found by reading: the header said `gae, rules , read at blocks` for every method but propagation.
#[test]
fn a_method_without_rules_or_site_names_none() {
    let folder = bert();
    let path = folder.path().to_str().unwrap();
    for method in ["gae", "attention-rollout", "occlusion", "random"] {
        let shown = explain(path, &["--method", method, "a warm film"])
            .done()
            .stdout;
        assert!(shown.contains(method), "{shown}");
        for said in ["rules", "read at", " ,"] {
            let header = shown.lines().find(|line| line.contains(method)).unwrap();
            assert!(!header.contains(said), "{header}");
        }
    }
    let shown = explain(path, &["--method", "saliency", "a warm film"])
        .done()
        .stdout;
    assert!(shown.contains("read at blocks"), "{shown}");
}

/// Found by reading: pictures were explained before these options were looked at.
#[test]
fn options_for_texts_are_refused_for_pictures() {
    let picture = format!("{}/../pictures/small.png", pictures());
    for (option, named) in [
        (&["--generate", "3"][..], "--generate is for texts"),
        (&["--no-truncate"], "--no-truncate is for texts"),
        (&["--pair", "a"], "--pair is for texts"),
        (&["--position", "1"], "only a language model"),
    ] {
        let arguments = [option, &[picture.as_str()]].concat();
        explain(&pictures(), &arguments).failed(2, &[named]);
    }
}

/// Found by reading: what was given was guessed by comparing it with the default.
#[test]
fn what_goes_with_propagation_alone_is_refused_though_it_is_the_default() {
    let folder = bert();
    let path = folder.path().to_str().unwrap();
    for (option, named) in [
        (
            &["--rules", "ah-ln"][..],
            "--rules goes with --method lrp alone",
        ),
        (&["--at", "blocks"], "--at goes with --method lrp alone"),
        (&["--ledger"], "--ledger goes with --method lrp alone"),
        (&["--recompute"], "--recompute goes with --method lrp alone"),
        (
            &["--score", "log-probability"],
            "--score goes with --method lrp alone",
        ),
        (
            &["--target", "0-1"],
            "--target A-B goes with --method lrp alone",
        ),
    ] {
        let arguments = [&["--method", "gae"], option, &["a film"]].concat();
        explain(path, &arguments).failed(2, &[named]);
    }
    explain(path, &["--method", "lrp", "--rules", "ah-ln", "a film"]).done();
}

/// Found by reading: the largest of several numbers, one of which is NaN, is not NaN.
#[test]
#[should_panic(expected = "not finite")]
fn a_difference_does_not_pass_over_nan() {
    difference(&[1.0, f64::NAN], &[1.0, 2.0]);
}

/// neuralmagic/deepsparse#431: labels that are numbers, but not their own indices.
#[test]
fn a_target_of_two_meanings_is_refused_with_both() {
    let folder = bert();
    let path = folder.path().to_str().unwrap();
    let loaded = Model::load(folder.path(), &Device::flex()).unwrap();
    let labels = &loaded.transformer.config().labels;
    let file = folder.path().join("config.json");
    let mut config = std::fs::read_to_string(&file).unwrap();
    for (label, number) in labels.iter().zip(["1", "2", "3"]) {
        config = config.replace(&format!("\"{label}\""), &format!("\"{number}\""));
    }
    std::fs::write(&file, config).unwrap();
    let readings = ["ambiguous", "the label `1`", "the index 1"];
    explain(path, &["--target", "1", "a film"]).failed(2, &readings);
    explain(path, &["--target", "3", "a film"]).done();
}

/// gravitational/teleport#25979: what a file says must not speak to the terminal.
#[test]
fn a_label_reaches_the_terminal_harmless() {
    let folder = bert();
    let path = folder.path().to_str().unwrap();
    let file = folder.path().join("config.json");
    let config = std::fs::read_to_string(&file).unwrap();
    let loaded = Model::load(folder.path(), &Device::flex()).unwrap();
    let label = &loaded.transformer.config().labels[0];
    let config = config.replace(&format!("\"{label}\""), "\"a\\u001b[31m\"");
    std::fs::write(&file, config).unwrap();
    let inspected = relprop()
        .args(["inspect", "--model", path])
        .output()
        .unwrap();
    let all = [
        Ran::from(inspected),
        explain(path, &["--target", "maybe", "a film"]),
        explain(path, &["a film"]),
    ];
    for ran in all {
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'));
    }
}
