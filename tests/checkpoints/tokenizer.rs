//! Text to tokens: the tokenizers that a folder may bring, and pairs.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::{Model, TextError, Truncation};
use relprop_testing::fixtures::folder as fixture;
use relprop_transformer::{Content, TokenizedText};
use serde_json::{Value, json};
use tempfile::TempDir;

fn load(folder: &Path) -> Result<Model, String> {
    Model::load(folder, &Device::flex()).map_err(|error| error.to_string())
}

/// The BERT of the fixtures, with only a `vocab.txt` to say how text becomes tokens.
fn old_folder(settings: Option<Value>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture("bert").join(file), folder.path().join(file)).unwrap();
    }
    let text = fs::read_to_string(fixture("bert").join("tokenizer.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let vocabulary = json["model"]["vocab"].as_object().unwrap();
    let mut tokens: Vec<_> = vocabulary
        .iter()
        .map(|(token, id)| (id.as_u64(), token))
        .collect();
    tokens.sort();
    let lines: String = tokens
        .into_iter()
        .map(|(_, token)| format!("{token}\n"))
        .collect();
    fs::write(folder.path().join("vocab.txt"), lines).unwrap();
    if let Some(settings) = settings {
        let file = folder.path().join("tokenizer_config.json");
        fs::write(file, settings.to_string()).unwrap();
    }
    folder
}

fn tokens(text: &TokenizedText) -> Vec<&str> {
    text.tokens
        .iter()
        .map(|token| token.text.as_str())
        .collect()
}

#[test]
fn a_vocabulary_alone_gives_the_tokens_of_transformers() {
    let text = fs::read_to_string(fixture("bert").join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let whole = load(&fixture("bert")).unwrap();
    for settings in [
        None,
        Some(json!({"do_lower_case": true, "unk_token": {"content": "[UNK]"}})),
    ] {
        let folder = old_folder(settings);
        let old = load(folder.path()).unwrap();
        for text in reference["texts"].as_array().unwrap() {
            let second = text["pair"].as_str();
            let encode = |model: &Model| {
                model
                    .tokenize(text["text"].as_str().unwrap(), second, Truncation::Cut)
                    .unwrap()
            };
            let found = encode(&old);
            assert_eq!(found, encode(&whole));
            let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
            assert_eq!(json!(ids), text["ids"]);
        }
        // Special tokens in a text are taken for themselves, as transformers does.
        let found = old
            .tokenize("good [MASK] film", None, Truncation::Cut)
            .unwrap();
        assert_eq!(tokens(&found), ["[CLS]", "good", "[MASK]", "film", "[SEP]"]);
    }
}

#[test]
fn the_settings_beside_a_vocabulary_count() {
    let folder = old_folder(Some(json!({"do_lower_case": false})));
    let model = load(folder.path()).unwrap();
    let found = model
        .tokenize("good Film café", None, Truncation::Cut)
        .unwrap();
    assert_eq!(tokens(&found), ["[CLS]", "good", "[UNK]", "[UNK]", "[SEP]"]);
}

#[test]
fn a_vocabulary_without_its_special_tokens_is_refused() {
    let folder = old_folder(Some(json!({"cls_token": "<s>"})));
    let file = folder.path().join("vocab.txt");
    assert_eq!(
        load(folder.path()).unwrap_err(),
        format!("{}: the vocabulary has no <s>", file.display())
    );
}

#[test]
fn a_pair_is_one_text_of_two_lines() {
    let model = load(&fixture("bert")).unwrap();
    let pair = model
        .tokenize("Good", Some("good  film"), Truncation::Cut)
        .unwrap();
    assert_eq!(
        tokens(&pair),
        ["[CLS]", "good", "[SEP]", "good", "film", "[SEP]"]
    );
    assert_eq!(
        (pair.text.as_str(), &pair.content),
        ("Good\ngood  film", &Content::Text { second: Some(5) })
    );
    assert_eq!(pair.types, [0, 0, 0, 1, 1, 1]);
    let places: Vec<_> = pair
        .tokens
        .iter()
        .map(|token| (token.start, token.end))
        .collect();
    assert_eq!(places[1..5], [(0, 4), (0, 0), (5, 9), (11, 15)]);
    // The first word of the second text is a word of its own.
    let words: Vec<_> = pair.tokens.iter().map(|token| token.word).collect();
    assert_eq!(words, [None, Some(0), None, Some(1), Some(2), None]);
}

#[test]
fn a_pair_that_is_too_long_is_cut_where_it_is_longer_or_refused() {
    let model = load(&fixture("bert")).unwrap();
    let long = "film ".repeat(30);
    let cut = model
        .tokenize("good", Some(&long), Truncation::Cut)
        .unwrap();
    // [CLS] good [SEP] and [SEP] leave twenty of twenty-four.
    assert_eq!((cut.tokens.len(), cut.dropped), (24, 10));
    assert_eq!(tokens(&cut)[1..4], ["good", "[SEP]", "film"]);
    let refused = model
        .tokenize("good", Some(&long), Truncation::Refuse)
        .unwrap_err();
    assert!(
        matches!(
            refused,
            TextError::TooLong {
                tokens: 34,
                positions: 24
            }
        ),
        "{refused}"
    );
}

#[test]
fn an_empty_half_of_a_pair_is_refused() {
    let model = load(&fixture("bert")).unwrap();
    for (first, second) in [("", "film"), ("film", " \t")] {
        let refused = model
            .tokenize(first, Some(second), Truncation::Cut)
            .unwrap_err();
        assert!(matches!(refused, TextError::Empty), "{refused}");
    }
}

/// A BERT that knows one kind of segment, with a tokenizer that makes two. Its folder says that the model takes no
/// segments (`model_input_names`), and then a pair has none; without that, it is refused.
#[test]
fn a_model_of_one_segment_reads_a_pair_whatever_its_tokenizer_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = load(&fixture("roberta")).unwrap();
    model.input = load(&fixture("bert")).unwrap().input;
    model.save(folder.path()).unwrap();
    let read = || {
        let model = load(folder.path()).unwrap();
        let pair = model.tokenize("good", Some("film"), Truncation::Cut);
        pair.unwrap()
    };
    let pair = read();
    assert!(pair.types.iter().all(|segment| *segment == 0));
    // Without its settings, the tokenizer numbers two.
    fs::remove_file(folder.path().join("tokenizer_config.json")).unwrap();
    assert_eq!(read(), pair);
}

/// The library that reads the file would panic at the first text.
#[test]
fn a_template_with_an_undefined_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture("bert").join(file), folder.path().join(file)).unwrap();
    }
    let text = fs::read_to_string(fixture("bert").join("tokenizer.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["post_processor"]["special_tokens"]
        .as_object_mut()
        .unwrap()
        .remove("[SEP]");
    let file = folder.path().join("tokenizer.json");
    fs::write(&file, json.to_string()).unwrap();
    assert_eq!(
        load(folder.path()).unwrap_err(),
        format!(
            "{}: `post_processor` has no special token `[SEP]`",
            file.display()
        )
    );
}
