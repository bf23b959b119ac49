//! Tables from file to file: every format, bad rows, parts of tables, and runs that are killed.

mod interrupted;
mod kinds;
mod mistakes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, TimeUnit};
use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::{Table, objects};
use relprop_data::{sink::arrow, sink::parquet};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use relprop_testing::{Architecture, explainer, model};

use crate::relprop;

/// What the texts are made of.
const WORDS: [&str; 8] = [
    "warm", "funny", "dull", "the", "plot", "never", "film", "schöner",
];

/// A folder with a small model in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = model(&Architecture::PostNorm.config());
        model.save(&folder.path().join("model")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = relprop();
        command
            .args(["explain", "--model", &self.path("model")])
            .args(arguments);
        command
    }

    /// Runs the program, which must end with `code`, and gives what it printed.
    fn run(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        (stdout, stderr)
    }

    /// Runs the program, which must end with `code` and say each of `words`.
    fn fails(&self, code: i32, arguments: &[&str], words: &[&str]) {
        let (_, stderr) = self.run(code, arguments);
        for word in words {
            assert!(stderr.contains(word), "`{word}` is not in:\n{stderr}");
        }
    }

    /// Explains `input` to `out`, both names in this folder, and gives what was said.
    fn explain(&self, input: &str, out: &str, more: &[&str]) -> String {
        let (input, out) = (self.path(input), self.path(out));
        let files = ["--input", input.as_str(), "--out", out.as_str()];
        self.run(0, &[&files[..], more].concat()).1
    }

    /// Starts to explain, and kills the program as soon as `groups` groups are finished.
    fn kill(&self, input: &str, out: &str, more: &[&str], groups: u32) {
        let ending = Path::new(out).extension().unwrap().to_str().unwrap();
        let part = self.path(&format!("{out}.parts/part-{:08}.{ending}", groups - 1));
        let (input, out) = (self.path(input), self.path(out));
        let files = ["--input", input.as_str(), "--out", out.as_str()];
        let mut command = self.command(&[&files[..], more].concat());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_for(Path::new(&part), &mut child);
        // On Unix this is kill -9.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            !Path::new(&out).exists(),
            "the run ended before it could be killed"
        );
    }

    /// All rows of a table in this folder as JSON. The cells of a CSV are parsed if they can be.
    fn rows(&self, name: &str) -> Vec<Value> {
        let path = self.path(name);
        let table = Table::open(Path::new(&path), None).unwrap();
        let mut source = table.read(0).unwrap();
        let Some(rows) = source.read(usize::MAX >> 1).unwrap() else {
            return Vec::new();
        };
        assert!(rows.bad.is_empty(), "{:?}", rows.bad);
        let rows = objects(&rows.batch).unwrap();
        let mut rows: Vec<Value> = rows
            .iter()
            .map(|row| serde_json::from_str(row).unwrap())
            .collect();
        if name.ends_with(".csv") {
            let lists = [
                "logits",
                "tokens",
                "words",
                "target_value",
                "absorbed",
                "unaccounted",
            ];
            for row in &mut rows {
                for name in lists.into_iter().chain(["dropped_tokens"]) {
                    if let Some(cell) = row.get_mut(name) {
                        *cell = serde_json::from_str(cell.as_str().unwrap()).unwrap();
                    }
                }
            }
        }
        rows
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

fn wait_for(file: &Path, child: &mut Child) {
    let start = Instant::now();
    while !file.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "no group is finished"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be killed"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Text number `index`, of one to seven words.
fn text(index: usize) -> String {
    let words = (0..=index % 7).map(|word| WORDS[(index / 7 + word * (index % 3 + 1)) % 8]);
    words.collect::<Vec<_>>().join(" ")
}

/// `rows` JSON lines with a number, a text and a note.
fn json_lines(rows: usize) -> String {
    let row = |index| json!({"id": index, "text": text(index), "note": format!("\"{index}\", ok")});
    (0..rows).map(|index| format!("{}\n", row(index))).collect()
}

/// Writes the same rows in every format.
fn tables(folder: &Folder, rows: usize) {
    folder.write("in.jsonl", json_lines(rows));
    folder.write(
        "in.txt",
        (0..rows).map(|i| text(i) + "\n").collect::<String>(),
    );
    let lines = (0..rows).map(|i| format!("{i}\t{}\t\"{i}\", ok\n", text(i)));
    folder.write(
        "in.tsv",
        "id\ttext\tnote\n".to_owned() + &lines.collect::<String>(),
    );
    let lines = (0..rows).map(|i| format!("{i},{},\"\"\"{i}\"\", ok\"\n", text(i)));
    folder.write(
        "in.csv",
        "id,text,note\n".to_owned() + &lines.collect::<String>(),
    );
    let path = PathBuf::from(folder.path("in.jsonl"));
    let mut source = Table::open(&path, None).unwrap().read(0).unwrap();
    let batch = source.read(rows).unwrap().unwrap().batch;
    folder.write("in.parquet", parquet::encode(&batch).unwrap());
    folder.write("in.arrow", arrow::encode(&batch).unwrap());
}

fn numbers(list: &Value, name: &str) -> Vec<f64> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item[name].as_f64().unwrap()).collect()
}

/// The largest difference, in units of the largest expected absolute value.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    relprop_testing::difference(found, expected)
}

#[rstest]
fn every_format_becomes_every_table(
    #[values("txt", "tsv", "csv", "jsonl", "parquet", "arrow")] from: &str,
) {
    let (folder, count) = (Folder::new(), 11);
    tables(&folder, count);
    let loaded = Model::load(&folder.0.path().join("model"), &Device::flex()).unwrap();
    let alone = explainer(&loaded, "ah-ln");
    let input = format!("in.{from}");
    for to in ["jsonl", "csv", "parquet", "arrow"] {
        let out = format!("out.{to}");
        // Groups of several sizes, of which the last is not full.
        folder.explain(&input, &out, &["--group", "4"]);
        let rows = folder.rows(&out);
        assert_eq!(rows.len(), count);
        for (index, row) in rows.iter().enumerate() {
            let expected = alone.explain(&text(index)).unwrap();
            assert_eq!(row["text"], expected.text, "{from} to {to}");
            assert_eq!(row["prediction"], expected.prediction);
            let columns = match to {
                "jsonl" => &row["input"],
                _ => row,
            };
            if from != "txt" {
                let id = columns["id"].to_string();
                assert_eq!(id.trim_matches('"'), index.to_string());
                assert_eq!(columns["note"], format!("\"{index}\", ok"));
            }
            let target = match to {
                "jsonl" => &row["target"],
                _ => &json!({"label": row["target"], "value": row["target_value"]}),
            };
            assert_eq!(target["label"], expected.target.label);
            let value = target["value"].as_f64().unwrap();
            assert!(difference(&[value], &[f64::from(expected.target.value)]) < 1e-5);
            let tokens = expected
                .tokens
                .iter()
                .map(|token| f64::from(token.relevance));
            let found = numbers(&row["tokens"], "relevance");
            assert!(difference(&found, &tokens.collect::<Vec<_>>()) < 1e-5);
            let words = row["words"].as_array().unwrap();
            assert_eq!(words.len(), expected.words.len());
            for (found, word) in words.iter().zip(&expected.words) {
                assert_eq!(found["text"], word.text);
                assert_eq!(
                    (&found["start"], &found["end"]),
                    (&word.start.into(), &word.end.into())
                );
            }
        }
        assert!(!Path::new(&folder.path(&format!("{out}.parts"))).exists());
    }
}

#[rstest]
fn every_format_becomes_every_document(
    #[values("txt", "tsv", "csv", "jsonl", "parquet", "arrow")] from: &str,
) {
    let folder = Folder::new();
    tables(&folder, 5);
    let input = format!("in.{from}");
    folder.explain(&input, "out.json", &[]);
    let json: Value = serde_json::from_slice(&folder.bytes("out.json")).unwrap();
    let texts: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["text"].clone())
        .collect();
    assert_eq!(texts, (0..5).map(text).collect::<Vec<_>>());
    assert_eq!(json[3].get("input").is_some(), from != "txt");
    folder.explain(&input, "out.html", &[]);
    let page = String::from_utf8(folder.bytes("out.html")).unwrap();
    assert!(page.contains("attn-lrp") && page.contains(WORDS[0]));
    folder.explain(&input, "out.txt", &["--group", "2"]);
    let pictures = String::from_utf8(folder.bytes("out.txt")).unwrap();
    assert_eq!(pictures.matches("tokens hold").count(), 5);
    // The format can be named where the ending does not say it.
    folder.explain(&input, "out.data", &["--format", "jsonl"]);
    assert_eq!(
        folder
            .bytes("out.data")
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        5
    );
}

#[test]
fn columns_keep_their_types_and_become_texts_where_they_must() {
    let folder = Folder::new();
    let times = TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("Europe/Berlin");
    let kinds: DictionaryArray<Int32Type> = ["good", "bad"].into_iter().collect();
    let texts = StringArray::from(vec!["warm", "dull"]);
    let columns: [(&str, ArrayRef); 3] = [
        ("text", Arc::new(texts)),
        ("time", Arc::new(times)),
        ("kind", Arc::new(kinds)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    );
    folder.write("in.parquet", parquet::encode(&batch.unwrap()).unwrap());
    folder.explain("in.parquet", "out.arrow", &[]);
    let path = PathBuf::from(folder.path("out.arrow"));
    let source = Table::open(&path, None).unwrap().read(0).unwrap();
    let kind = |name: &str| {
        source
            .schema()
            .field_with_name(name)
            .unwrap()
            .data_type()
            .clone()
    };
    let zone = Some("Europe/Berlin".into());
    assert_eq!(
        kind("time"),
        DataType::Timestamp(TimeUnit::Microsecond, zone)
    );
    assert_eq!(kind("kind"), DataType::Utf8);
    for (out, first) in [
        ("out.csv", json!("1970-01-01T00:00:00.000001Z")),
        ("out.arrow", json!("1970-01-01T00:00:00.000001Z")),
    ] {
        folder.explain("in.parquet", out, &[]);
        let rows = folder.rows(out);
        assert_eq!(
            (&rows[0]["time"], &rows[0]["kind"]),
            (&first, &json!("good"))
        );
    }
    folder.explain("in.parquet", "out.jsonl", &[]);
    let input = folder.rows("out.jsonl")[1]["input"].clone();
    assert_eq!(input, json!({"time": null, "kind": "bad"}));
}

#[test]
fn what_is_the_same_for_all_rows_stands_in_the_metadata() {
    let folder = Folder::new();
    folder.write("in.jsonl", json_lines(3));
    folder.explain("in.jsonl", "out.parquet", &["--ledger", "--group", "2"]);
    let path = PathBuf::from(folder.path("out.parquet"));
    let source = Table::open(&path, None).unwrap().read(0).unwrap();
    let facts: Value = serde_json::from_str(&source.schema().metadata()["relprop"]).unwrap();
    assert_eq!(facts["schema"], "relprop.explanation/1");
    assert_eq!(facts["rules"], "ah-ln");
    assert_eq!(facts["labels"].as_array().unwrap().len(), 3);
    assert_eq!(facts["model"]["sha256"].as_str().unwrap().len(), 64);
    for row in folder.rows("out.parquet") {
        let tokens: f64 = numbers(&row["tokens"], "relevance").iter().sum();
        let absorbed: f64 = numbers(&row["absorbed"], "relevance").iter().sum();
        let sum = tokens + absorbed + row["unaccounted"].as_f64().unwrap();
        let target = row["target_value"].as_f64().unwrap();
        assert!(difference(&[sum], &[target]) < 1e-5, "{row}");
    }
}

#[test]
fn a_table_on_standard_output_names_its_columns_once() {
    let folder = Folder::new();
    tables(&folder, 5);
    let arguments = [
        "--input",
        &folder.path("in.csv"),
        "--format",
        "csv",
        "--group",
        "2",
    ];
    let (stdout, _) = folder.run(0, &arguments);
    assert_eq!(stdout.matches("prediction").count(), 1);
    folder.explain("in.csv", "out.csv", &["--group", "2"]);
    assert_eq!(stdout.as_bytes(), folder.bytes("out.csv"));
}

#[test]
fn the_column_of_texts_can_be_named() {
    let folder = Folder::new();
    folder.write("in.csv", "review,text\nwarm,1\ndull,2\n");
    folder.explain("in.csv", "out.jsonl", &["--column", "review"]);
    let texts: Vec<_> = folder
        .rows("out.jsonl")
        .iter()
        .map(|row| row["text"].clone())
        .collect();
    assert_eq!(texts, ["warm", "dull"]);
    let input = folder.path("in.csv");
    folder.fails(
        1,
        &["--input", &input, "--column", "reviw"],
        &["no column `reviw`", "`review`"],
    );
}
