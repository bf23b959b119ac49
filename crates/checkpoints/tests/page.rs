//! docs/models.md says what opens: its lists are those of the code.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::{
    Family, Files, Model, Pair, REFUSED_TYPES, SETTINGS_FILES, TOKENIZER_FILES, WEIGHT_FILES,
};

/// The page, and where it is.
fn page() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/models.md");
    (
        fs::read_to_string(&path).unwrap(),
        path.display().to_string(),
    )
}

/// Holds the lines between two marks of the page against those that the code gives.
fn check(list: &str, expected: &[String]) {
    let (page, path) = page();
    let start = format!("<!-- {list} -->\n");
    let (_, rest) = page.split_once(&start).expect("the page has the mark");
    let (found, _) = rest
        .split_once("<!-- end -->")
        .expect("the list has an end");
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    assert!(
        found == expected,
        "{path} lies about {list}; between `<!-- {list} -->` and `<!-- end -->` put\n\n{expected}"
    );
}

#[test]
fn families_are_those_of_the_code() {
    let mut lines = vec![
        "| `model_type` | `architectures` |".to_owned(),
        "| --- | --- |".to_owned(),
    ];
    // Models of two towers, before those that are no class of transformers.
    let pairs = || Pair::all().map(|pair| pair.text);
    let known = |pair: &&Family| Family::all().any(|family| family.name == pair.name);
    let mut families: Vec<&Family> = Family::all().collect();
    let last = families.len() - 1;
    families.splice(last..last, pairs().filter(|pair| !known(pair)));
    families.dedup_by_key(|family| family.name);
    for family in families {
        let all = Family::all().chain(pairs());
        let of_type = all.filter(|other| other.name == family.name);
        let heads: Vec<String> = of_type
            .flat_map(|family| family.architecture)
            .map(|head| format!("`{head}`"))
            .collect();
        let heads = match heads.is_empty() {
            true => "none: not a class of transformers".to_owned(),
            false => heads.join(", "),
        };
        lines.push(format!("| `{}` | {heads} |", family.name));
    }
    check("families", &lines);
}

#[test]
fn refused_types_are_those_of_the_code() {
    let mut lines = vec![
        "| `model_type` | why |".to_owned(),
        "| --- | --- |".to_owned(),
    ];
    for (name, why) in REFUSED_TYPES {
        assert!(Family::named(name).is_none(), "{name} opens");
        lines.push(format!("| `{name}` | {why} |"));
        let config = format!(r#"{{"model_type": "{name}"}}"#);
        let refused = Family::read_config(&config).unwrap_err().to_string();
        assert!(refused.ends_with(why), "{refused}");
    }
    check("refused types", &lines);
}

/// What the page calls refused does not open: no type of a model, and no class, stands among it, nor the end of one.
#[test]
fn nothing_that_is_refused_opens() {
    let (page, _) = page();
    let (_, rest) = page.split_once("## What is refused\n").unwrap();
    let rows = rest.lines().filter(|line| line.starts_with('|'));
    let cells: Vec<&str> = rows.filter_map(|row| row.split('|').nth(1)).collect();
    assert!(cells.len() > 20);
    let all = || Family::all().chain(Pair::all().map(|pair| pair.text));
    for cell in cells {
        for name in cell.split('`').skip(1).step_by(2) {
            let opens = match name.strip_prefix("...") {
                Some(end) => all().any(|family| {
                    family
                        .architecture
                        .is_some_and(|class| class.ends_with(end))
                }),
                None => {
                    all().any(|family| family.name == name || family.architecture == Some(name))
                }
            };
            assert!(
                !opens,
                "the page says that `{name}` is refused, and it opens: {cell}"
            );
        }
    }
}

#[test]
fn weights_are_those_of_the_code() {
    let mut lines = vec![
        "| file | what it is |".to_owned(),
        "| --- | --- |".to_owned(),
    ];
    for (file, what) in WEIGHT_FILES {
        lines.push(format!("| `{file}` | {what} |"));
        lines.push(format!(
            "| `{file}.index.json` | the same in several files, which it names |"
        ));
    }
    check("weights", &lines);
}

#[test]
fn tokenizers_are_those_of_the_code() {
    let mut lines = vec![
        "| files | what they are |".to_owned(),
        "| --- | --- |".to_owned(),
    ];
    for (files, what) in TOKENIZER_FILES {
        let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        lines.push(format!("| {} | {what} |", names.join(" and ")));
        for file in *files {
            assert!(SETTINGS_FILES.contains(file), "{file} decides tokens");
        }
    }
    check("tokenizers", &lines);
}

/// A small file of each kind.
fn trial(file: &str) -> Vec<u8> {
    match file {
        "tokenizer.json" => {
            br#"{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#.to_vec()
        }
        "vocab.txt" => b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n".to_vec(),
        "vocab.json" => br#"{"<s>": 0, "</s>": 1, "<unk>": 2, "a": 3}"#.to_vec(),
        "merges.txt" => b"#version: 0.2\n".to_vec(),
        _ => {
            // A protobuf of pieces: their texts, scores and kinds.
            let pieces = [
                ("<unk>", 2),
                ("<s>", 3),
                ("</s>", 3),
                ("\u{2581}", 1),
                ("a", 1),
            ];
            let piece = |(text, kind): (&str, u8)| {
                let length = text.len() as u8;
                let fields = [&[0x0a, length][..], text.as_bytes(), &[0x18, kind]].concat();
                [&[0x0a, fields.len() as u8], &fields[..]].concat()
            };
            pieces.map(piece).concat()
        }
    }
}

/// Each family's fixture is tried with each kind of tokenizer alone, and no class is named.
#[test]
fn tokenizers_of_families_are_those_of_the_code() {
    let columns = TOKENIZER_FILES.iter().map(|(files, _)| {
        let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        names.join(", ")
    });
    let columns: Vec<String> = columns.collect();
    let mut lines = vec![
        format!("| `model_type` | {} |", columns.join(" | ")),
        format!("| --- |{}", " --- |".repeat(columns.len())),
    ];
    let mut families: Vec<&Family> = Family::all().collect();
    families.dedup_by_key(|family| family.name);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    for family in families {
        let folder = fixtures.join(family.name);
        // A model of pictures has no tokenizer.
        if !folder.join("tokenizer.json").is_file() {
            continue;
        }
        let opens = TOKENIZER_FILES.iter().map(|(files, _)| {
            let read = |name: &str| fs::read(folder.join(name)).unwrap();
            let model = ["config.json", "model.safetensors"].map(|name| (name, read(name)));
            let tokenizer = files.iter().map(|file| (*file, trial(file)));
            let files = Files::at_hand(model.into_iter().chain(tokenizer));
            match Model::from_files(&files, &Device::flex(), &[]) {
                Ok(_) => "yes",
                Err(_) => "no",
            }
        });
        let opens: Vec<&str> = opens.collect();
        lines.push(format!("| `{}` | {} |", family.name, opens.join(" | ")));
    }
    check("tokenizers of families", &lines);
}
