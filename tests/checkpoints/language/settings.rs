//! Older configurations and names of tensors, and what is not supported.

use std::fs;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_testing::fixtures::folder;
use relprop_testing::parameters;
use rstest::rstest;
use safetensors::SafeTensors;
use serde_json::Value;

use super::load;

/// A folder of the family whose configuration was changed.
fn changed(family: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let temporary = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(folder(family).join(file), temporary.path().join(file)).unwrap();
    }
    let file = temporary.path().join("config.json");
    let mut config = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut config);
    fs::write(&file, config.to_string()).unwrap();
    temporary
}

/// Before transformers 5, theta and the scaling had keys of their own.
#[test]
fn older_files_say_the_same_of_rotary_positions() {
    let (model, _) = load("llama-3");
    let older = changed("llama-3", |config| {
        let rope = config.as_object_mut().unwrap().remove("rope_parameters");
        let mut rope = rope.unwrap();
        config["rope_theta"] = rope.as_object_mut().unwrap().remove("rope_theta").unwrap();
        config["rope_scaling"] = rope;
    });
    let older = Model::load(older.path(), &Device::flex()).unwrap();
    assert_eq!(older.transformer.config(), model.transformer.config());
}

/// The files of GPT-2 itself leave the base out of its names, and hold causal masks.
#[test]
fn names_may_go_without_their_base() {
    let (model, _) = load("gpt2");
    let temporary = changed("gpt2", |_| {});
    let bytes = fs::read(folder("gpt2").join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mask = safetensors::tensor::TensorView::new(safetensors::Dtype::U8, vec![2], &[0, 1]);
    let names = tensors.names().into_iter();
    let bare = names.map(|name| {
        let bare = name.strip_prefix("transformer.").unwrap().to_owned();
        (bare, tensors.tensor(name).unwrap())
    });
    let tensors = bare.chain([("h.1.attn.bias".to_owned(), mask.unwrap())]);
    let file = temporary.path().join("model.safetensors");
    safetensors::serialize_to_file(tensors, None, &file).unwrap();
    let bare = Model::load(temporary.path(), &Device::flex()).unwrap();
    assert_eq!(
        parameters(&bare.transformer),
        parameters(&model.transformer)
    );
}

/// What is not supported is named before a weight is read.
#[rstest]
#[case("llama", |c: &mut Value| c["rope_parameters"]["rope_type"] = "mrope".into(), &["rope_parameters", "mrope", "llama3"])]
#[case("llama-3", |c: &mut Value| c["rope_parameters"]["beta"] = 1.into(), &["rope_parameters", "beta"])]
#[case("llama-3", |c: &mut Value| c["rope_parameters"]["factor"] = "8".into(), &["rope_parameters", "number"])]
#[case("qwen2", |c: &mut Value| c["use_sliding_window"] = true.into(), &["use_sliding_window", "false"])]
#[case("qwen3", |c: &mut Value| c["layer_types"][1] = "sliding_attention".into(), &["layer_types", "sliding_attention"])]
#[case("gemma", |c: &mut Value| c["model_type"] = "gemma9".into(), &["gemma9", "`gemma`"])]
#[case("gemma", |c: &mut Value| c["hidden_act"] = "relu".into(), &["hidden_act", "gelu_pytorch_tanh"])]
#[case("gemma", |c: &mut Value| c["use_bidirectional_attention"] = true.into(), &["use_bidirectional_attention"])]
#[case("gpt2", |c: &mut Value| c["scale_attn_by_inverse_layer_idx"] = true.into(), &["scale_attn_by_inverse_layer_idx"])]
#[case("gpt2", |c: &mut Value| c["architectures"][0] = "GPT2DoubleHeadsModel".into(), &["GPT2LMHeadModel", "GPT2ForSequenceClassification"])]
#[case("mistral", |c: &mut Value| c["sliding_window"] = 0.into(), &["attention.window", "at least 1"])]
#[case("llama", |c: &mut Value| c["num_key_value_heads"] = 3.into(), &["attention.key_heads", "divisor"])]
#[case("llama", |c: &mut Value| c["head_dim"] = 3.into(), &["attention.head_width", "even"])]
fn what_is_not_supported_is_refused_by_name(
    #[case] family: &str,
    #[case] change: fn(&mut Value),
    #[case] named: &[&str],
) {
    let folder = changed(family, change);
    fs::write(folder.path().join("model.safetensors"), "no weights").unwrap();
    let message = Model::load(folder.path(), &Device::flex())
        .unwrap_err()
        .to_string();
    for name in named {
        assert!(message.contains(name), "{message}");
    }
}
