//! `relprop tune` as a user runs it.

use std::fs;
use std::process::Output;

use relprop_testing::{Architecture, model, nine_words};

use crate::relprop;

fn run(arguments: &[&str]) -> Output {
    relprop().args(arguments).output().unwrap()
}

#[test]
fn the_program_writes_a_rule_set_that_it_reads_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let model = model(&Architecture::PostNorm.config());
    model.save(&folder.path().join("model")).unwrap();
    let rows = (0..40).map(|number| {
        let label = ["negative", "neutral", "positive"][number % 3];
        format!("{}\t{label}\n", nine_words(number))
    });
    fs::write(
        path("data.tsv"),
        "text\tlabel\n".to_owned() + &rows.collect::<String>(),
    )
    .unwrap();
    let (model, data, out) = (path("model"), path("data.tsv"), path("mine.toml"));
    let tune = ["tune", "--model", &model, "--data", &data];

    let ran = run(&[&tune[..], &["--tries", "8", "--out", &out, "--verbose"]].concat());
    let error = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{error}");
    for word in [
        "27 texts, 13 held out",
        "2.0000  ah-ln",
        "held out",
        "next: relprop explain",
    ] {
        assert!(error.contains(word), "`{word}` is not in:\n{error}");
    }
    let toml = fs::read_to_string(&out).unwrap();
    assert!(
        toml.starts_with("# Found by `relprop tune`") && toml.contains("# held out"),
        "{toml}"
    );
    let ran = run(&["explain", "--model", &model, "--rules", &out, "a warm film"]);
    assert_eq!(
        ran.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );

    for (arguments, code, word) in [
        (&["--tries", "0"][..], 2, "--tries must be 1 or more"),
        (&["--start", "magic"], 2, "magic"),
        (
            &["--min-words", "100"],
            1,
            "0 texts of 100 words or more are too few",
        ),
        (&["--limit", "10"], 1, "too few to search with"),
        (
            &["--out", "/nowhere/mine.toml", "--tries", "1"],
            1,
            "/nowhere/mine.toml",
        ),
    ] {
        let ran = run(&[&tune[..], arguments].concat());
        let error = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(code), "{error}");
        assert!(error.contains(word), "`{word}` is not in:\n{error}");
    }
}
