//! Files that are missing, and configurations and tokenizers that cannot be used.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_testing::Architecture;
use relprop_transformer::{InputConfig, TransformerConfig};
use rstest::rstest;

use super::Saved;

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere");
    let shown = path.display();
    assert_eq!(
        Model::load(&path, &Device::flex()).unwrap_err().to_string(),
        format!("there is no model folder {shown}")
    );
}

#[rstest]
#[case("config.json", "it says which parts the model is made of")]
#[case(
    "tokenizer.json",
    "it says how text becomes tokens; in Python, \
     AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it"
)]
#[case("model.safetensors", "it holds the weights")]
fn a_missing_file_is_named_with_its_purpose(#[case] file: &str, #[case] purpose: &str) {
    let saved = Saved::bert();
    let path = saved.path(file);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        saved.refusal(),
        format!("the model folder has no {file}: {path} is missing ({purpose})")
    );
}

/// The value of a key of a BERT's `config.json`, its replacement, and what a user is told.
#[rstest]
#[case(
    "\"model_type\": \"bert\"",
    "\"model_type\": \"xlnet\"",
    "models of type `xlnet` are not supported; the supported types are `bert`, `roberta`, `xlm-roberta`, \
     `camembert`, `distilbert`"
)]
#[case(
    "\"model_type\": \"bert\"",
    "\"model_type\": \"longformer\"",
    "models of type `longformer` are not supported: its tokens look at a window and at some tokens that are picked out"
)]
#[case(
    "\"hidden_act\": \"gelu\"",
    "\"hidden_act\": \"mish\"",
    "`hidden_act` is \"mish\"; supported are `gelu`, `gelu_python`, `gelu_new`, \
     `gelu_pytorch_tanh`, `gelu_python_tanh`, `gelu_fast`, `relu`, `silu`, `swish`, `quick_gelu`, `tanh`"
)]
#[case(
    "\"BertForSequenceClassification\"",
    "\"BertForMultipleChoice\"",
    "`architectures` is [BertForMultipleChoice]; of the type `bert`, only \
     BertForSequenceClassification, BertForTokenClassification, BertForQuestionAnswering, \
     BertForMaskedLM, BertForPreTraining and BertModel are supported"
)]
#[case(
    "\"vocab_size\":",
    "\"position_embedding_type\": \"relative_key\", \"vocab_size\":",
    "`position_embedding_type` is \"relative_key\"; only \"absolute\" is supported"
)]
#[case(
    "\"vocab_size\":",
    "\"is_decoder\": true, \"vocab_size\":",
    "`is_decoder` is true; only false is supported"
)]
#[case(
    "\"vocab_size\":",
    "\"quantization_config\": {\"bits\": 8}, \"vocab_size\":",
    "`quantization_config` says that the weights are quantized in a way of its own, which relprop does \
     not read; give the model that they were made from"
)]
#[case(
    "\"num_hidden_layers\": 2",
    "\"num_hidden_layers\": -2",
    "`num_hidden_layers` is -2; it must be a whole number"
)]
#[case(
    "\"num_hidden_layers\": 2",
    "\"num_hidden_layers\": 18446744073709551615",
    "the model's `blocks` is 18446744073709551615: it must be at most 1000"
)]
#[case(
    "\"layer_norm_eps\": 1e-12",
    "\"layer_norm_eps\": \"small\"",
    "`layer_norm_eps` is \"small\"; it must be a number"
)]
#[case(
    "\"1\": \"neutral\"",
    "\"7\": \"neutral\"",
    "`id2label` is {\"0\":\"negative\",\"7\":\"neutral\",\"2\":\"positive\"}; it must be a label for \
     each of the ids 0, 1, 2, ..."
)]
#[case(
    "\"num_attention_heads\": 4",
    "\"num_attention_heads\": 5",
    "the model's `heads` is 5: it must be a divisor of the width"
)]
fn a_config_that_cannot_be_used_is_named_with_the_key(
    #[case] old: &str,
    #[case] new: &str,
    #[case] reason: &str,
) {
    let saved = Saved::bert();
    saved.edit("config.json", old, new);
    let message = saved.refusal();
    let expected = format!("{}: {reason}", saved.path("config.json"));
    assert!(message.starts_with(&expected), "{message}");
}

#[rstest]
#[case("\"blocks\":", "\"block\":", "`transformer` has unknown field `block`")]
#[case(
    "\"dropout\": 0.1",
    "\"dropout\": 1.5",
    "the model's `dropout` is 1.5: it must be in [0, 1)"
)]
#[case("\"transformer\":", "\"model\":", "it has no `transformer`")]
fn a_config_of_our_own_that_cannot_be_used_is_named_with_the_key(
    #[case] old: &str,
    #[case] new: &str,
    #[case] reason: &str,
) {
    let saved = Saved::new(&Architecture::AttentionOnly.config());
    saved.edit("config.json", old, new);
    let message = saved.refusal();
    let expected = format!("{}: {reason}", saved.path("config.json"));
    assert!(message.starts_with(&expected), "{message}");
}

#[rstest]
#[case("config.json", "{\"model_type\": \"bert\",", "line 1 column 22")]
#[case("config.json", "", "line 1 column 0")]
#[case("tokenizer.json", "{\"version\": ", "line 1 column 12")]
#[case("tokenizer.json", "{}", "")]
fn invalid_json_is_named_with_its_file_and_place(
    #[case] file: &str,
    #[case] text: &str,
    #[case] place: &str,
) {
    let saved = Saved::bert();
    fs::write(saved.path(file), text).unwrap();
    let message = saved.refusal();
    assert!(
        message.starts_with(&format!("{}: ", saved.path(file))),
        "{message}"
    );
    assert!(message.contains(place), "{message}");
}

#[test]
fn a_tokenizer_with_more_tokens_than_the_model_is_refused() {
    let config = Architecture::PostNorm.config();
    let tokens = config.vocabulary();
    let saved = Saved::new(&TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: tokens - 1,
        },
        ..config.clone()
    });
    assert_eq!(
        saved.refusal(),
        format!(
            "{}: the tokenizer has {tokens} tokens, but the model's vocabulary has only {}; the \
             two do not belong together",
            saved.path("tokenizer.json"),
            tokens - 1
        )
    );
    // A model with room for more, as checkpoints padded for speed have it, is fine.
    let saved = Saved::new(&TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: tokens + 7,
        },
        ..config
    });
    assert!(saved.load().is_ok());
}

#[test]
fn a_file_in_the_place_of_a_folder_is_no_model_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    fs::write(&file, "").unwrap();
    let message = Model::load(Path::new(&file), &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("there is no model folder "),
        "{message}"
    );
}

/// Few tokens, but one of them has an id for which the model has no embedding.
#[test]
fn a_tokenizer_whose_ids_go_beyond_the_model_is_refused() {
    let saved = Saved::bert();
    let file = saved.path("tokenizer.json");
    let mut json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let vocabulary = json["model"]["vocab"].as_object_mut().unwrap();
    *vocabulary.values_mut().last().unwrap() = 9999.into();
    fs::write(&file, json.to_string()).unwrap();
    let message = saved.refusal();
    assert!(message.contains("10000"), "{message}");
    assert!(message.contains("do not belong together"), "{message}");
}
