//! What the pages tell a user to type is typed here: every fenced block of README.md and docs/ runs in a
//! shell, in a folder where small stand-ins have the names that the pages use.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use image::GrayImage;
use relprop_data::corpus::{Corpus, agreement_corpus, needles_corpus, reviews};
use relprop_data::sink::parquet;
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop, review_model};
use relprop_train::TrainConfig;

/// Lines that need what is not here, by how they begin, and the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("relprop explain --device gpu", "there may be no card"),
    ("crates/wasm/build", "it would build relprop once more"),
    ("benches/card/pack.sh", "it would build relprop once more"),
    ("mkdir card && tar", "there may be no card"),
    (
        "relprop explain --model owner/name",
        "a build without the Hub",
    ),
    (
        "HF_HUB_OFFLINE=1 relprop explain --model owner/name",
        "a build without the Hub",
    ),
    ("relprop serve", "it serves until it is interrupted"),
    ("relprop demo --serve", "it serves until it is interrupted"),
    (
        "relprop train --data DATA --out DIR [",
        "a summary of the options, not a command",
    ),
];

/// Programs that do nothing here, and the reason.
const IDLE: &[(&str, &str)] = &[
    ("apt-get", "the machine is not ours to change"),
    ("cargo", "it would build relprop once more"),
    ("curl", "tests/serve asks a server what the page asks"),
    ("pip", "it would build relprop once more"),
    ("python", "PyTorch is not here"),
];

/// The pages, with their paths from the root.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = docs.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.push(root.join("README.md"));
    paths.sort();
    let page = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(page).collect()
}

/// The fenced blocks of a page in `language`, without the indentation of the list that they stand in.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let fence = line.trim_start();
        let Some(found) = fence.strip_prefix("```") else {
            continue;
        };
        let indent = line.len() - fence.len();
        let inside = lines.by_ref().take_while(|line| line.trim() != "```");
        let inside = inside.map(|line| line.get(indent..).unwrap_or_default());
        let block = inside.collect::<Vec<_>>().join("\n");
        if found == language {
            blocks.push(block);
        }
    }
    blocks
}

/// A block without what is left out. A command that goes on in the next line is one line.
fn script(block: &str) -> String {
    let left_out = |line: &&str| LEFT_OUT.iter().any(|(start, _)| line.starts_with(start));
    let block = block.replace("\\\n", " ");
    let lines = block.lines().filter(|line| !left_out(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// A corpus as a table.
fn table(corpus: &Corpus, column: &str) -> String {
    let mut table = format!("{column}\tlabel\n");
    for example in &corpus.train {
        let label = &corpus.labels[example.label];
        writeln!(table, "{}\t{label}", example.text).unwrap();
    }
    table
}

/// What the pages speak of, small: models, tables, settings and pictures.
fn stand_ins(here: &Path) {
    let write = |name: &str, content: &str| {
        let path = here.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let run = |arguments: &[&str]| {
        let mut command = relprop();
        let output = command.current_dir(here).args(arguments).output();
        Ran::from(output.unwrap()).done()
    };
    let few = reviews(100, 0);
    for data in ["sst2/train.tsv", "sst2/dev.tsv", "train.tsv"] {
        write(data, &table(&few, "sentence"));
    }
    let rows: Vec<&str> = few.train[..8].iter().map(|one| one.text.as_str()).collect();
    let labels = few.train[..8].iter().map(|one| &few.labels[one.label]);
    let short: String = (rows.iter().zip(labels))
        .map(|(text, label)| format!("{text}\t{label}\n"))
        .collect();
    for data in ["dev.tsv", "dev100.tsv"] {
        write(data, &format!("sentence\tlabel\n{short}"));
    }
    write("texts.txt", &rows.join("\n"));
    let json = |text| format!("{}\n", serde_json::json!({"text": text}));
    write("reviews.jsonl", &rows.iter().map(json).collect::<String>());

    let bert = review_model(64);
    let berts = ["MODEL", "small-bert", "scratch", "relprop-demo/model"];
    for model in berts.into_iter().chain(["my-model", "my-nli-model"]) {
        bert.save(&here.join(model)).unwrap();
    }
    let column: ArrayRef = Arc::new(StringArray::from(rows.clone()));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    for (model, fixture) in [
        ("my-ner-model", "heads/bert-tokens"),
        ("my-qa-model", "heads/bert-answers"),
        ("my-sentence-model", "heads/bert-vectors"),
        ("my-translator", "two_stacks/t5"),
        ("my-clip", "towers/clip"),
        ("my-dino", "picture-vectors/dinov2"),
    ] {
        symlink(folder(fixture).canonicalize().unwrap(), here.join(model)).unwrap();
    }
    for table in ["reviews.parquet", "million.parquet"] {
        fs::write(here.join(table), parquet::encode(&batch).unwrap()).unwrap();
    }
    write("mine.toml", &run(&["rules", "libra"]).stdout);

    let small = "width = 16\nheads = 2\nblocks = 1\nfeed_forward = 16\nepochs = 1\n";
    write("agreement.toml", &format!("vocabulary = 450\n{small}"));
    write("lm.toml", &format!("vocabulary = 450\n{small}"));
    let paper = "architecture = \"attention-only\"\nembeddings = \"MODEL\"\n";
    write("paper.toml", &format!("{paper}{small}"));
    write("verbs.tsv", &table(&agreement_corpus(400, 0), "text"));
    run(&[
        "train",
        "--task",
        "next-token",
        "--data",
        "verbs.tsv",
        "--config",
        "agreement.toml",
        "--out",
        "my-llama",
    ]);
    write("needles.tsv", &table(&needles_corpus(60, 5, 0), "text"));
    run(&[
        "train",
        "--task",
        "next-token",
        "--data",
        "needles.tsv",
        "--config",
        "agreement.toml",
        "--out",
        "needle-model",
    ]);
    write(
        "questions.tsv",
        "text\tcontext\tanswer\nwho sang ?\tthe cat sat and anna sang\tanna sang\n",
    );
    symlink("my-llama", here.join("DIR")).unwrap();
    write("my-llama/chat_template.jinja", "{{ messages[-1].content }}");

    for name in ["a.png", "seven.png", "two.png"] {
        fs::copy(folder("pictures/small.png"), here.join(name)).unwrap();
    }
    fs::copy(folder("pictures/photo.jpg"), here.join("b.jpg")).unwrap();
    for (label, shade) in [("dark", 40), ("light", 200)] {
        fs::create_dir_all(here.join("mnist").join(label)).unwrap();
        for number in 0..10 {
            let picture = GrayImage::from_fn(8, 8, |x, y| {
                image::Luma([shade + ((x * y + number) % 32) as u8])
            });
            let file = here.join("mnist").join(label).join(format!("{number}.png"));
            picture.save(file).unwrap();
        }
    }
    let boxes = ["dark", "light"].map(|label| format!("mnist/{label}/0.png,{label},\"0,0,4,4\"\n"));
    write(
        "boxes.csv",
        &format!("picture,label,box\n{}", boxes.concat()),
    );
}

/// A folder of programs: relprop, and those that are idle. The embedded corpus is cut short.
fn programs(here: &Path) {
    let program = relprop();
    let program = program.get_program().to_str().unwrap();
    let cut = "case \"$*\" in *'--data reviews'*|*evaluate*'--data needles'*) \
               set -- \"$@\" --limit 2;; esac";
    let idle = IDLE.iter().map(|(name, _)| (*name, "exit 0".to_owned()));
    let relprop = ("relprop", format!("{cut}\nexec '{program}' \"$@\""));
    for (name, body) in idle.into_iter().chain([relprop]) {
        let file = here.join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The models that a page trains itself.
fn trained(page: &str) -> impl Iterator<Item = &str> {
    let lines = page
        .lines()
        .filter(|line| line.starts_with("relprop train"));
    lines.filter_map(|line| line.split("--out ").nth(1)?.split_whitespace().next())
}

/// A program that is neither relprop, nor idle, nor the system's, is not found, and its block fails.
#[test]
fn every_command_of_the_pages_runs() {
    let all = tempfile::tempdir().unwrap();
    let (models, bin) = (all.path().join("stand-ins"), all.path().join("bin"));
    fs::create_dir_all(&models).unwrap();
    fs::create_dir_all(&bin).unwrap();
    stand_ins(&models);
    programs(&bin);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut failed = String::new();
    for (number, (name, page)) in pages().iter().enumerate() {
        let here = all.path().join(number.to_string());
        let copied = Command::new("cp").arg("-a").args([&models, &here]).status();
        assert!(copied.unwrap().success());
        for made in trained(page) {
            // It is not there before the page has made it.
            let _ = fs::remove_dir_all(here.join(made));
        }
        for block in blocks(page, "sh") {
            let begun = std::time::Instant::now();
            let mut shell = Command::new("sh");
            shell.args(["-eu", "-c", &script(&block)]);
            shell.current_dir(&here).env("PATH", &path);
            shell.env("SLURM_ARRAY_TASK_ID", "3");
            let ran = Ran::from(shell.output().unwrap());
            println!("{name}: {:.1} s\n{block}\n", begun.elapsed().as_secs_f64());
            if ran.code != 0 {
                let said = ran.stderr;
                writeln!(failed, "{name}:\n{block}\n\n{}: {said}", ran.code).unwrap();
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn what_is_left_out_stands_in_a_page() {
    let blocks: Vec<String> = (pages().iter())
        .flat_map(|(_, page)| blocks(page, "sh"))
        .collect();
    let starts = |start: &str| {
        let mut lines = blocks.iter().flat_map(|block| block.lines());
        lines.any(|line| line.trim_start().starts_with(start))
    };
    for (start, reason) in LEFT_OUT.iter().chain(IDLE) {
        assert!(starts(start), "`{start}` ({reason}) stands in no page");
    }
}

/// Settings that a page gives a name are settings of `relprop train`.
#[test]
fn every_settings_file_of_the_pages_is_read() {
    let mut read = 0;
    for (name, page) in pages() {
        for block in blocks(&page, "toml") {
            if block.starts_with("# ") && block.contains("epochs") {
                TrainConfig::from_toml(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
                read += 1;
            }
        }
    }
    assert!(read >= 3, "{read}");
}

/// Where a test of this name may be, from the root.
fn tests_called(name: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path().display().to_string());
    let packages = crates.chain([root.display().to_string()]);
    packages
        .flat_map(|package| {
            [
                format!("{package}/tests/{name}.rs"),
                format!("{package}/tests/{name}/main.rs"),
            ]
        })
        .collect()
}

/// `cargo test --test NAME` and its like name what there is.
#[test]
fn every_target_that_a_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let there = |places: &[String]| places.iter().any(|place| root.join(place).is_file());
    let mut named = 0;
    for (page, text) in pages() {
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let name = pair[1].trim_end_matches(['`', ')', '.', ',', ':', ';']);
            if name == "NAME" || name == "TOPIC" {
                continue;
            }
            let places = match pair[0] {
                "--test" => tests_called(name),
                "--bench" => vec![format!("benches/{name}.rs")],
                "--example" => vec![format!("examples/{name}.rs")],
                _ => continue,
            };
            named += 1;
            assert!(there(&places), "{page} names `{} {name}`", pair[0]);
        }
    }
    assert!(named > 10, "{named}");
}
