//! `relprop train` and `relprop demo`: the same seed is the same model, and the demo reports what
//! `evaluate` reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use relprop_data::corpus::reviews;
use relprop_rules::RuleSet;
use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Folder, done};
use crate::{Ran, relprop};

/// Writes a table of generated reviews and small settings, and gives the training's arguments.
fn training(folder: &Path, out: &str, seed: &str) -> Vec<String> {
    let rows = reviews(300, 1).train;
    let rows: String = rows
        .iter()
        .map(|review| format!("{}\t{}\n", review.text, review.label))
        .collect();
    let (data, config) = (folder.join("data.tsv"), folder.join("train.toml"));
    fs::write(&data, format!("text\tlabel\n{rows}")).unwrap();
    let settings = "vocabulary = 500\nwidth = 16\nfeed_forward = 32\nblocks = 1\nbatch = 8\n\
                    epochs = 3\npatience = 3\n";
    fs::write(&config, settings).unwrap();
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    let [data, config, out] = [data, config, folder.join(out)].map(path);
    [
        "train", "--data", &data, "--config", &config, "--out", &out, "--seed", seed,
    ]
    .map(String::from)
    .to_vec()
}

fn sha256(model: &Path) -> Value {
    let model = model.to_str().unwrap();
    let ran = done(&["explain", "--model", model, "--format", "json", "dull"]);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["model"]["sha256"].clone()
}

#[test]
fn training_is_the_same_for_the_same_seed_also_when_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let train = |out: &str, seed: &str| {
        let mut command = relprop();
        command.args(training(folder.path(), out, seed));
        command
    };
    let whole = Ran::from(train("whole", "3").output().unwrap());
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert!(whole.stderr.contains("epoch 3/3"), "{}", whole.stderr);
    assert!(whole.stdout.contains("held-out accuracy"));
    let other = Ran::from(train("other", "4").output().unwrap());
    assert_eq!(other.code, 0, "{}", other.stderr);
    let of = |out: &str| sha256(&folder.path().join(out));
    assert_ne!(of("whole"), of("other"), "another seed gives another model");

    // Kill a third training as soon as its first epoch is on record.
    let history = folder.path().join("killed/training/history.json");
    let mut child = train("killed", "3").stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !history.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "no epoch ends");
        assert!(
            child.try_wait().unwrap().is_none(),
            "training ended before it could be killed"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path().join("killed/config.json").exists());

    let other = Ran::from(train("killed", "4").output().unwrap());
    assert_eq!(other.code, 1);
    assert!(
        other
            .stderr
            .contains("interrupted training with other settings")
    );

    let resumed = Ran::from(train("killed", "3").output().unwrap());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(of("killed"), of("whole"));

    // Without its config.json, which is written last, a model is not whole: it is made again.
    fs::remove_file(folder.path().join("killed/config.json")).unwrap();
    let again = Ran::from(train("killed", "3").output().unwrap());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(of("killed"), of("whole"));

    let again = Ran::from(train("killed", "3").output().unwrap());
    assert_eq!(again.code, 1);
    assert!(
        again.stderr.contains("holds a model already"),
        "{}",
        again.stderr
    );
}

#[test]
fn embeddings_of_another_model_are_taken_over_and_kept() {
    let donor = Folder::new();
    let folder = tempfile::tempdir().unwrap();
    let train = |width: usize| {
        let arguments = training(folder.path(), "model", "0");
        let settings = format!(
            "architecture = \"attention-only\"\nembeddings = {:?}\nwidth = {width}\nepochs = 1\n",
            donor.path()
        );
        fs::write(folder.path().join("train.toml"), settings).unwrap();
        Ran::from(relprop().args(arguments).output().unwrap())
    };
    let wrong = train(32);
    assert_eq!(wrong.code, 1);
    let says = ["16 features", "`width` is 32", "set `width = 16`"];
    assert!(
        says.iter().all(|part| wrong.stderr.contains(part)),
        "{}",
        wrong.stderr
    );
    let right = train(16);
    assert_eq!(right.code, 0, "{}", right.stderr);

    // The two families name them differently; what is in them is the same.
    let embeddings = |model: &Path| {
        let bytes = fs::read(model.join("model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let of_embeddings = tensors
            .iter()
            .filter(|(name, _)| name.contains("embeddings."));
        let mut data: Vec<_> = of_embeddings
            .map(|(_, tensor)| tensor.data().to_vec())
            .collect();
        data.sort();
        data
    };
    let theirs = embeddings(donor.0.path());
    assert_eq!(theirs.len(), 5);
    assert!(embeddings(&folder.path().join("model")) == theirs);
}

#[test]
fn the_demo_trains_explains_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let ran = done(&["demo", "--out", out.to_str().unwrap()]);
    let words = [
        "The model is right on 9",
        "ah-ln",
        "gradient-x-input",
        "What to try next",
        "not",
    ];
    for word in words {
        assert!(ran.stdout.contains(word), "{word}");
    }
    assert!(out.join("report.html").is_file());
    assert!(out.join("model/model.safetensors").is_file());

    // The same question has the same answer elsewhere.
    let presets = RuleSet::presets().collect::<Vec<_>>().join(",");
    let model = out.join("model");
    let evaluated = done(&[
        "evaluate",
        "--model",
        model.to_str().unwrap(),
        "--data",
        "reviews",
        "--metrics",
        "pointing-game,mass-accuracy,conservation",
        "--methods",
        &presets,
    ]);
    assert!(evaluated.stdout.contains("pointing-game"));
    assert!(
        ran.stdout.contains(&evaluated.stdout),
        "{}",
        evaluated.stdout
    );

    // A second demo uses the model that is there.
    let again = done(&["demo", "--out", out.to_str().unwrap()]);
    assert!(again.stderr.contains("earlier demo"));
    assert_eq!(again.stdout, ran.stdout);
}
