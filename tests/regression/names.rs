//! Names of labels: those with two meanings, and those that speak to a terminal.

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_testing::program::{Ran, relprop};
use relprop_testing::{Architecture, model};
use tempfile::TempDir;

fn explain(model: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    command.args(["explain", "--model", model]).args(arguments);
    command.output().unwrap().into()
}

/// A folder with a small BERT in it.
fn bert() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    model(&Architecture::PostNorm.config())
        .save(folder.path())
        .unwrap();
    folder
}

/// The same with these labels.
fn labelled(names: [&str; 3]) -> TempDir {
    let folder = bert();
    let loaded = Model::load(folder.path(), &Device::flex()).unwrap();
    let file = folder.path().join("config.json");
    let mut config = std::fs::read_to_string(&file).unwrap();
    for (label, name) in loaded.transformer.config().labels.iter().zip(names) {
        config = config.replace(&format!("\"{label}\""), &format!("\"{name}\""));
    }
    std::fs::write(&file, config).unwrap();
    folder
}

/// neuralmagic/deepsparse#431: labels that are numbers, but not their own indices.
#[test]
fn a_target_of_two_meanings_is_refused_with_both() {
    let folder = labelled(["1", "2", "3"]);
    let path = folder.path().to_str().unwrap();
    let readings = ["ambiguous", "the label `1`", "the index 1"];
    explain(path, &["--target", "1", "a film"]).failed(2, &readings);
    explain(path, &["--target", "3", "a film"]).done();
}

/// captum#1348 and its kind: `A-B` of labels that hold hyphens was taken for the first of its readings.
#[test]
fn a_contrast_of_two_readings_is_refused_with_both() {
    let folder = labelled(["a", "a-b", "b-a"]);
    let path = folder.path().to_str().unwrap();
    // `a` minus `b-a`, or `a-b` minus `a`.
    let readings = ["ambiguous", "`a` against `b-a`", "`a-b` against `a`"];
    explain(path, &["--target", "a-b-a", "a film"]).failed(2, &readings);
    explain(path, &["--target", "a", "--against", "b-a", "a film"]).done();
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
