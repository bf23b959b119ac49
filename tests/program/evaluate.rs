//! `relprop evaluate` as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use relprop_testing::program::review_model;

use crate::{Ran, relprop};

const TREES: &str = "(3 (2 a) (4 (4 lovely) (2 film)))\n\n(2 (2 a) (2 film))\n\
                     (0 (2 the) (1 (2 plot) (0 (2 is) (1 dull))))\n";

/// A folder with a tiny model in it, to run the program in.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        review_model(128)
            .save(&folder.path().join("model"))
            .unwrap();
        let folder = Self(folder);
        folder.write(
            "two.tsv",
            "sentence\tlabel\na warm film\tpositive\na dull plot\t0\n",
        );
        folder
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = relprop();
        command
            .current_dir(self.0.path())
            .args(["evaluate", "--model", "model"])
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// What the program prints; it must be content.
    fn done(&self, arguments: &[&str]) -> String {
        self.run(arguments).done().stdout
    }

    /// Runs the program, which must end with `code` and say each of `words`.
    fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) {
        self.run(arguments).failed(code, words);
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.file(file)).unwrap()).unwrap()
    }
}

#[test]
fn methods_are_measured_side_by_side() {
    let folder = Folder::new();
    let table = folder.done(&[
        "--data",
        "two.tsv",
        "--methods",
        "random,ah-ln",
        "--out",
        "out",
    ]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("method  auac"), "{table}");
    assert!(lines[1].contains("higher is better"), "{table}");
    assert!(
        lines[2].starts_with("random") && lines[3].starts_with("ah-ln"),
        "{table}"
    );
    assert!(
        table.contains("srg") && table.contains("2 texts"),
        "{table}"
    );

    let results = folder.json("out/results.json");
    assert_eq!(results["schema"], "relprop.evaluation/2");
    assert_eq!(results["command"][1], "evaluate");
    assert_eq!(results["settings"]["methods"][1]["name"], "ah-ln");
    assert_eq!(
        results["settings"]["model_sha256"].as_str().unwrap().len(),
        64
    );
    assert_eq!(
        results["settings"]["data_sha256"].as_str().unwrap().len(),
        64
    );
    let auac = &results["methods"][1]["metrics"][0];
    assert_eq!(auac["metric"], "auac");
    assert_eq!(auac["curve"].as_array().unwrap().len(), 11);
    let mean = auac["mean"]["mean"].as_f64().unwrap();
    assert!(mean > 0.0 && mean < 1.0);
    assert!(
        fs::read_to_string(folder.file("out/curves.svg"))
            .unwrap()
            .starts_with("<svg")
    );
    let page = fs::read_to_string(folder.file("out/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("Model SHA-256"));
    assert!(!folder.file("out/unfinished").exists());
}

#[test]
fn a_finished_run_is_shown_again_and_never_overwritten() {
    let folder = Folder::new();
    let run = [
        "--data",
        "two.tsv",
        "--methods",
        "random,libra",
        "--out",
        "out",
    ];
    let table = folder.done(&run);
    let results = fs::read(folder.file("out/results.json")).unwrap();
    fs::remove_file(folder.file("out/curves.svg")).unwrap();
    assert_eq!(folder.done(&run), table);
    assert!(folder.file("out/curves.svg").exists());
    let other = [&run[..], &["--seed", "3", "--limit", "1"]].concat();
    folder.fails(
        &other,
        1,
        &[
            "out holds a finished run",
            "seed",
            "limit",
            "--out",
            "delete",
        ],
    );
    folder.write(
        "two.tsv",
        "sentence\tlabel\na dull film\tpositive\na dull plot\t0\n",
    );
    folder.fails(&run, 1, &["out holds a finished run", "(data_sha256)"]);
    assert_eq!(fs::read(folder.file("out/results.json")).unwrap(), results);
}

/// Everything in `results.json`; the command has no places in it here.
#[test]
fn a_run_that_was_killed_goes_on_to_the_same_results() {
    let folder = Folder::new();
    let run = [
        "--data",
        "reviews",
        "--limit",
        "160",
        "--metrics",
        "all",
        "--methods",
        "random,ah-ln",
    ];
    let run = [&run[..], &["--out", "out"]].concat();
    folder.done(&run);
    let whole = fs::read(folder.file("out/results.json")).unwrap();
    fs::remove_dir_all(folder.file("out")).unwrap();

    let mut command = folder.command(&run);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !folder.file("out/unfinished/000001.json").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "no part after five minutes"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !folder.file("out/results.json").exists(),
        "it was too quick to be killed"
    );

    let other = [&run[..], &["--seed", "1"]].concat();
    folder.fails(&other, 1, &["out holds an unfinished run", "seed"]);
    let output = folder.command(&run).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("going on"));
    assert_eq!(fs::read(folder.file("out/results.json")).unwrap(), whole);
}

#[test]
fn all_takes_what_the_data_allow() {
    let folder = Folder::new();
    folder.write("trees.txt", TREES);
    let all = ["--metrics", "all", "--methods", "ah-ln"];
    let names = |data: &str| {
        let table = folder.done(&[&all[..], &["--data", data]].concat());
        let named = |metric: &&str| table.split_whitespace().any(|word| word == *metric);
        let some = ["auac", "mprt", "random-logit", "pointing-game", "polarity"];
        some.into_iter().filter(named).collect::<Vec<_>>()
    };
    assert_eq!(names("two.tsv"), ["auac", "mprt", "random-logit"]);
    assert_eq!(
        names("trees.txt"),
        ["auac", "mprt", "random-logit", "polarity"]
    );
    let table = folder.done(&[&all[..], &["--data", "reviews", "--limit", "3"]].concat());
    assert!(
        table.contains("pointing-game") && !table.contains("polarity"),
        "{table}"
    );
}

#[test]
fn neutral_trees_are_left_out_and_a_label_may_be_the_prediction() {
    let folder = Folder::new();
    folder.write("trees.txt", TREES);
    folder.write("plain.txt", "a warm film\na dull plot\nthe cast\n");
    let random = ["--methods", "random", "--data"];
    let texts = |arguments: &[&str]| {
        let table = folder.done(&[&random[..], arguments].concat());
        table
            .lines()
            .last()
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(texts(&["trees.txt", "--metrics", "polarity"]), "2");
    assert_eq!(texts(&["plain.txt", "--target", "predicted"]), "3");
}

#[rstest]
#[case(&["--methods", "magic"], 2, &["magic", "ah-ln"])]
#[case(&["--metrics", "auac,auc"], 2, &["no metric `auc`", "au-mse-text", "or `all`"])]
#[case(&["--metrics", "pointing-game"], 2, &["`pointing-game` needs", "--data reviews"])]
#[case(&["--metrics", "polarity"], 2, &["`polarity` needs", "Stanford Sentiment Treebank"])]
#[case(&["--target", "false"], 2, &["`false`", "negative, positive"])]
#[case(&["--target", "norm()"], 1, &["`norm()` is not measured", "name a label"])]
#[case(&["--target", "answer()"], 2, &["does not go on with a text"])]
#[case(&["--limit", "0"], 1, &["two.tsv", "no text to measure with"])]
#[case(&["--data", "absent.tsv"], 1, &["absent.tsv does not exist"])]
#[case(&["--data", "empty.tsv"], 1, &["empty.tsv has no rows"])]
#[case(&["--data", "good.tsv"], 1, &["good.tsv, line 2", "`good`", "negative, positive"])]
#[case(&["--data", "unlabelled.tsv"], 1, &["line 2", "no label", "--target predicted"])]
#[case(&["--data", "plain.txt"], 1, &["plain.txt, line 1", "no label"])]
#[case(&["--data", "broken.txt"], 1, &["broken.txt, line 2", "not a tree", "not closed"])]
#[case(&["--out", "two.tsv"], 1, &["two.tsv"])]
#[case(&["--out", "other"], 1, &["results.json", "give another folder"])]
fn mistakes_are_told(#[case] arguments: &[&str], #[case] code: i32, #[case] words: &[&str]) {
    let folder = Folder::new();
    folder.write("empty.tsv", "sentence\tlabel\n");
    folder.write("good.tsv", "sentence\tlabel\na warm film\tgood\n");
    folder.write("unlabelled.tsv", "sentence\na warm film\n");
    folder.write("plain.txt", "a warm film\n");
    folder.write("broken.txt", "(3 (2 a) (4 film))\n(3 (2 a) (4 film)\n");
    fs::create_dir(folder.file("other")).unwrap();
    folder.write("other/results.json", "{}\n");
    let data = if arguments.contains(&"--data") {
        &[][..]
    } else {
        &["--data", "two.tsv"]
    };
    folder.fails(&[arguments, data].concat(), code, words);
    assert!(!Path::new(&folder.file("out")).exists());
}

/// A file says which words are evidence in a column of its own, as a person or another program would write it.
#[test]
fn a_column_says_which_words_are_evidence() {
    let folder = Folder::new();
    folder.write(
        "e.jsonl",
        "{\"text\": \"a warm film\", \"label\": \"positive\", \"why\": \"warm\"}\n\
         {\"text\": \"a dull plot\", \"label\": 0, \"why\": [[2, 6]]}\n\
         {\"text\": \"a dull plot\", \"label\": 0, \"why\": \"awful\"}\n",
    );
    folder.write(
        "e.csv",
        "text,label,why\n a warm film,1,\"[3, 7]\"\na dull plot,0,dull\n",
    );
    let metrics = "pointing-game,token-f1@1,iou@1,auprc";
    for file in ["e.jsonl", "e.csv"] {
        let arguments = [
            "--data",
            file,
            "--evidence-column",
            "why",
            "--metrics",
            metrics,
        ];
        let ran = folder.run(&arguments).done();
        assert!(ran.stdout.contains("2 texts"), "{}", ran.stdout);
        // A bad row is named and left out.
        let said = "line 3: `why` has `awful`, which is not in the text";
        assert_eq!(
            ran.stderr.contains(said),
            file == "e.jsonl",
            "{}",
            ran.stderr
        );
    }
    let wrong = |data: &str, column: &str, said: &[&str]| {
        let arguments = [
            "--data",
            data,
            "--evidence-column",
            column,
            "--metrics",
            metrics,
        ];
        let ran = folder.run(&arguments);
        assert!(!ran.stdout.contains("texts"), "{}", ran.stdout);
        for said in said {
            assert!(ran.stderr.contains(said), "{}", ran.stderr);
        }
    };
    wrong("e.csv", "reason", &["no column `reason`", "why"]);
    wrong("reviews", "why", &["reviews", "no columns"]);
    folder.write("e.txt", TREES);
    wrong("e.txt", "why", &["e.txt", "no columns"]);
    let arguments = ["--data", "e.csv", "--metrics", "auprc"];
    folder
        .run(&arguments)
        .failed(2, &["`auprc`", "--evidence-column"]);
}
