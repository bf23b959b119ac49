//! Configurations are read as transformers reads them: what it ignores is let through, what is left out
//! or null has its default, and what changes numbers and is not supported is refused by name.

mod language;

use std::fs;
use std::path::Path;

use relprop_checkpoints::Family;
use relprop_transformer::{Probabilities, TransformerConfig};
use rstest::rstest;
use serde_json::{Value, json};

const FAMILIES: [&str; 15] = [
    "bert",
    "roberta",
    "xlm-roberta",
    "distilbert",
    "electra",
    "gpt2",
    "llama",
    "llama-3",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "vit",
    "deit",
    "deit-alone",
];

/// The `config.json` of a small model that transformers saved.
fn fixture(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let text = fs::read_to_string(root.join(name).join("config.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn read(config: &Value) -> Result<TransformerConfig, String> {
    let read = Family::read_config(&config.to_string());
    read.map(|(_, config)| config)
        .map_err(|error| error.to_string())
}

/// Keys of public checkpoints that the code of no model in transformers 5.24 reads, and keys that it
/// reads in training and generation alone.
#[rstest]
fn keys_that_transformers_ignores_change_nothing(
    #[values(
        ("_attn_implementation_autoset", json!(true)),
        ("_commit_hash", json!("a1b2")),
        ("_flash_attn_2_enabled", json!(true)),
        ("_num_labels", json!(5)),
        ("adapters", json!({"adapters": {}})),
        ("bad_words_ids", json!([[1]])),
        ("directionality", json!("bidi")),
        ("do_sample", json!(true)),
        ("emb_size", json!(312)),
        ("eos_token_ids", json!(0)),
        ("forced_bos_token_id", json!(3)),
        ("is_llama_config", json!(true)),
        ("length_penalty", json!(2.0)),
        ("max_length", json!(20)),
        ("max_sequence_length", json!(2048)),
        ("model_max_length", json!(99)),
        ("n_ctx", json!(1024)),
        ("no_repeat_ngram_size", json!(3)),
        ("num_beams", json!(4)),
        ("padding", json!("max_length")),
        ("pooler_type", json!("first_token_transform")),
        ("repetition_penalty", json!(1.1)),
        ("rope_interleaved", json!(false)),
        ("sentence_transformers", json!({"version": "4.1.0"})),
        ("temperature", json!(0.7)),
        ("tokenizer_class", json!("BertTokenizer")),
        ("top_k", json!(50)),
        ("torch_dtype", json!("float16")),
        ("transformers.js_config", json!({"dtype": "q8"})),
        ("unsloth_version", json!("2024.9")),
        ("use_mrope", json!(false))
    )]
    (key, value): (&str, Value),
) {
    for family in FAMILIES {
        let mut config = fixture(family);
        let before = read(&config).unwrap();
        config[key] = value.clone();
        assert_eq!(read(&config), Ok(before), "{family}");
    }
}

/// How the probabilities of labels follow from logits, and nothing else.
#[rstest]
#[case(json!({}), Probabilities::Softmax)]
#[case(json!({"problem_type": null}), Probabilities::Softmax)]
#[case(json!({"problem_type": "single_label_classification"}), Probabilities::Softmax)]
#[case(json!({"problem_type": "multi_label_classification"}), Probabilities::Sigmoid)]
#[case(json!({"problem_type": "regression"}), Probabilities::None)]
#[case(json!({"num_labels": 1}), Probabilities::Sigmoid)]
#[case(json!({"num_labels": 1, "problem_type": "regression"}), Probabilities::None)]
#[case(json!({"id2label": {"0": "a"}, "label2id": {"a": 0}}), Probabilities::Sigmoid)]
#[case(
    json!({"num_labels": 1, "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}),
    Probabilities::None
)]
#[case(
    json!({"num_labels": 1, "sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}}),
    Probabilities::Sigmoid
)]
#[case(json!({"sentence_transformers": {"version": "4.1.0"}}), Probabilities::Softmax)]
fn probabilities_follow_as_the_file_says(#[case] keys: Value, #[case] expected: Probabilities) {
    for family in ["bert", "distilbert", "vit"] {
        let mut config = fixture(family);
        let before = read(&config).unwrap();
        for (key, value) in keys.as_object().unwrap() {
            config[key] = value.clone();
        }
        let after = read(&config).unwrap();
        assert_eq!(after.probabilities, expected, "{family}");
        let labels = after.labels.clone();
        let unchanged = TransformerConfig {
            probabilities: before.probabilities,
            labels: before.labels.clone(),
            ..after
        };
        assert_eq!((unchanged, labels.is_empty()), (before, false), "{family}");
    }
}

/// Labels mean nothing to a language model, nor does it matter what else it might have been.
#[rstest]
#[case("gpt2", "id2label", json!({"0": "LABEL_0"}))]
#[case("llama", "id2label", json!({"0": "LABEL_0"}))]
#[case("qwen2", "label2id", json!({"LABEL_0": 0}))]
#[case("mistral", "num_labels", json!(1))]
#[case("gpt2", "is_decoder", json!(true))]
#[case("llama", "is_decoder", json!(true))]
#[case("distilbert", "is_decoder", json!(false))]
#[case("bert", "embedding_size", json!(32))]
#[case("llama", "type_vocab_size", json!(2))]
#[case("vit", "layer_scale_init_value", json!(0.1))]
fn keys_that_mean_nothing_to_a_family_change_nothing(
    #[case] family: &str,
    #[case] key: &str,
    #[case] value: Value,
) {
    let mut config = fixture(family);
    let before = read(&config).unwrap();
    config[key] = value;
    assert_eq!(read(&config), Ok(before));
}

#[rstest]
#[case("bert", "is_decoder", json!(true))]
#[case("bert", "add_cross_attention", json!(true))]
#[case("roberta", "is_encoder_decoder", json!(true))]
#[case("bert", "position_embedding_type", json!("relative_key"))]
#[case("bert", "pruned_heads", json!({"0": [1]}))]
#[case("gpt2", "scale_attn_by_inverse_layer_idx", json!(true))]
#[case("gpt2", "add_cross_attention", json!(true))]
#[case("llama", "is_causal", json!(false))]
#[case("llama", "layer_types", json!(["sliding_attention"]))]
#[case("llama", "partial_rotary_factor", json!(0.5))]
#[case("llama", "per_layer_config", json!({"0": {"intermediate_size": 3}}))]
#[case("llama", "sliding_window", json!(8))]
#[case("qwen2", "use_sliding_window", json!(true))]
#[case("qwen3", "layer_types", json!(["sliding_attention"]))]
#[case("gemma", "use_bidirectional_attention", json!(true))]
#[case("vit", "head_dim", json!(3))]
#[case("vit", "qkv_bias", json!(false))]
fn keys_that_change_numbers_are_refused_by_name(
    #[case] family: &str,
    #[case] key: &str,
    #[case] value: Value,
) {
    let mut config = fixture(family);
    config[key] = value;
    let message = read(&config).unwrap_err();
    assert!(
        message.starts_with(&format!("config.json: `{key}` ")),
        "{message}"
    );
    assert!(!message.contains("remove it"), "{message}");
}

/// The sizes that `transformers.AutoConfig.for_model(TYPE)` has: vocabulary, positions with those before
/// the first, width, blocks, heads, heads of keys, width of the feed-forward part, width of a head,
/// width of the embeddings.
#[rstest]
#[case("bert", [30522, 512, 768, 12, 12, 12, 3072, 64, 768])]
#[case("roberta", [50265, 512, 768, 12, 12, 12, 3072, 64, 768])]
#[case("xlm-roberta", [30522, 512, 768, 12, 12, 12, 3072, 64, 768])]
#[case("distilbert", [30522, 512, 768, 6, 12, 12, 3072, 64, 768])]
#[case("electra", [30522, 512, 256, 12, 4, 4, 1024, 64, 128])]
#[case("gpt2", [50257, 1024, 768, 12, 12, 12, 3072, 64, 768])]
#[case("llama", [32000, 2048, 4096, 32, 32, 32, 11008, 128, 4096])]
#[case("mistral", [32000, 131_072, 4096, 32, 32, 8, 14336, 128, 4096])]
#[case("qwen2", [151_936, 32768, 4096, 32, 32, 32, 22016, 128, 4096])]
#[case("qwen3", [151_936, 32768, 4096, 32, 32, 32, 22016, 128, 4096])]
#[case("gemma", [256_000, 8192, 3072, 28, 16, 16, 24576, 256, 3072])]
#[case("vit", [2, 197, 768, 12, 12, 12, 3072, 64, 768])]
#[case("deit", [2, 198, 768, 12, 12, 12, 3072, 64, 768])]
fn what_is_left_out_is_the_default_of_transformers(
    #[case] model_type: &str,
    #[case] expected: [usize; 9],
) {
    let config = read(&json!({"model_type": model_type})).unwrap();
    let sizes = [
        config.vocabulary(),
        config.positions + config.first_position,
        config.width,
        config.blocks,
        config.heads,
        config.key_heads(),
        config.feed_forward.unwrap().width,
        config.head_width(),
        config.embedding_width.unwrap_or(config.width),
    ];
    assert_eq!(sizes, expected);
}

/// Two keys say something by being null: no window, and as many heads of keys as of queries.
#[rstest]
fn null_is_as_good_as_not_there(
    #[values(
        "bert",
        "roberta",
        "distilbert",
        "electra",
        "gpt2",
        "llama-3",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma",
        "vit"
    )]
    family: &str,
) {
    let config = fixture(family);
    let keys = config.as_object().unwrap().keys();
    for key in keys.filter(|key| !["num_key_value_heads", "sliding_window"].contains(&key.as_str()))
    {
        let (mut null, mut absent) = (config.clone(), config.clone());
        null[key] = Value::Null;
        absent.as_object_mut().unwrap().remove(key);
        assert_eq!(read(&null), read(&absent), "{key}");
    }
}

#[test]
fn as_many_heads_of_keys_as_of_queries_may_be_said_by_null() {
    for family in ["llama", "mistral", "qwen2", "qwen3", "gemma"] {
        let mut config = fixture(family);
        config["num_key_value_heads"] = Value::Null;
        let config = read(&config).unwrap();
        assert_eq!(config.key_heads(), config.heads, "{family}");
    }
}

#[rstest]
#[case(json!({"0": 0, "1": 1}), ["0", "1"])]
#[case(json!({"0": false, "1": true}), ["False", "True"])]
#[case(json!({"1": "good", "0": -1.5}), ["-1.5", "good"])]
fn labels_may_be_numbers_and_booleans(#[case] labels: Value, #[case] expected: [&str; 2]) {
    let mut config = fixture("bert");
    config["id2label"] = labels;
    assert_eq!(read(&config).unwrap().labels, expected);
}

#[rstest]
#[case(json!(["neg", "pos"]))]
#[case(json!({"0": null, "1": "pos"}))]
#[case(json!({"0": ["neg"], "1": "pos"}))]
#[case(json!({"0": "neg", "2": "pos"}))]
fn labels_that_are_no_names_are_refused(#[case] labels: Value) {
    let mut config = fixture("bert");
    config["id2label"] = labels;
    let message = read(&config).unwrap_err();
    assert!(
        message.starts_with("config.json: `id2label` is "),
        "{message}"
    );
}

#[rstest]
#[case("gelu", "gelu_python")]
#[case("gelu_new", "gelu_python_tanh")]
#[case("silu", "swish")]
fn an_activation_may_have_two_names(#[case] one: &str, #[case] other: &str) {
    let with = |name: &str| {
        let mut config = fixture("bert");
        config["hidden_act"] = json!(name);
        read(&config).unwrap()
    };
    assert_eq!(with(one), with(other));
}

/// RoBERTa counts positions from its padding token, so that there it must be known.
#[rstest]
fn no_padding_token_is_needed_where_nothing_depends_on_it(
    #[values(
        "bert",
        "distilbert",
        "electra",
        "gpt2",
        "llama",
        "mistral",
        "qwen2",
        "gemma"
    )]
    family: &str,
    #[values(json!(-1), json!(null), json!(1_000_000))] id: Value,
) {
    let mut config = fixture(family);
    config["pad_token_id"] = id;
    let config = read(&config).unwrap();
    assert!((config.padding_token as usize) < config.vocabulary());
    let mut config = fixture("roberta");
    config["pad_token_id"] = json!(-1);
    assert!(read(&config).is_err());
}

#[rstest]
#[case("gpt2", "hidden_size", "n_embd")]
#[case("gpt2", "num_hidden_layers", "n_layer")]
#[case("gpt2", "num_attention_heads", "n_head")]
#[case("gpt2", "max_position_embeddings", "n_positions")]
#[case("distilbert", "hidden_size", "dim")]
#[case("distilbert", "num_hidden_layers", "n_layers")]
#[case("distilbert", "num_attention_heads", "n_heads")]
fn a_key_may_have_two_names(#[case] family: &str, #[case] alias: &str, #[case] name: &str) {
    let config = fixture(family);
    let expected = read(&config);
    let mut both = config.clone();
    both[alias] = config[name].clone();
    assert_eq!(read(&both), expected);
    let mut one = both.clone();
    one.as_object_mut().unwrap().remove(name);
    assert_eq!(read(&one), expected);
    both[alias] = json!(7);
    let message = read(&both).unwrap_err();
    assert!(
        message.contains(&format!("`{alias}` is 7, but `{name}`")),
        "{message}"
    );
}

#[test]
fn the_type_may_be_seen_from_the_architecture() {
    for family in FAMILIES {
        let mut config = fixture(family);
        let expected = Family::read_config(&config.to_string()).unwrap();
        config.as_object_mut().unwrap().remove("model_type");
        assert_eq!(Family::read_config(&config.to_string()).unwrap(), expected);
    }
    for (architectures, said) in [
        (json!(null), "[]"),
        (json!(["MambaForCausalLM"]), "[MambaForCausalLM]"),
    ] {
        let message = read(&json!({"architectures": architectures})).unwrap_err();
        let expected = format!("it has no `model_type`, and `architectures` is {said}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[rstest]
#[case("quantization_config", json!({"quant_method": "awq", "bits": 8}), "by AWQ with 8 bits")]
#[case(
    "quantization_config",
    json!({"quant_method": "awq", "bits": 4, "version": "gemv"}),
    "by AWQ in the version gemv"
)]
#[case("quantization_config", json!({"quant_method": "gptq", "bits": 3}), "by GPTQ with `bits` 3")]
#[case(
    "quantization_config",
    json!({"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"}),
    "by GPTQ in the format marlin"
)]
#[case("quantization_config", json!({"quant_method": "fbgemm_fp8"}), "to FP8 by FBGEMM")]
#[case(
    "quantization_config",
    json!({"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized", "config_groups": {"group_0": {}}}),
    "as compressed tensors in the format nvfp4-pack-quantized"
)]
#[case(
    "quantization_config",
    json!({"quant_method": "compressed-tensors", "sparsity_config": {"format": "sparse-24-bitmask"}}),
    "as compressed tensors in the format sparse-24-bitmask"
)]
#[case("quantization_config", json!({"quant_method": "new"}), "in a way of its own")]
#[case("quantization", json!({"bits": 4, "group_size": 64}), "by MLX")]
fn quantized_weights_are_called_so(#[case] key: &str, #[case] value: Value, #[case] how: &str) {
    for family in ["bert", "llama", "qwen2", "vit"] {
        let mut config = fixture(family);
        config[key] = value.clone();
        let message = read(&config).unwrap_err();
        let expected = format!("config.json: `{key}` says that the weights are quantized {how},");
        assert!(message.starts_with(&expected), "{message}");
        assert!(
            message.contains("give the model that they were made from"),
            "{message}"
        );
        config[key] = Value::Null;
        assert!(read(&config).is_ok());
    }
}
