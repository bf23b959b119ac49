//! A small model of each family is written under the family's names and opened again, and maps that are one
//! tensor stand in it as the family has them.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::families::relprop::RELPROP;
use relprop_checkpoints::{Family, Model, Tokenizer};
use relprop_rules::Pass;
use relprop_transformer::{Batch, PaddingSide, Transformer, TransformerConfig};
use rstest::rstest;
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// A model of the type with these sizes, of weights drawn at random.
fn small(model_type: &str, keys: &Value) -> Model {
    let mut json = json!({"model_type": model_type, "vocab_size": 4, "pad_token_id": 0});
    let names: &[(&str, usize)] = match model_type {
        "gptj" => &[
            ("n_embd", 8),
            ("n_layer", 2),
            ("n_head", 2),
            ("rotary_dim", 2),
        ],
        "bloom" => &[("hidden_size", 8), ("n_layer", 2), ("n_head", 2)],
        "gpt_neo" => &[("hidden_size", 8), ("num_layers", 2), ("num_heads", 2)],
        _ => &[
            ("hidden_size", 8),
            ("num_hidden_layers", 2),
            ("num_attention_heads", 2),
        ],
    };
    for (name, size) in names {
        json[*name] = json!(size);
    }
    for (name, value) in keys.as_object().unwrap() {
        json[name] = value.clone();
    }
    let (family, config) = Family::read_config(&json.to_string()).unwrap();
    let config = TransformerConfig {
        positions: 16,
        initializer_range: 0.5,
        ..config
    };
    let device = Device::flex();
    device.seed(3);
    let tokenizer = Tokenizer::from_vocabulary(b"[UNK]\n[CLS]\n[SEP]\ngood", &Default::default());
    let transformer = Transformer::new(&config, &device).unwrap();
    let mut model = Model::new(transformer, tokenizer.unwrap());
    model.family = family;
    model
}

fn logits(model: &Model) -> Vec<f32> {
    let text = model
        .tokenize("good good", None, Default::default())
        .unwrap();
    let batch = Batch::new([&text], 0, PaddingSide::Right, &Device::flex());
    let logits: Tensor<2> = model.transformer.forward(&batch, &mut Pass::plain());
    logits.into_data_as::<f32>().try_into_vec().unwrap()
}

#[rstest]
#[case("albert", json!({"intermediate_size": 6, "embedding_size": 4}))]
#[case("mpnet", json!({"intermediate_size": 6, "relative_attention_num_buckets": 8}))]
#[case("deberta-v2", json!({"intermediate_size": 6, "relative_attention": true, "share_att_key": true,
    "pos_att_type": "p2c|c2p", "position_biased_input": false, "position_buckets": 4,
    "norm_rel_ebd": "layer_norm"}))]
#[case("opt", json!({"ffn_dim": 6}))]
#[case("gpt_neo", json!({"attention_types": [[["global", "local"], 1]], "window_size": 2}))]
#[case("gpt_neox", json!({"intermediate_size": 6, "rotary_pct": 0.5}))]
#[case("gptj", json!({}))]
#[case("bloom", json!({}))]
#[case("falcon", json!({}))]
#[case("falcon", json!({"multi_query": false, "parallel_attn": false, "bias": true}))]
#[case("phi", json!({"intermediate_size": 6}))]
#[case("phi3", json!({"intermediate_size": 6, "num_key_value_heads": 1}))]
#[case("starcoder2", json!({"intermediate_size": 6, "num_key_value_heads": 1}))]
#[case("stablelm", json!({"intermediate_size": 6, "num_key_value_heads": 1,
    "partial_rotary_factor": 0.5}))]
#[case("granite", json!({"intermediate_size": 6, "logits_scaling": 3.0}))]
#[case("smollm3", json!({"intermediate_size": 6, "num_key_value_heads": 1}))]
#[case("olmo2", json!({"intermediate_size": 6, "num_key_value_heads": 1}))]
#[case("gemma2", json!({"intermediate_size": 6, "num_key_value_heads": 1, "head_dim": 4}))]
#[case("gemma3_text", json!({"intermediate_size": 6, "num_key_value_heads": 1, "head_dim": 4}))]
fn a_model_that_is_written_opens_as_the_same(#[case] model_type: &str, #[case] keys: Value) {
    let model = small(model_type, &keys);
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path()).unwrap();
    let opened = Model::load(folder.path(), &Device::flex()).unwrap();
    assert_eq!(opened.family.name, model_type);
    assert_eq!(
        opened.transformer.config().attention,
        model.transformer.config().attention
    );
    assert_eq!(logits(&opened), logits(&model));
    assert!(logits(&model).iter().all(|logit| logit.is_finite()));
}

/// The numbers of a tensor that the model is written with under `family`.
fn written(model: &mut Model, family: &'static Family, tensor: &str) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    model.family = family;
    model.save(folder.path()).unwrap();
    read(folder.path(), tensor)
}

fn read(folder: &Path, tensor: &str) -> Vec<f32> {
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let data = file.tensor(tensor).unwrap().data();
    let numbers = data
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    numbers.collect()
}

/// Queries, keys and values of head 0, then those of head 1; or all queries, all keys and all values.
#[rstest]
#[case("gpt_neox", json!({"intermediate_size": 6, "rotary_pct": 0.5}),
    "gpt_neox.layers.1.attention.query_key_value", true)]
#[case("bloom", json!({}), "transformer.h.1.self_attention.query_key_value", true)]
#[case("phi3", json!({"intermediate_size": 6}), "model.layers.1.self_attn.qkv_proj", false)]
fn fused_maps_take_turns_head_by_head(
    #[case] model_type: &str,
    #[case] keys: Value,
    #[case] fused: &str,
    #[case] by_head: bool,
) {
    let mut model = small(model_type, &keys);
    let family = model.family;
    let parts = ["query", "key", "value"].map(|part| {
        let name = format!("encoder.1.attention.{part}.weight");
        written(&mut model, &RELPROP, &name)
    });
    // A head has four of the eight outputs, and each output eight numbers.
    let head = |part: &[f32], head: usize| part[head * 32..(head + 1) * 32].to_vec();
    let expected = match by_head {
        true => [0, 1]
            .map(|index| parts.clone().map(|part| head(&part, index)).concat())
            .concat(),
        false => parts.concat(),
    };
    assert_eq!(
        written(&mut model, family, &format!("{fused}.weight")),
        expected
    );
}

/// The gate stands before what it gates, in one tensor.
#[test]
fn parts_of_a_tensor_stand_in_the_order_of_the_family() {
    let mut model = small("phi3", &json!({"intermediate_size": 6}));
    let family = model.family;
    let parts = ["gate", "up"].map(|part| {
        let name = format!("encoder.0.feed_forward.{part}.weight");
        written(&mut model, &RELPROP, &name)
    });
    let fused = written(&mut model, family, "model.layers.0.mlp.gate_up_proj.weight");
    assert_eq!(fused, parts.concat());
}
