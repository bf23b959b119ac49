//! The ids of texts, by the files of a tokenizer and what stands beside them: `make.py` asks transformers.

mod hard;

use serde_json::{Map, Value, json};

use super::{Settings, Tokenizer, Truncation};

/// The tokenizer of files, as [`Model::load`](crate::Model::load) reads them.
fn read(files: &Value) -> Result<Tokenizer, String> {
    let object = |name: &str| -> Option<Map<String, Value>> {
        files[name]
            .as_str()
            .map(|text| serde_json::from_str(text).unwrap())
    };
    let settings = Settings::new(object("tokenizer_config.json").unwrap_or_default());
    let settings = settings.with(
        object("special_tokens_map.json"),
        object("added_tokens.json"),
    );
    let text = |name: &str| files[name].as_str();
    match (
        text("tokenizer.json"),
        text("vocab.txt"),
        text("vocab.json"),
    ) {
        (Some(json), _, _) => Tokenizer::parse(json, &settings),
        (_, Some(vocabulary), _) => Tokenizer::parse_vocabulary(vocabulary.as_bytes(), &settings),
        (_, _, Some(vocabulary)) => {
            Tokenizer::parse_merges(vocabulary, text("merges.txt").unwrap(), &settings)
        }
        _ => panic!("no tokenizer"),
    }
}

#[test]
fn ids_are_those_of_transformers() {
    let reference: Value = serde_json::from_str(include_str!("settings.json")).unwrap();
    let texts = reference["texts"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in reference["cases"].as_array().unwrap() {
        let files = &case["files"];
        let tokenizer = read(files).unwrap();
        for (text, expected) in texts.iter().zip(case["ids"].as_array().unwrap()) {
            let text = text.as_str().unwrap();
            let found = tokenizer.encode(text, 1000, Truncation::Refuse).unwrap();
            let found: Vec<u32> = found.tokens.iter().map(|token| token.id).collect();
            if json!(found) != *expected {
                let beside = &files["tokenizer_config.json"];
                wrong.push(format!("{beside}\n  {text:?}\n  {found:?}\n  {expected}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A tokenizer that is written, and read again with the settings that go beside it, is the same.
#[test]
fn a_saved_tokenizer_reads_as_before() {
    let reference: Value = serde_json::from_str(include_str!("settings.json")).unwrap();
    let encode = |tokenizer: &Tokenizer, text: &Value| {
        tokenizer
            .encode(text.as_str().unwrap(), 1000, Truncation::Cut)
            .unwrap()
    };
    for case in reference["cases"].as_array().unwrap() {
        let tokenizer = read(&case["files"]).unwrap();
        let settings = Settings::new(tokenizer.settings(1000, 2));
        let again = Tokenizer::parse(&tokenizer.to_json().unwrap(), &settings).unwrap();
        for text in reference["texts"].as_array().unwrap() {
            assert_eq!(encode(&again, text), encode(&tokenizer, text), "{text}");
        }
    }
}

#[test]
fn a_class_with_rules_of_its_own_is_refused_by_name() {
    for class in [
        "BertJapaneseTokenizer",
        "BertweetTokenizer",
        "PhobertTokenizer",
        "TapasTokenizer",
    ] {
        let keys = json!({"tokenizer_class": class});
        let settings = Settings::new(keys.as_object().unwrap().clone());
        let refused = Tokenizer::parse("{}", &settings).unwrap_err();
        assert!(
            refused.contains(class) && refused.contains("tokenizer_class"),
            "{refused}"
        );
    }
}

#[test]
fn lengths_sides_and_segments_are_as_the_settings_say() {
    let words: Map<String, Value> = ["[UNK]", "a", "b", "c", "d"]
        .into_iter()
        .zip((0..).map(Value::from))
        .map(|(token, id)| (token.to_owned(), id))
        .collect();
    let json = json!({
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {}
        },
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"}
    });
    for (settings, text, types) in [
        (json!({}), vec![1, 2, 3, 4], [0, 1]),
        (json!({"model_max_length": 1e30}), vec![1, 2, 3, 4], [0, 1]),
        (json!({"model_max_length": 3}), vec![1, 2, 3], [0, 1]),
        (
            json!({"model_max_length": 3, "truncation_side": "left"}),
            vec![2, 3, 4],
            [0, 1],
        ),
        (
            json!({"model_input_names": ["input_ids"]}),
            vec![1, 2, 3, 4],
            [0, 0],
        ),
        (
            json!({"model_input_names": ["input_ids", "token_type_ids"]}),
            vec![1, 2, 3, 4],
            [0, 1],
        ),
    ] {
        let read = Settings::new(settings.as_object().unwrap().clone());
        let tokenizer = Tokenizer::parse(&json.to_string(), &read).unwrap();
        let found = tokenizer.encode("a b c d", 8, Truncation::Cut).unwrap();
        let ids: Vec<u32> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(
            (ids, found.dropped),
            (text.clone(), 4 - text.len()),
            "{settings}"
        );
        let pair = tokenizer
            .encode_pair(["a", "b"], 8, Truncation::Cut)
            .unwrap();
        assert_eq!(pair.types, types, "{settings}");
    }
}

/// Dropout is for training: the same text has the same tokens in every run.
#[test]
fn dropout_is_off() {
    let json = json!({"model": {
        "type": "BPE", "dropout": 0.99, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]
    }});
    let tokenizer = Tokenizer::from_json(&json.to_string()).unwrap();
    for _ in 0..20 {
        let found = tokenizer.encode("abab", 8, Truncation::Refuse).unwrap();
        assert_eq!(found.tokens.len(), 2);
    }
}
