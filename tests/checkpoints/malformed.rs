//! Damaged files never panic: each is read or refused. Fixtures are changed at random, from a fixed
//! seed; `RELPROP_MALFORMED_SECONDS=600 cargo test --test checkpoints malformed` looks for longer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::decode;
use relprop_data::{corpus::Corpus, corpus::Pictures, corpus::read_texts};
use relprop_rules::RuleSet;
use relprop_testing::Draw;
use relprop_testing::fixtures::folder as fixture;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What makes a file wrong in more interesting ways than a flipped bit.
const PIECES: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "18446744073709551615",
    "4294967296",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\n",
    "\t",
    "\\",
    "\0",
    "##",
    "é",
    "😀",
    "=",
    ".",
    "  ",
];

struct Changes(Draw);

impl Changes {
    /// A number from 0 to `end`, exclusive.
    fn below(&mut self, end: usize) -> usize {
        let share = (f64::from(self.0.number()) + 1.0) / 2.0;
        (share * end as f64) as usize % end.max(1)
    }

    /// One to four changes of a file.
    fn apply(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(20)).min(bytes.len());
            match self.below(6) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes.truncate(at),
                2 => {
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, copy).for_each(drop);
                }
                3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {
                    let piece = PIECES[self.below(PIECES.len())].bytes();
                    bytes.splice(at..end, piece).for_each(drop);
                }
            }
        }
        bytes
    }
}

/// Hands a changed file to `read` again and again.
fn try_out(seed: u64, original: &[u8], mut read: impl FnMut(&[u8])) {
    let seconds = std::env::var("RELPROP_MALFORMED_SECONDS").ok();
    let time = seconds
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let (start, mut changes) = (Instant::now(), Changes(Draw::new(seed)));
    let mut tried = 0;
    while time.map_or(tried < 400, |time| start.elapsed() < time) {
        read(&changes.apply(original));
        tried += 1;
    }
    println!("{tried} changed files");
}

fn copy_of_bert(files: &[&str]) -> TempDir {
    let original = fixture("bert");
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::copy(original.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Loads the folder, and reads texts with what was loaded.
fn load(folder: &Path) {
    let Ok(model) = Model::load(folder, &Device::flex()) else {
        return;
    };
    for (text, second) in [("a film", None), ("naïve 映画 (!)", Some("not good"))] {
        let _ = model.tokenize(text, second, Default::default());
    }
}

#[rstest]
#[case("config.json")]
#[case("tokenizer.json")]
#[case("model.safetensors")]
fn a_damaged_file_of_a_model_is_read_or_refused(#[case] file: &str) {
    let folder = copy_of_bert(&["config.json", "tokenizer.json", "model.safetensors"]);
    let path = folder.path().join(file);
    let original = fs::read(&path).unwrap();
    try_out(1, &original, |bytes| {
        fs::write(&path, bytes).unwrap();
        load(folder.path());
    });
}

/// The header alone, in front of all the numbers: no other change of the file is half as likely to
/// be taken for one that fits.
#[test]
fn a_damaged_header_is_read_or_refused() {
    let folder = copy_of_bert(&["config.json", "tokenizer.json", "model.safetensors"]);
    let path = folder.path().join("model.safetensors");
    let original = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(original[..8].try_into().unwrap()) as usize;
    let (header, numbers) = original[8..].split_at(length);
    try_out(2, header, |header| {
        let start = (header.len() as u64).to_le_bytes();
        fs::write(&path, [&start[..], header, numbers].concat()).unwrap();
        load(folder.path());
    });
}

#[rstest]
#[case("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nfilm\n##s\nnot\ngood\n")]
#[case(
    "tokenizer_config.json",
    r###"{"do_lower_case": true, "cls_token": {"content": "[CLS]"}}"###
)]
#[case(
    "model.safetensors.index.json",
    r#"{"metadata": {}, "weight_map": {"a": "b.safetensors"}}"#
)]
fn a_damaged_file_of_an_older_folder_is_read_or_refused(#[case] file: &str, #[case] text: &str) {
    let folder = copy_of_bert(&["config.json", "model.safetensors"]);
    let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nfilm\n##s\nnot\ngood\n";
    fs::write(folder.path().join("vocab.txt"), vocabulary).unwrap();
    if file.ends_with("index.json") {
        let whole = folder.path().join("model.safetensors");
        fs::rename(whole, folder.path().join("b.safetensors")).unwrap();
    }
    try_out(3, text.as_bytes(), |bytes| {
        fs::write(folder.path().join(file), bytes).unwrap();
        load(folder.path());
    });
}

#[test]
fn a_damaged_rule_set_is_read_or_refused() {
    for preset in ["ah-ln-gamma", "alpha-beta"] {
        let original = RuleSet::preset_toml(preset).unwrap();
        try_out(4, original.as_bytes(), |bytes| {
            let _ = RuleSet::from_toml(&String::from_utf8_lossy(bytes));
        });
    }
}

#[rstest]
#[case("tsv", "sentence\tlabel\na warm film\t1\na \"dull\" plot\t0\n")]
#[case("csv", "text,label\n\"a warm, funny film\",good\ndull,bad\n")]
#[case(
    "jsonl",
    "{\"text\": \"a film\", \"label\": 1}\n{\"text\": \"dull\", \"label\": 0}\n"
)]
#[case("txt", "a warm film\n\ndull\n")]
fn a_damaged_table_is_read_or_refused(#[case] kind: &str, #[case] text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("texts.{kind}"));
    // Enough rows to hold some out.
    let (head, rows) = text.split_at(if kind == "jsonl" {
        0
    } else {
        text.find('\n').unwrap() + 1
    });
    let original = format!("{head}{}", rows.repeat(8));
    try_out(5, original.as_bytes(), |bytes| {
        fs::write(&path, bytes).unwrap();
        let _ = read_texts(&path);
        let _ = Corpus::read(&path);
    });
}

/// Found by the fuzz target `tokenizer`: the token around texts would have read beyond the embeddings.
#[rstest]
#[case(json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 90]}))]
#[case(json!({"type": "RobertaProcessing", "sep": ["[SEP]", 90], "cls": ["[CLS]", 2],
    "trim_offsets": true, "add_prefix_space": false}))]
#[case(json!({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "x", "type_id": 0}},
        {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"x": {"id": "x", "ids": [90], "tokens": ["x"]}}}))]
fn a_token_around_texts_that_the_model_has_not_is_refused(#[case] around: Value) {
    let folder = copy_of_bert(&["config.json", "tokenizer.json", "model.safetensors"]);
    let path = folder.path().join("tokenizer.json");
    let mut json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    json["post_processor"] = around;
    fs::write(&path, json.to_string()).unwrap();
    // BERT's class would put its own around texts.
    let class = r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#;
    fs::write(folder.path().join("tokenizer_config.json"), class).unwrap();
    let error = Model::load(folder.path(), &Device::flex()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("has 91 tokens"), "{message}");
}

#[rstest]
#[case("config.json")]
#[case("preprocessor_config.json")]
fn a_damaged_file_of_a_model_for_pictures_is_read_or_refused(#[case] file: &str) {
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
    ] {
        fs::copy(fixture("deit").join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join(file);
    let original = fs::read(&path).unwrap();
    let picture = fs::read(fixture("pictures/small.png")).unwrap();
    let picture = decode(&picture).unwrap();
    try_out(6, &original, |bytes| {
        fs::write(&path, bytes).unwrap();
        if let Ok(model) = Model::load(folder.path(), &Device::flex()) {
            let _ = model.picture(&picture, "small.png");
        }
    });
}

#[rstest]
#[case("small.png")]
#[case("photo.jpg")]
fn a_damaged_picture_is_read_or_refused(#[case] file: &str) {
    let model = Model::load(&fixture("vit"), &Device::flex()).unwrap();
    let original = fs::read(fixture("pictures").join(file)).unwrap();
    try_out(7, &original, |bytes| {
        if let Ok(picture) = decode(bytes) {
            let _ = model.picture(&picture, file);
        }
    });
}

#[rstest]
#[case("train-images-idx3-ubyte", &[12, 2, 3])]
#[case("train-labels-idx1-ubyte", &[12])]
fn a_damaged_file_of_labelled_pictures_is_read_or_refused(
    #[case] file: &str,
    #[case] sizes: &[u32],
) {
    let folder = tempfile::tempdir().unwrap();
    let idx = |sizes: &[u32]| {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes
            .iter()
            .for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend((0..sizes.iter().product::<u32>()).map(|number| number as u8));
        bytes
    };
    let whole = [
        ("train-images-idx3-ubyte", idx(&[12, 2, 3])),
        ("train-labels-idx1-ubyte", idx(&[12])),
    ];
    for (name, bytes) in whole {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    try_out(8, &idx(sizes), |bytes| {
        fs::write(folder.path().join(file), bytes).unwrap();
        let _ = Pictures::read(folder.path());
    });
}
