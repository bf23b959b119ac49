//! What every mistake says, and the code that the program ends with.

use std::fs;
use std::path::Path;

use rstest::rstest;

use crate::support::{Folder, fails};

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
#[case(&["--dtype", "f8", "text"], &["f8", "f64, f32, f16, bf16"])]
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
