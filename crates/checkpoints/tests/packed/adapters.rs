//! LoRA adapters against the models that they make, merged here by the formula.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Tensors, assert_close, config, load, logits, model, safetensors, tensors, text};

/// Numbers that are drawn by no one.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let number = |at: usize| ((at * 37 + seed * 11) % 23) as f32 / 23.0 - 0.5;
    (0..count).map(number).collect()
}

fn plain() -> Value {
    json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "base", "bias": "none",
        "r": 2, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj", "c_attn", "query"],
        "use_rslora": false, "use_dora": false, "rank_pattern": {}, "alpha_pattern": {},
        "fan_in_fan_out": false, "modules_to_save": null, "loftq_config": {}, "init_lora_weights": true
    })
}

fn with(changes: Value) -> Value {
    let mut keys = plain();
    let changes = changes.as_object().unwrap().clone();
    keys.as_object_mut().unwrap().extend(changes);
    keys
}

/// An adapter and the base's tensors with it merged: each module with its rank and the factor before the product.
fn merged(name: &str, modules: &[(&str, usize, f32)], conv: bool) -> (Tensors, Tensors) {
    let (mut adapter, mut all) = (Tensors::new(), tensors(name));
    for (seed, (module, rank, scale)) in modules.iter().enumerate() {
        let (shape, weight) = all.get_mut(&format!("{module}.weight")).unwrap();
        let [inputs, outputs] = match conv {
            true => [shape[0], shape[1]],
            false => [shape[1], shape[0]],
        };
        let a = numbers(rank * inputs, seed);
        let b = numbers(outputs * rank, seed + 5);
        for output in 0..outputs {
            for input in 0..inputs {
                let sum = (0..*rank).map(|k| b[output * rank + k] * a[k * inputs + input]);
                let at = match conv {
                    true => input * outputs + output,
                    false => output * inputs + input,
                };
                weight[at] += scale * sum.sum::<f32>();
            }
        }
        let part = |part: &str| format!("base_model.model.{module}.lora_{part}.weight");
        adapter.insert(part("A"), (vec![*rank, inputs], a));
        adapter.insert(part("B"), (vec![outputs, *rank], b));
    }
    (adapter, all)
}

fn files(name: &str, keys: &Value, base: &Value, adapter: &Tensors) -> Vec<(String, Vec<u8>)> {
    let mut files = model("base/", name, base, &tensors(name));
    files.push(("adapter_config.json".to_owned(), keys.to_string().into()));
    files.push(("adapter_model.safetensors".to_owned(), safetensors(adapter)));
    files
}

const QUERY: &str = "model.layers.0.self_attn.q_proj";
const DOWN: &str = "model.layers.1.mlp.down_proj";

#[rstest]
#[case::plain("llama", json!({}), &[(QUERY, 2, 4.0), (DOWN, 2, 4.0)])]
#[case::rooted("llama", json!({"use_rslora": true}), &[(QUERY, 2, 8.0 / 2_f32.sqrt()), (DOWN, 2, 8.0 / 2_f32.sqrt())])]
#[case::ranks("llama", json!({"rank_pattern": {"q_proj": 4}}), &[(QUERY, 4, 2.0), (DOWN, 2, 4.0)])]
#[case::alphas("llama", json!({"alpha_pattern": {"layers.1.mlp.down_proj": 3}}), &[(QUERY, 2, 4.0), (DOWN, 2, 1.5)])]
#[case::no_list("llama", json!({"target_modules": "all-linear"}), &[(QUERY, 2, 4.0)])]
#[case::turned("gpt2", json!({"fan_in_fan_out": true}), &[("transformer.h.0.attn.c_attn", 2, 4.0)])]
#[case::not_said("gpt2", json!({}), &[("transformer.h.1.attn.c_attn", 2, 4.0)])]
#[case::encoder("bert", json!({"task_type": "SEQ_CLS"}), &[("bert.encoder.layer.1.attention.self.query", 2, 4.0)])]
fn an_adapter_is_merged_by_the_formula(
    #[case] name: &str,
    #[case] changes: Value,
    #[case] modules: &[(&str, usize, f32)],
) {
    let (adapter, expected) = merged(name, modules, name == "gpt2");
    let expected = load(model("", name, &config(name), &expected)).unwrap();
    let found = load(files(name, &with(changes), &config(name), &adapter)).unwrap();
    let text = text(&expected);
    assert_close(&logits(&found, &text), &logits(&expected, &text));
    let base = load(model("", name, &config(name), &tensors(name))).unwrap();
    assert_ne!(found.sha256, base.sha256);
    assert_ne!(logits(&base, &text), logits(&expected, &text));
}

/// The head of a classifier comes with the adapter, and the base is another kind of model.
#[test]
fn a_head_that_was_saved_is_the_models() {
    let mut base = config("bert");
    base["architectures"] = json!(["BertForMaskedLM"]);
    base.as_object_mut().unwrap().remove("id2label");
    let mut adapter = Tensors::new();
    let name = |end: &str| format!("base_model.model.classifier.{end}");
    adapter.insert(name("weight"), (vec![4, 16], numbers(64, 3)));
    adapter.insert(name("bias"), (vec![4], numbers(4, 4)));
    let keys = with(json!({"task_type": "SEQ_CLS", "modules_to_save": ["classifier", "score"]}));
    let found = load(files("bert", &keys, &base, &adapter)).unwrap();
    assert_eq!(
        found.family.architecture,
        Some("BertForSequenceClassification")
    );
    assert_eq!(found.transformer.config().labels.len(), 4);
    let mut expected = tensors("bert");
    expected.insert(
        "classifier.weight".to_owned(),
        (vec![4, 16], numbers(64, 3)),
    );
    expected.insert("classifier.bias".to_owned(), (vec![4], numbers(4, 4)));
    let mut keys = config("bert");
    keys["id2label"] = json!({"0": "a", "1": "b", "2": "c", "3": "d"});
    keys["label2id"] = json!({"a": 0, "b": 1, "c": 2, "d": 3});
    let expected = load(model("", "bert", &keys, &expected)).unwrap();
    let text = text(&expected);
    assert_close(&logits(&found, &text), &logits(&expected, &text));
}

#[rstest]
#[case(json!({"use_dora": true}), "`use_dora` is true, which relprop does not compute")]
#[case(json!({"bias": "all"}), "`bias` is \"all\"")]
#[case(json!({"peft_type": "IA3"}), "`peft_type` is \"IA3\"; of PEFT's adapters, relprop reads LORA alone")]
#[case(json!({"init_lora_weights": "pissa"}), "`init_lora_weights` is \"pissa\"")]
#[case(json!({"layer_replication": [[0, 2]]}), "`layer_replication` is [[0,2]]")]
#[case(json!({"trainable_token_indices": [1]}), "`trainable_token_indices` is [1]")]
#[case(json!({"some_new_thing": 3}), "`some_new_thing` is 3")]
#[case(json!({"r": 3}), "model.layers.0.self_attn.q_proj has the rank 2, and the file says 3")]
#[case(json!({"rank_pattern": {"q_(proj)": 3}}), "`rank_pattern` has the pattern `q_(proj)`")]
#[case(json!({"target_modules": ["k_proj"]}), "`target_modules` has no model.layers.0.self_attn.q_proj")]
#[case(json!({"base_model_name_or_path": "meta/llama"}), "it changes the model `meta/llama`, and there is no such folder")]
#[case(json!({"task_type": "TOKEN_CLS"}), "score.weight is missing")]
fn what_is_not_computed_is_refused(#[case] changes: Value, #[case] expected: &str) {
    let (adapter, _) = merged("llama", &[(QUERY, 2, 4.0)], false);
    let found = load(files("llama", &with(changes), &config("llama"), &adapter));
    let message = found.unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case(
    "base_model.model.model.layers.7.self_attn.q_proj",
    "model.layers.7.self_attn.q_proj.weight is changed by the adapter"
)]
#[case(
    "base_model.model.model.layers.0.mlp.down_proj",
    "the adapter's parts have the shapes"
)]
fn what_fits_nothing_is_refused(#[case] module: &str, #[case] expected: &str) {
    let mut adapter = Tensors::new();
    adapter.insert(
        format!("{module}.lora_A.weight"),
        (vec![2, 16], numbers(32, 1)),
    );
    adapter.insert(
        format!("{module}.lora_B.weight"),
        (vec![16, 2], numbers(32, 2)),
    );
    let message = load(files("llama", &plain(), &config("llama"), &adapter)).unwrap_err();
    assert!(message.contains(expected), "{message}");
}
