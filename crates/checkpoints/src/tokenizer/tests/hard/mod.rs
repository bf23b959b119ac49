//! Hard texts by the tokenizer of every fixture, and by models of sentencepiece: `make.py` asks transformers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

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
            r#"{"tokenizer_class": "T5Tokenizer"}"#,
            "",
            "`tokenizer_class` is T5Tokenizer",
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

/// Changes of all models, drawn one after another. RELPROP_FUZZ_SECONDS says for how long.
#[test]
fn changed_models_are_read_or_refused() {
    let seconds = std::env::var("RELPROP_FUZZ_SECONDS");
    let seconds = seconds.map_or(2, |seconds| seconds.parse().unwrap());
    let reference = reference();
    let models = reference["models"].as_object().unwrap().values();
    let models: Vec<Vec<u8>> = models
        .map(|model| STANDARD.decode(model.as_str().unwrap()).unwrap())
        .collect();
    let texts = [
        "a  film \u{1112}\u{1161}\u{11ab}",
        "ﬁ½<own>\u{200b}<s> 映",
        "\t",
    ];
    let classes = [
        "AlbertTokenizer",
        "DebertaV2Tokenizer",
        "XLMRobertaTokenizer",
        "CamembertTokenizer",
        "LlamaTokenizer",
        "GemmaTokenizer",
        "TokenizersBackend",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // Xorshift: the same numbers in every run.
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let start = Instant::now();
    let (mut runs, mut read) = (0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let mut changed = models[below(models.len())].clone();
        for _ in 0..=below(4) {
            // The table of characters and the settings stand behind the pieces.
            let last = changed.len().saturating_sub(2000);
            let at = if below(2) == 0 {
                below(changed.len())
            } else {
                last + below(2000)
            };
            let at = at.min(changed.len() - 1);
            match below(4) {
                0 => changed[at] ^= 1 << below(8),
                1 => changed[at] = [0, 0x7f, 0x80, 0xff][below(4)],
                2 => drop(changed.drain(at..(at + 1 + below(8)).min(changed.len() - 1))),
                _ => {
                    let end = (at + 4).min(changed.len());
                    changed[at..end].fill([0, 0x7f, 0xff][below(3)]);
                }
            }
        }
        let keys = json!({"tokenizer_class": classes[below(classes.len())]});
        let settings = Settings::new(keys.as_object().unwrap().clone());
        let class = Class::of(settings.class()).unwrap();
        if let Ok(tokenizer) = Tokenizer::parse_sentencepiece(&changed, class, &settings) {
            read += 1;
            for text in texts {
                let _ = tokenizer.encode(text, MANY, Truncation::Refuse);
            }
        }
        runs += 1;
    }
    println!("{runs} models, of which {read} were read");
}
