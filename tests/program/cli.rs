//! What the program prints and writes, command by command.

use std::fs;
use std::process::Stdio;

use rstest::rstest;
use serde_json::Value;

use crate::support::{Folder, done};
use crate::{Ran, relprop};

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
