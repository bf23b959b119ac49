//! The program as a user runs it: what is printed, what is written, and what every mistake says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use relprop_data::corpus::reviews;
use relprop_rules::RuleSet;
use relprop_testing::program::review_model;
use rstest::rstest;
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Ran, relprop};

fn run(arguments: &[&str]) -> Ran {
    relprop().args(arguments).output().unwrap().into()
}

/// Runs the program, which must be content.
fn done(arguments: &[&str]) -> Ran {
    run(arguments).done()
}

/// Runs the program, which must end with `code` and say each of `words`.
fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    run(arguments).failed(code, words);
}

/// A small model with fresh weights, saved to a folder. It reads at most 12 tokens.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        review_model(12).save(folder.path()).unwrap();
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn explain(&self, arguments: &[&str]) -> Ran {
        done(&[&["explain", "--model", self.path()], arguments].concat())
    }

    fn explain_fails(&self, arguments: &[&str], code: i32, words: &[&str]) {
        fails(
            &[&["explain", "--model", self.path()], arguments].concat(),
            code,
            words,
        );
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.explain(&[&["--format", "json"], arguments].concat());
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

fn relevance(explanation: &Value) -> Vec<f64> {
    let tokens = explanation["tokens"].as_array().unwrap();
    tokens
        .iter()
        .map(|token| token["relevance"].as_f64().unwrap())
        .collect()
}

#[test]
fn help_names_every_command() {
    let help = done(&["--help"]).stdout;
    for command in ["demo", "train", "explain", "rules", "inspect", "devices"] {
        assert!(help.contains(command), "{command}");
    }
}

#[test]
fn a_heat_map_shows_every_word_without_colour_codes_in_a_pipe() {
    let ran = Folder::new().explain(&["the plot is not dull"]);
    for word in [
        "the",
        "plot",
        "is",
        "not",
        "dull",
        "ah-ln",
        "blocks",
        "tokens hold",
    ] {
        assert!(ran.stdout.contains(word), "{word}");
    }
    assert!(!ran.stdout.contains('\x1b'));
    assert_eq!(ran.stderr, "");
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let folder = Folder::new();
    let coloured = |name: &str, value: &str| {
        let mut command = relprop();
        command
            .args(["explain", "--model", folder.path(), "not dull"])
            .env(name, value);
        Ran::from(command.output().unwrap()).stdout.contains('\x1b')
    };
    assert!(coloured("CLICOLOR_FORCE", "1"));
    assert!(!coloured("NO_COLOR", "1"));
}

#[test]
fn json_has_the_documented_fields() {
    let explanation = Folder::new().json(&["the plot is dull"]);
    assert_eq!(explanation["schema"], "relprop.explanation/1");
    assert_eq!(explanation["text"], "the plot is dull");
    assert_eq!(explanation["method"], "lrp");
    assert_eq!(explanation["rules"], "ah-ln");
    assert_eq!(explanation["at"], "blocks");
    assert_eq!(explanation["model"]["family"], "bert");
    assert_eq!(explanation["model"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(explanation["device"], "flex");
    assert_eq!(
        explanation["labels"],
        serde_json::json!(["negative", "positive"])
    );
    let words: Vec<_> = explanation["words"].as_array().unwrap().iter().collect();
    assert_eq!(words.len(), 4);
    assert_eq!(
        (&words[1]["text"], &words[1]["start"], &words[1]["end"]),
        (&"plot".into(), &4.into(), &8.into())
    );
    let tokens = explanation["tokens"].as_array().unwrap();
    assert_eq!(
        (&tokens[0]["text"], &tokens[0]["special"]),
        (&"[CLS]".into(), &true.into())
    );
}

#[test]
fn a_ledger_adds_up_to_the_target() {
    let model = Folder::new();
    let arguments = [
        "--ledger",
        "--rules",
        "ah-ln",
        "--target",
        "positive-negative",
    ];
    let ledger = model.json(&[&arguments[..], &["a warm , funny film"]].concat())["ledger"].take();
    let number = |value: &Value| value.as_f64().unwrap();
    let absorbed = ledger["absorbed"].as_array().unwrap();
    let absorbed: f64 = absorbed
        .iter()
        .map(|entry| number(&entry["relevance"]))
        .sum();
    let sum = number(&ledger["tokens"]) + absorbed + number(&ledger["unaccounted"]);
    assert!((sum - number(&ledger["target"])).abs() < 1e-12);
    assert!(number(&ledger["unaccounted"]).abs() < 1e-5);

    let shown = model.explain(&[&arguments[..], &["a warm , funny film"]].concat());
    assert!(shown.stdout.contains("tokens ") && shown.stdout.contains("target "));
    assert!(shown.stdout.contains("by kind: "), "{}", shown.stdout);
    assert!(shown.stdout.contains("the account closes: "));
    let page = model.explain(&["--ledger", "--format", "html", "a warm , funny film"]);
    assert!(page.stdout.contains("Relevance from layer to layer"));
}

#[test]
fn a_contrast_is_the_difference_of_its_labels() {
    let folder = Folder::new();
    let of = |target: &str| relevance(&folder.json(&["--target", target, "not dull at all"]));
    let (a, b, contrast) = (of("positive"), of("0"), of("positive-negative"));
    let largest = contrast
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for ((a, b), contrast) in a.iter().zip(&b).zip(&contrast) {
        assert!((a - b - contrast).abs() < 1e-5 * largest);
    }
}

#[test]
fn texts_come_from_arguments_files_and_standard_input() {
    let folder = Folder::new();
    let file = folder.file("texts.txt");
    fs::write(&file, "first text\n\nsecond text\n").unwrap();
    let input = file.to_str().unwrap();
    let ran = folder.explain(&["--format", "jsonl", "--input", input, "given text"]);
    let texts: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone())
        .collect();
    assert_eq!(texts, ["given text", "first text", "second text"]);

    let mut command = relprop();
    command.args([
        "explain",
        "--model",
        folder.path(),
        "--format",
        "jsonl",
        "--input",
        "-",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"from a pipe\n").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.stdout.contains("from a pipe"));
}

#[test]
fn bad_rows_are_named_counted_and_skipped() {
    let folder = Folder::new();
    let file = folder.file("rows.jsonl");
    fs::write(
        &file,
        "{\"text\": \"good\"}\nnot json\n{\"text\": \"also good\"}\n",
    )
    .unwrap();
    let ran = folder.explain(&["--format", "jsonl", "--input", file.to_str().unwrap()]);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("1 of 3 texts were skipped"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_page_is_one_file_with_several_rule_sets() {
    let folder = Folder::new();
    let out = folder.file("page.html");
    folder.explain(&[
        "--format",
        "html",
        "--out",
        out.to_str().unwrap(),
        "not <b>dull</b>",
    ]);
    let page = fs::read_to_string(out).unwrap();
    for preset in ["gradient-x-input", "ah", "ln", "ah-ln", "attn-lrp", "libra"] {
        assert!(page.contains(preset), "{preset}");
    }
    assert!(!page.contains("<b>dull") && !page.contains("src=") && !page.contains("href="));
}

#[test]
fn a_text_that_is_too_long_is_cut_with_a_warning_or_refused() {
    let folder = Folder::new();
    let text = "word ".repeat(30);
    let ran = folder.explain(&["--format", "json", &text]);
    let explanation: Value = serde_json::from_str(&ran.stdout).unwrap();
    let tokens = explanation["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 12);
    assert_eq!(tokens[11]["text"], "[SEP]");
    let dropped = explanation["dropped_tokens"].as_u64().unwrap();
    assert!(
        ran.stderr.contains(&format!("{dropped} tokens dropped")),
        "{}",
        ran.stderr
    );
    folder.explain_fails(
        &["--no-truncate", &text],
        1,
        &["at most 12", "--no-truncate"],
    );
}

#[test]
fn another_script_is_explained_with_offsets_in_characters() {
    let text = "Ein schöner Film — 素晴";
    let explanation = Folder::new().json(&[text]);
    for word in explanation["words"].as_array().unwrap() {
        let range = |name: &str| word[name].as_u64().unwrap() as usize;
        let slice: String = text
            .chars()
            .skip(range("start"))
            .take(range("end") - range("start"))
            .collect();
        assert_eq!(word["text"], slice);
    }
}

#[test]
fn a_printed_preset_can_be_given_back() {
    let folder = Folder::new();
    let file = folder.file("mine.toml");
    fs::write(&file, done(&["rules", "ah-ln"]).stdout).unwrap();
    let mine = folder.json(&["--rules", file.to_str().unwrap(), "not dull"]);
    assert_eq!(mine, folder.json(&["not dull"]));
}

#[test]
fn the_presets_are_listed() {
    let list = done(&["rules"]).stdout;
    for preset in ["gradient-x-input", "ah", "ln", "ah-ln"] {
        assert!(
            list.lines()
                .any(|line| line.split_whitespace().next() == Some(preset))
        );
    }
}

#[test]
fn inspect_shows_each_site_and_its_rule() {
    let text = done(&["inspect", "--model", Folder::new().path()]).stdout;
    let rule = |site: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{site} ")));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(rule("encoder.0.attention.weights"), "detach");
    assert_eq!(rule("encoder.1.feed-forward.norm"), "detach-scale");
    assert_eq!(rule("classifier"), "gradient");
    assert_eq!(rule("blocks"), "-");
}

#[test]
fn devices_lists_the_cpu_and_what_is_not_compiled_in() {
    let listed = done(&["devices"]).stdout;
    assert!(
        listed.contains("\ncpu       Burn's own CPU kernels"),
        "{listed}"
    );
    let cuda = listed
        .lines()
        .find(|line| line.starts_with("cuda"))
        .unwrap();
    assert_eq!(
        cuda.contains("--features cuda"),
        cfg!(not(feature = "cuda"))
    );
}

#[test]
fn weights_of_fewer_digits_give_nearly_the_same() {
    let folder = Folder::new();
    let explain = |dtype| folder.json(&["--dtype", dtype, "the plot is dull"]);
    let (whole, half) = (explain("f32"), explain("f16"));
    assert_eq!(half["device"], "flex (f16)");
    let [whole, half] = [whole, half].map(|explanation| relevance(&explanation));
    assert_ne!(half, whole);
    let error = relprop_testing::difference(&half, &whole);
    assert!(error < 0.01, "{error:.1e}");
}

#[rstest]
#[case("gae")]
#[case("integrated-gradients:steps=3")]
fn another_method_explains_in_the_place_of_propagation(#[case] method: &str) {
    let folder = Folder::new();
    let text = "the plot is dull";
    let explanation = folder.json(&["--method", method, text]);
    assert_eq!(explanation["method"], method);
    assert_eq!(explanation["rules"], "");
    let propagated = folder.json(&[text]);
    assert_eq!(explanation["logits"], propagated["logits"]);
    assert_eq!(explanation["target"], propagated["target"]);
    assert_ne!(relevance(&explanation), relevance(&propagated));
    // On a page it stands beside the rule sets, all of them.
    let page = folder.explain(&["--method", method, "--format", "html", text]);
    for title in [method, "ah-ln", "libra"] {
        assert!(page.stdout.contains(title), "{title}");
    }
}

#[rstest]
#[case(&["--method", "gea", "text"], &["no method `gea`", "gae", "ah-ln", ".toml"])]
#[case(&["--method", "ah-ln", "text"], &["--rules ah-ln"])]
#[case(&["--method", "saliency:steps=3", "text"], &["saliency", "`steps`"])]
#[case(&["--method", "gae", "--ledger", "text"], &["--ledger", "`gae`"])]
#[case(&["--method", "gae", "--rules", "libra", "text"], &["--rules", "`gae`"])]
#[case(&["--method", "gae", "--target", "positive-negative", "text"], &["--target A-B", "`gae`"])]
#[case(&["--rules", "ahln", "text"], &["no preset `ahln`", "ah-ln", ".toml"])]
#[case(&["--target", "maybe", "text"], &["no target `maybe`", "negative, positive"])]
#[case(&["--at", "encoder.0.atention.norm", "text"], &["did you mean `encoder.0.attention.norm`"])]
#[case(&["--at", "classifier", "text"], &["cannot be read at `classifier`", "blocks"])]
#[case(&["--device", "tpu", "text"], &["no device `tpu`", "auto", "gpu", "cpu"])]
#[case(&["--device", "cpu:1", "text"], &["no device `cpu:1`", "cpu:0"])]
#[case(&["--device", "cpu:first", "text"], &["no device `cpu:first`", "cpu:0"])]
#[cfg_attr(
    not(feature = "cuda"),
    case(&["--device", "cuda", "text"], &["not compiled in", "--features cuda"])
)]
#[cfg_attr(
    not(feature = "gpu"),
    case(&["--device", "gpu:1", "text"], &["not compiled in", "--features gpu"])
)]
#[case(&["--dtype", "f8", "text"], &["f8", "f32, f16, bf16"])]
#[case(&["--format", "pdf", "text"], &["pdf", "html"])]
#[case(&["--colour", "text"], &["unexpected argument '--colour'"])]
#[case(&[], &["required"])]
fn wrong_usage_ends_with_2(#[case] arguments: &[&str], #[case] words: &[&str]) {
    Folder::new().explain_fails(arguments, 2, words);
}

#[test]
fn a_rule_set_that_fits_no_site_is_refused() {
    let folder = Folder::new();
    let file = folder.file("mine.toml");
    let file = file.to_str().unwrap();
    let write = |text: &str| fs::write(file, text).unwrap();

    write("name = 'mine'\n[[rules]]\nsite = 'encodr.*'\nrule = 'gradient'\n");
    folder.explain_fails(
        &["--rules", file, "text"],
        2,
        &["`encodr.*` matches no site"],
    );
    write("name = 'mine'\n[[rules]]\noperation = 'norm'\nrule = 'detach-scale'\n");
    folder.explain_fails(
        &["--rules", file, "text"],
        2,
        &["no rule for the operation"],
    );
    write("name = 'mine'\n[[rules]]\nrules = 'gradient'\n");
    folder.explain_fails(&["--rules", file, "text"], 1, &[file, "line 2"]);
    folder.explain_fails(&["--rules", "absent.toml", "text"], 1, &["absent.toml"]);
}

#[rstest]
#[case(&[""], &["the text is empty"])]
#[case(&[" \t "], &["the text is empty"])]
#[case(&["--input", "absent.txt"], &["absent.txt"])]
#[case(&["--input", "texts.doc"], &["texts.doc"])]
#[case(&["--out", "absent/folder/file.json", "text"], &["absent/folder/file.json"])]
fn bad_input_ends_with_1(#[case] arguments: &[&str], #[case] words: &[&str]) {
    Folder::new().explain_fails(arguments, 1, words);
}

#[test]
fn a_broken_model_folder_is_named() {
    fails(
        &["explain", "--model", "no-such-model", "text"],
        1,
        &["no-such-model", "relprop train"],
    );

    // It looks like a name on the Hub, which the default build does not know.
    if cfg!(not(feature = "hub")) {
        fails(
            &["explain", "--model", "no-such/model@v1", "text"],
            1,
            &["no model folder no-such/model@v1", "--features hub"],
        );
    }

    let folder = Folder::new();
    let weights = folder.file("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    folder.explain_fails(
        &["text"],
        1,
        &["model.safetensors", "is the file complete?"],
    );

    let folder = Folder::new();
    fs::remove_file(folder.file("tokenizer.json")).unwrap();
    folder.explain_fails(&["text"], 1, &["has no tokenizer.json"]);
}

#[rstest]
#[case("text\tlabel\na good film\t1\na bad film\n", &["line 3"])]
#[case("text\tlabel\na good film\t1\na bad film\t\n", &["line 3", "label"])]
#[case("phrase\tlabel\na good film\t1\n", &["phrase", "sentence"])]
#[case("", &["no rows"])]
fn a_bad_corpus_is_refused_with_its_line(#[case] text: &str, #[case] words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.tsv");
    fs::write(&data, text).unwrap();
    let out = folder.path().join("model");
    let [data, out] = [&data, &out].map(|path| path.to_str().unwrap());
    fails(
        &["train", "--data", data, "--out", out],
        1,
        &[&[data], words].concat(),
    );
    assert!(!Path::new(out).exists());
}

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
        "train", "--data", &data, "--config", &config, "--out", &out, "--seed", seed, "--no-tui",
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

#[test]
fn a_second_text_is_read_with_each_text() {
    let folder = Folder::new();
    let pairs = folder.json(&["a film", "a plot", "--pair", "dull"]);
    let pairs = pairs.as_array().unwrap();
    for (pair, first) in pairs.iter().zip(["a film", "a plot"]) {
        assert_eq!(pair["text"], format!("{first}\ndull"));
        let tokens = pair["tokens"].as_array().unwrap();
        let special = tokens.iter().filter(|token| token["special"] == true);
        assert_eq!(special.count(), 3, "[CLS] and two [SEP]");
        let alone = folder.json(&[first]);
        assert_ne!(pair["logits"], alone["logits"]);
    }
    folder.explain_fails(&["a film", "--pair", ""], 1, &["the text is empty"]);
}
