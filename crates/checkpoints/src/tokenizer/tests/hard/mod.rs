//! Hard texts by the tokenizer of every fixture, and by models of sentencepiece: `make.py` asks transformers.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::changes::again;
use crate::load::tokenizer;
use crate::tokenizer::{Class, Settings};
use crate::{Family, Files, TextError, Tokenizer, Truncation};

/// More tokens than any text has.
const MANY: usize = 1 << 20;

fn reference() -> Value {
    serde_json::from_str(include_str!("hard.json")).unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn read(mut files: Vec<(String, Vec<u8>)>) -> Result<Tokenizer, String> {
    let config = files.iter().find(|(name, _)| name == "config.json");
    let config: Value = serde_json::from_slice(&config.unwrap().1).unwrap();
    let family = Family::named(config["model_type"].as_str().unwrap()).unwrap();
    let class = config["tokenizer_class"].as_str();
    for (name, content) in &mut files {
        if name == "tokenizer_config.json" {
            let mut keys: Map<String, Value> = serde_json::from_slice(content).unwrap();
            // The texts are read whole.
            keys.remove("model_max_length");
            *content = serde_json::to_vec(&keys).unwrap();
        }
    }
    let read = tokenizer(&Files::at_hand(files), family, class, MANY);
    read.map_err(|error| error.to_string())
}

/// FNV-1a over the four bytes of each id.
fn digest(ids: impl IntoIterator<Item = u32>) -> String {
    let bytes = ids.into_iter().flat_map(u32::to_le_bytes);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// The texts of which the tokenizer makes other tokens than transformers does, with what it makes.
fn different(tokenizer: &Tokenizer, reference: &Value, expected: &Value) -> Vec<String> {
    let texts = reference["texts"].as_array().unwrap().iter();
    let texts = texts.map(|text| text.as_str().unwrap().to_owned());
    let long = [("a", 10_000), ("abcdefghij", 1000), ("映", 10_000)];
    let long = long.map(|(letters, count)| letters.repeat(count));
    let [first, second] = [0, 1].map(|text| reference["pair"][text].as_str().unwrap());
    let expected: Vec<&str> = (expected.as_array().unwrap().iter())
        .map(|hash| hash.as_str().unwrap())
        .collect();

    let mut found: Vec<_> = texts
        .chain(long)
        .map(|text| {
            let read = tokenizer.encode(&text, MANY, Truncation::Refuse);
            (text, read)
        })
        .collect();
    let pair = tokenizer.encode_pair([first, second], MANY, Truncation::Refuse);
    found.push(("the pair".to_owned(), pair));
    assert_eq!(found.len(), expected.len());
    let wrong = found
        .into_iter()
        .zip(expected)
        .filter_map(|((text, read), expected)| {
            let ids: Vec<u32> = match &read {
                Ok(read) => read.tokens.iter().map(|token| token.id).collect(),
                Err(TextError::Empty) if expected.is_empty() => return None,
                Err(error) => return Some(format!("{text:?}: {error}")),
            };
            let wrong = digest(ids.iter().copied()) != expected;
            let start = &ids[..ids.len().min(12)];
            wrong.then(|| format!("{:?}: {start:?}", text.chars().take(40).collect::<String>()))
        });
    wrong.collect()
}

fn check(wrong: Vec<(String, Vec<String>)>) {
    let told: Vec<String> = wrong
        .iter()
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(name, texts)| {
            let first = texts[..texts.len().min(12)].join("\n  ");
            format!("{name}: {} differ\n  {first}", texts.len())
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn ids_of_every_fixture_are_those_of_transformers() {
    let reference = reference();
    let root = fixtures();
    let fixtures = reference["fixtures"].as_object().unwrap();
    let wrong = fixtures.iter().map(|(name, expected)| {
        let files = fs::read_dir(root.join(name))
            .unwrap()
            .map(|file| file.unwrap());
        let files = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
        let files = files.filter(|(name, _)| name.ends_with(".json") && name != "reference.json");
        let files = files.map(|(name, path)| (name, fs::read(path).unwrap()));
        let tokenizer = read(files.collect()).unwrap();
        (name.clone(), different(&tokenizer, &reference, expected))
    });
    check(wrong.collect());
}

#[test]
fn ids_by_every_class_and_file_are_those_of_transformers() {
    let reference = reference();
    let cases = reference["cases"].as_array().unwrap().iter().enumerate();
    let wrong = cases.map(|(number, case)| {
        let files = case["files"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, content)| {
                let content = content.as_str().unwrap();
                let model = reference["models"][content].as_str();
                let mut bytes = match (model, content.strip_prefix('@')) {
                    (Some(model), _) => STANDARD.decode(model).unwrap(),
                    (_, Some(fixture)) => fs::read(fixtures().join(fixture).join(name)).unwrap(),
                    (None, None) => content.as_bytes().to_vec(),
                };
                // Other steps than those of the fixture.
                if let (Some(changes), "tokenizer.json") = (case["changes"].as_object(), &name[..])
                {
                    let mut whole: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
                    whole.extend(changes.clone());
                    bytes = serde_json::to_vec(&whole).unwrap();
                }
                (name.clone(), bytes)
            });
        let said: Vec<String> = ["config.json", "tokenizer_config.json"]
            .map(|name| case["files"][name].to_string())
            .into();
        let name = format!("case {number} {}", said.join(" "));
        let wrong = match read(files.collect()) {
            Ok(tokenizer) => different(&tokenizer, &reference, &case["ids"]),
            Err(error) => vec![error],
        };
        (name, wrong)
    });
    check(wrong.collect());
}

#[test]
fn what_is_no_model_of_sentencepiece_is_refused() {
    for (name, config, settings, bytes, said) in [
        // Of tiktoken, whose files have such names as well.
        (
            "tokenizer.model",
            "llama",
            "{}",
            "IQ== 0\nIg== 1\n",
            "it is no model of sentencepiece",
        ),
        (
            "tokenizer.model",
            "gemma",
            "{}",
            "",
            "it is no model of sentencepiece",
        ),
        (
            "tokenizer.model",
            "bert",
            "{}",
            "",
            "`tokenizer_class` is BertTokenizer",
        ),
        (
            "spiece.model",
            "xlm-roberta",
            "{}",
            "",
            "it is the only file of the tokenizer",
        ),
        (
            "spiece.model",
            "albert",
            "{}",
            "",
            "it is no model of sentencepiece",
        ),
        (
            "sentencepiece.bpe.model",
            "llama",
            "{}",
            "",
            "it is the only file of the tokenizer",
        ),
        (
            "tokenizer.model",
            "llama",
            r#"{"tokenizer_class": "ReformerTokenizer"}"#,
            "",
            "`tokenizer_class` is ReformerTokenizer",
        ),
    ] {
        let config = format!(r#"{{"model_type": "{config}"}}"#);
        let files = [
            (name, bytes),
            ("config.json", &config),
            ("tokenizer_config.json", settings),
        ];
        let files = files.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()));
        let refused = read(files.into()).err().unwrap();
        assert!(
            refused.contains(said) && refused.contains(name),
            "{refused}"
        );
        assert!(
            refused.contains("save_pretrained") || refused.contains("tiktoken"),
            "{refused}"
        );
    }
}

/// Changes of all models, drawn one after another.
#[test]
fn changed_models_are_read_or_refused() {
    let reference = reference();
    let models = reference["models"].as_object().unwrap().values();
    let models: Vec<Vec<u8>> = models
        .map(|model| STANDARD.decode(model.as_str().unwrap()).unwrap())
        .collect();
    let classes = [
        "AlbertTokenizer",
        "DebertaV2Tokenizer",
        "XLMRobertaTokenizer",
        "CamembertTokenizer",
        "LlamaTokenizer",
        "GemmaTokenizer",
        "TokenizersBackend",
    ];
    again(|changes| {
        let (model, other) = (changes.one(&models), changes.one(&models));
        // The table of characters and the settings stand behind the pieces.
        let start = [0, model.len().saturating_sub(2000)][changes.below(2)];
        let changed = changes.of(model, start, &[0, 0x7f, 0x80, 0xff], other);
        let keys = json!({"tokenizer_class": changes.one(&classes)});
        let settings = Settings::new(keys.as_object().unwrap().clone());
        let class = Class::of(settings.class()).unwrap();
        let read = Tokenizer::parse_sentencepiece(&changed, class, &settings);
        read.is_ok_and(|tokenizer| try_out(&tokenizer))
    });
}

/// Changes of a `vocab.json`, a `merges.txt`, a `vocab.txt`, a `tokenizer_config.json` and the like beside files
/// that are whole.
#[test]
fn changed_settings_are_read_or_refused() {
    let mut folders: Vec<Vec<(String, Vec<u8>)>> = Vec::new();
    for case in reference()["cases"].as_array().unwrap() {
        let files = case["files"].as_object().unwrap().iter();
        let files: Option<Vec<_>> = files
            .map(|(name, content)| {
                let content = content.as_str()?;
                let whole = match content.strip_prefix('@') {
                    // The settings beside a large file are changed, not the file.
                    Some(fixture) => fs::read(fixtures().join(fixture).join(name)).ok()?,
                    None => content.as_bytes().to_vec(),
                };
                Some((name.clone(), whole))
            })
            .collect();
        // Those of sentencepiece have a test of their own.
        folders
            .extend(files.filter(|files| files.iter().all(|(name, _)| !name.ends_with(".model"))));
    }
    let bert = fs::read_to_string(fixtures().join("bert/tokenizer.json")).unwrap();
    let bert: Value = serde_json::from_str(&bert).unwrap();
    let words = bert["model"]["vocab"].as_object().unwrap().keys();
    let words: Vec<&str> = words.map(String::as_str).collect();
    folders.push(vec![
        ("vocab.txt".to_owned(), words.join("\n").into()),
        (
            "config.json".to_owned(),
            b"{\"model_type\": \"bert\"}".to_vec(),
        ),
    ]);
    let settings = json!({
        "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true, "do_lower_case": false, "strip_accents": null,
        "model_max_length": 512, "truncation_side": "left", "split_special_tokens": false, "legacy": true,
        "model_input_names": ["input_ids"], "additional_special_tokens": ["<own>"], "mask_token": "<mask>",
        "added_tokens_decoder": {"5": {"content": "<own>", "lstrip": true, "special": true, "normalized": false}},
        "bos_token": {"content": "<s>", "rstrip": true}, "add_bos_token": true, "chat_template": "{{ messages }}"
    });
    let settings = settings.to_string().into_bytes();
    let words = b"{}[]\":,0129-.entfaul \n\\<s>";
    again(|changes| {
        let mut files = changes.one(&folders).clone();
        files.retain(|(name, _)| name != "tokenizer_config.json" || changes.below(2) == 0);
        if !files
            .iter()
            .any(|(name, _)| name == "tokenizer_config.json")
        {
            let changed = changes.of(&settings, 0, words, &settings);
            files.push(("tokenizer_config.json".to_owned(), changed));
        } else {
            let small: Vec<usize> = (0..files.len())
                .filter(|file| !["config.json", "tokenizer.json"].contains(&&*files[*file].0))
                .collect();
            let file = *changes.one(&small);
            files[file].1 = changes.of(&files[file].1, 0, words, &settings);
        }
        let added = [
            "{\"<own>\": 7}",
            "{\"a\": -1}",
            "{\"<s>\": 99999999999}",
            "[]",
        ];
        if changes.below(3) == 0 {
            let content = changes.one(&added).as_bytes().to_vec();
            files.push(("added_tokens.json".to_owned(), content));
        }
        let names = [
            "bert",
            "gpt2",
            "roberta",
            "llama",
            "qwen2",
            "gpt_neox",
            "deberta-v2",
            "albert",
        ];
        let name: &&str = changes.one(&names);
        let family = Family::named(name).unwrap();
        let read = tokenizer(&Files::at_hand(files), family, None, MANY);
        read.is_ok_and(|tokenizer| try_out(&tokenizer))
    });
}

/// Reads some texts with a tokenizer; that they can be read is not asked.
fn try_out(tokenizer: &Tokenizer) -> bool {
    for text in [
        "a  film \u{1112}\u{1161}\u{11ab}",
        "ﬁ½<own>\u{200b}<s> 映",
        "\t",
    ] {
        let _ = tokenizer.encode(text, MANY, Truncation::Refuse);
        let _ = tokenizer.encode_pair([text, "a"], 8, Truncation::Cut);
    }
    true
}
