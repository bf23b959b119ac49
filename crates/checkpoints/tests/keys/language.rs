//! What the families after the first ones take where a file is silent, and what they
//! refuse.

use relprop_checkpoints::Family;
use relprop_rules::operations::{NormScale, Pairs};
use relprop_transformer::{Branches, Head, NormPlacement, TransformerConfig};
use rstest::rstest;
use serde_json::{Value, json};

use super::read;

fn of(model_type: &str) -> TransformerConfig {
    with(model_type, &json!({})).unwrap()
}

/// What DeBERTa v3 says of its attention.
fn deberta() -> Value {
    json!({
        "relative_attention": true,
        "share_att_key": true,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": false,
        "position_buckets": 256,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
    })
}

/// The configuration of a file with these keys besides its type.
fn with(model_type: &str, keys: &Value) -> Result<TransformerConfig, String> {
    let mut config = keys.clone();
    config["model_type"] = json!(model_type);
    read(&config)
}

/// The sizes that `transformers.AutoConfig.for_model(TYPE)` has: vocabulary, positions, width, blocks,
/// heads, heads of keys, width of the feed-forward part, width of a head, turned features of a head.
#[rstest]
#[case("camembert", [30522, 510, 768, 12, 12, 12, 3072, 64, 0])]
#[case("albert", [30000, 512, 4096, 12, 64, 64, 16384, 64, 0])]
#[case("mpnet", [30527, 510, 768, 12, 12, 12, 3072, 64, 0])]
#[case("opt", [50272, 2048, 768, 12, 12, 12, 3072, 64, 0])]
#[case("gpt_neo", [50257, 2048, 2048, 24, 16, 16, 8192, 128, 0])]
#[case("gpt_neox", [50432, 2048, 6144, 44, 64, 64, 24576, 96, 24])]
#[case("gptj", [50400, 2048, 4096, 28, 16, 16, 16384, 256, 64])]
#[case("bloom", [250_880, 2048, 64, 2, 8, 8, 256, 8, 0])]
#[case("falcon", [65024, 2048, 4544, 32, 71, 1, 18176, 64, 64])]
#[case("phi", [51200, 2048, 2048, 24, 32, 32, 8192, 64, 32])]
#[case("phi3", [32064, 4096, 3072, 32, 32, 32, 8192, 96, 96])]
#[case("starcoder2", [49152, 4096, 3072, 30, 24, 2, 12288, 128, 128])]
#[case("stablelm", [50304, 4096, 2560, 32, 32, 32, 6912, 80, 20])]
#[case("granite", [32000, 2048, 4096, 32, 32, 32, 11008, 128, 128])]
#[case("smollm3", [128_256, 32768, 2048, 36, 16, 4, 11008, 128, 128])]
#[case("ministral", [32000, 131_072, 4096, 32, 32, 8, 14336, 128, 128])]
#[case("olmo2", [50304, 2048, 4096, 32, 32, 32, 11008, 128, 128])]
#[case("gemma2", [256_000, 8192, 2304, 26, 8, 4, 9216, 256, 256])]
#[case("gemma3_text", [262_208, 131_072, 2304, 26, 8, 4, 9216, 256, 256])]
#[case("ernie", [30522, 512, 768, 12, 12, 12, 3072, 64, 0])]
#[case("data2vec-text", [30522, 510, 768, 12, 12, 12, 3072, 64, 0])]
#[case("megatron-bert", [29056, 512, 1024, 24, 16, 16, 4096, 64, 0])]
#[case("xlm-roberta-xl", [250_880, 512, 2560, 36, 32, 32, 10240, 80, 0])]
#[case("roberta-prelayernorm", [50265, 510, 768, 12, 12, 12, 3072, 64, 0])]
#[case("jina_embeddings_v3", [250_002, 8194, 1024, 24, 16, 16, 4096, 64, 64])]
#[case("gpt_bigcode", [50257, 1024, 768, 12, 12, 1, 3072, 64, 0])]
#[case("mpt", [50368, 2048, 2048, 24, 16, 16, 8192, 128, 0])]
#[case("xglm", [256_008, 2048, 1024, 24, 16, 16, 4096, 64, 0])]
#[case("olmo", [50304, 2048, 4096, 32, 32, 32, 11008, 128, 128])]
#[case("olmo3", [50304, 2048, 4096, 32, 32, 32, 11008, 128, 128])]
#[case("cohere", [256_000, 8192, 8192, 40, 64, 64, 22528, 128, 128])]
#[case("cohere2", [256_000, 8192, 8192, 40, 64, 64, 22528, 128, 128])]
#[case("glm", [151_552, 131_072, 4096, 40, 32, 2, 13696, 128, 64])]
#[case("glm4", [151_552, 131_072, 4096, 40, 32, 2, 13696, 128, 64])]
#[case("ernie4_5", [103_424, 131_072, 1024, 18, 16, 2, 3072, 128, 128])]
#[case("exaone4", [102_400, 2048, 4096, 32, 32, 32, 16384, 128, 128])]
#[case("helium", [48000, 4096, 2560, 24, 20, 20, 7040, 128, 128])]
#[case("seed_oss", [155_136, 524_288, 4096, 64, 80, 8, 27648, 128, 128])]
fn what_is_left_out_is_the_default_of_transformers(
    #[case] model_type: &str,
    #[case] expected: [usize; 9],
) {
    let config = of(model_type);
    assert_eq!(config.check(), Ok(()));
    let rotary = config.attention.rotary;
    let turned = rotary.map_or(0, |rotary| rotary.features.unwrap_or(config.head_width()));
    let sizes = [
        config.vocabulary(),
        config.positions,
        config.width,
        config.blocks,
        config.heads,
        config.key_heads(),
        config.feed_forward.unwrap().width,
        config.head_width(),
        turned,
    ];
    assert_eq!(sizes, expected);
}

/// What makes each family, in files with no optional key.
#[test]
fn each_family_has_its_parts() {
    let tied = |model_type: &str| of(model_type).head == Head::NextToken { tied: true };
    for model_type in [
        "opt",
        "gpt_neo",
        "bloom",
        "falcon",
        "starcoder2",
        "smollm3",
        "gemma2",
    ] {
        assert!(tied(model_type), "{model_type}");
    }
    for model_type in [
        "gpt_neox", "gptj", "phi", "phi3", "stablelm", "granite", "olmo2",
    ] {
        assert!(!tied(model_type), "{model_type}");
    }
    let branches = |model_type: &str| of(model_type).branches;
    assert_eq!(branches("gpt_neox"), Branches::Parallel);
    for model_type in ["gptj", "phi", "falcon"] {
        assert_eq!(branches(model_type), Branches::ParallelOneNorm);
    }
    assert_eq!(branches("stablelm"), Branches::InTurn);
    assert_eq!(of("olmo2").norm_placement, NormPlacement::AfterParts);
    assert_eq!(of("gemma2").norm_placement, NormPlacement::Around);
    assert_eq!(of("opt").first_position, 2);
    assert_eq!(
        of("gptj").attention.rotary.unwrap().pairs,
        Pairs::Neighbours
    );
    assert!(!of("gpt_neo").scaled_attention && of("gpt2").scaled_attention);
    assert!(of("phi").biases.next_token && of("gptj").biases.next_token);
    for model_type in [
        "opt",
        "phi",
        "stablelm",
        "starcoder2",
        "gpt_neox",
        "falcon",
        "bloom",
    ] {
        assert_eq!(of(model_type).norm.scale, NormScale::InsideRoot(1e-5));
    }
    let gemma2 = of("gemma2");
    assert_eq!(
        (gemma2.attention.score_cap, gemma2.logit_cap),
        (Some(50.0), Some(30.0))
    );
    let gemma3 = of("gemma3_text");
    assert_eq!((gemma3.attention.score_cap, gemma3.logit_cap), (None, None));
}

/// Distances of DeBERTa: buckets, and where the last one begins.
#[test]
fn distances_are_in_buckets() {
    let distances = |key: &str, value: Value| {
        let mut keys = deberta();
        keys[key] = value;
        let config = with("deberta-v2", &keys).unwrap();
        config.attention.disentangled.unwrap()
    };
    let found = distances("position_buckets", json!(32));
    assert_eq!(
        (found.buckets, found.farthest, found.norm),
        (32, Some(512), true)
    );
    let found = distances("position_buckets", json!(-1));
    assert_eq!((found.buckets, found.farthest), (512, None));
    let found = distances("max_relative_positions", json!(300));
    assert_eq!((found.buckets, found.farthest), (256, Some(300)));
}

/// Which blocks have a window, and which are turned.
#[rstest]
#[case("gemma2", json!({}), "wfwf", "tttt")]
#[case("gemma3_text", json!({"sliding_window_pattern": 3}), "wwfw", "tttt")]
#[case("gemma3_text", json!({"layer_types": ["full_attention", "full_attention",
    "sliding_attention", "full_attention"]}), "ffwf", "tttt")]
#[case("ministral", json!({}), "wwww", "tttt")]
#[case("ministral", json!({"sliding_window": null}), "ffff", "tttt")]
#[case("ministral", json!({"layer_types": ["full_attention", "sliding_attention",
    "full_attention", "full_attention"]}), "fwff", "tttt")]
#[case("smollm3", json!({}), "ffff", "tttn")]
#[case("smollm3", json!({"no_rope_layer_interval": 2}), "ffff", "tntn")]
#[case("smollm3", json!({"no_rope_layers": [0, 1, 1, 0]}), "ffff", "nttn")]
#[case("gpt_neo", json!({"attention_types": [[["global", "local"], 2]]}), "fwfw", "nnnn")]
#[case("gpt_neo", json!({"attention_types": [[["local"], 1], [["global"], 3]]}), "wfff", "nnnn")]
fn blocks_have_their_own_attention(
    #[case] model_type: &str,
    #[case] mut keys: Value,
    #[case] windows: &str,
    #[case] rotations: &str,
) {
    let blocks = match model_type {
        "gpt_neo" => "num_layers",
        _ => "num_hidden_layers",
    };
    keys[blocks] = json!(4);
    let config = with(model_type, &keys).unwrap();
    assert_eq!(config.check(), Ok(()));
    let of_blocks = |kind: fn(bool) -> char, has: &dyn Fn(usize) -> bool| -> String {
        (0..4).map(|index| kind(has(index))).collect()
    };
    let window = |has| if has { 'w' } else { 'f' };
    let turned = |has| if has { 't' } else { 'n' };
    let block = |index| config.block_attention(index);
    assert_eq!(
        of_blocks(window, &|index| block(index).window.is_some()),
        windows
    );
    assert_eq!(
        of_blocks(turned, &|index| block(index).rotary.is_some()),
        rotations
    );
}

/// Gemma 3 turns blocks with a window by another base, in old files and in new ones.
#[test]
fn gemma_3_has_two_rotations() {
    let bases = |keys: Value| {
        let config = with("gemma3_text", &keys).unwrap();
        [0, 5].map(|index| config.block_attention(index).rotary.unwrap().theta)
    };
    assert_eq!(bases(json!({})), [1e4, 1e6]);
    assert_eq!(
        bases(json!({"rope_theta": 5e5, "rope_local_base_freq": 2e4})),
        [2e4, 5e5]
    );
    let nested = json!({"rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 7e5},
        "sliding_attention": {"rope_type": "default", "rope_theta": 3e4},
    }});
    assert_eq!(bases(nested), [3e4, 7e5]);
}

/// A share of a head's features is turned, whichever key says so.
#[rstest]
#[case("stablelm", json!({"partial_rotary_factor": 0.5}), 40)]
#[case("stablelm", json!({"rope_parameters": {"partial_rotary_factor": 0.5}}), 40)]
#[case("phi", json!({"num_attention_heads": 25, "hidden_size": 2000, "partial_rotary_factor": 0.4}), 32)]
#[case("phi3", json!({"partial_rotary_factor": 0.75}), 72)]
#[case("gpt_neox", json!({"rotary_pct": 1.0}), 96)]
#[case("gptj", json!({"rotary_dim": 32}), 32)]
fn a_share_of_features_is_turned(
    #[case] model_type: &str,
    #[case] keys: Value,
    #[case] expected: usize,
) {
    let config = with(model_type, &keys).unwrap();
    let turned = config.attention.rotary.unwrap().features;
    assert_eq!(turned.unwrap_or(config.head_width()), expected);
}

#[rstest]
#[case("albert", "num_hidden_groups", json!(2))]
#[case("albert", "inner_group_num", json!(2))]
#[case("albert", "embedding_size", json!(4096))]
#[case("mpnet", "relative_attention_num_buckets", json!(30))]
#[case("deberta-v2", "relative_attention", json!(false))]
#[case("deberta-v2", "share_att_key", json!(null))]
#[case("deberta-v2", "pos_att_type", json!("c2p"))]
#[case("deberta-v2", "position_biased_input", json!(true))]
#[case("deberta-v2", "conv_kernel_size", json!(3))]
#[case("deberta-v2", "embedding_size", json!(7))]
#[case("deberta-v2", "pooler_hidden_size", json!(7))]
#[case("deberta-v2", "attention_head_size", json!(7))]
#[case("deberta-v2", "norm_rel_ebd", json!("rms_norm"))]
#[case("opt", "_remove_final_layer_norm", json!(true))]
#[case("gpt_neo", "attention_types", json!([[["global", "sparse"], 12]]))]
#[case("gpt_neo", "attention_types", json!([[["global"], 12]]))]
#[case("gpt_neox", "rope_scaling", json!({"type": "mrope", "factor": 2.0}))]
#[case("gptj", "rotary_dim", json!(null))]
#[case("bloom", "apply_residual_connection_post_layernorm", json!(true))]
#[case("gpt_oss", "hidden_act", json!("gelu"))]
#[case("olmoe", "clip_qkv", json!(8.0))]
#[case("eurobert", "classifier_pooling", json!("cls"))]
#[case("phi", "qk_layernorm", json!(true))]
#[case("phi3", "rope_scaling", json!({"type": "longrope", "short_factor": [1.0]}))]
#[case("starcoder2", "layer_types", json!(["full_attention"]))]
#[case("stablelm", "qk_layernorm", json!(true))]
#[case("granite", "sliding_window", json!(8))]
#[case("smollm3", "use_sliding_window", json!(true))]
#[case("smollm3", "no_rope_layers", json!([1, 0]))]
#[case("smollm3", "no_rope_layer_interval", json!(0))]
#[case("ministral", "layer_types", json!(["chunked_attention"]))]
#[case("olmo2", "rope_scaling", json!({"rope_type": "proportional", "factor": 2.0}))]
#[case("olmo2", "rope_scaling", json!({"rope_type": "dynamic"}))]
#[case("stablelm", "original_max_position_embeddings", json!(7))]
#[case("gemma2", "use_bidirectional_attention", json!(true))]
#[case("gemma2", "hidden_activation", json!("gelu"))]
#[case("gemma3_text", "rope_parameters", json!({"full_attention": {"rope_type": "linear"}}))]
#[case("gemma3_text", "rope_parameters", json!({"full_attention": {"rope_type": "dynamic", "factor": 2.0}}))]
#[case("cohere", "use_qk_norm", json!(true))]
#[case("cohere", "logit_scale", json!(0.0))]
#[case("cohere2", "sliding_window_pattern", json!(0))]
#[case("exaone4", "sliding_window_pattern", json!("LG"))]
#[case("olmo", "clip_qkv", json!(8.0))]
#[case("olmo3", "layer_types", json!(["full_attention"]))]
#[case("mpt", "n_heads", json!(12))]
#[case("mpt", "attn_config", json!({"clip_qkv": 6}))]
#[case("mpt", "attn_config", json!({"prefix_lm": true}))]
#[case("gemma3", "text_config", json!({"model_type": "gemma3n_text"}))]
#[case("gemma3", "text_config", json!({"hidden_activation": "relu"}))]
#[case("mistral3", "text_config", json!({"model_type": "ministral3"}))]
fn what_is_not_computed_is_refused_by_name(
    #[case] model_type: &str,
    #[case] key: &str,
    #[case] value: Value,
) {
    let mut keys = match model_type {
        "deberta-v2" => deberta(),
        _ => json!({}),
    };
    keys[key] = value;
    let message = with(model_type, &keys).unwrap_err();
    assert!(
        message.starts_with(&format!("config.json: `{key}` ")),
        "{message}"
    );
    assert!(!message.contains("remove it"), "{message}");
}

/// What a family reads, it writes so that it reads the same: no other family before it, and not our own,
/// takes its place.
#[rstest]
#[case("albert", json!({"embedding_size": 16}))]
#[case("mpnet", json!({"relative_attention_num_buckets": 16}))]
#[case("deberta-v2", deberta())]
#[case("deberta-v2", json!({"relative_attention": true, "share_att_key": true,
    "pos_att_type": ["c2p", "p2c"], "position_biased_input": false,
    "max_relative_positions": 9, "norm_rel_ebd": "none", "pooler_hidden_act": "tanh"}))]
#[case("opt", json!({"enable_bias": false, "layer_norm_elementwise_affine": false}))]
#[case("gpt_neo", json!({"num_layers": 3, "window_size": 7,
    "attention_types": [[["local"], 1], [["global"], 2]]}))]
#[case("gpt_neox", json!({"rotary_pct": 0.25, "rotary_emb_base": 500}))]
#[case("gpt_neox", json!({"num_attention_heads": 48, "hidden_size": 2352, "rotary_pct": 0.9796}))]
#[case("gptj", json!({"rotary_dim": 32}))]
#[case("bloom", json!({"hidden_size": 48, "n_head": 6}))]
#[case("falcon", json!({"bias": true}))]
#[case("phi", json!({"partial_rotary_factor": 0.25}))]
#[case("phi3", json!({"partial_rotary_factor": 0.75, "sliding_window": 9}))]
#[case("starcoder2", json!({"sliding_window": 9}))]
#[case("stablelm", json!({"use_parallel_residual": true, "use_qkv_bias": true}))]
#[case("granite", json!({"embedding_multiplier": 12, "logits_scaling": 7.0,
    "residual_multiplier": 0.22, "attention_multiplier": 0.1}))]
#[case("smollm3", json!({}))]
#[case("ministral", json!({"num_hidden_layers": 2,
    "layer_types": ["full_attention", "sliding_attention"]}))]
#[case("olmo2", json!({"num_key_value_heads": 8}))]
#[case("gemma2", json!({"query_pre_attn_scalar": 224, "final_logit_softcapping": null}))]
#[case("gemma3_text", json!({"rope_local_base_freq": 2e4, "query_pre_attn_scalar": 144}))]
#[case("ernie", json!({"use_task_id": true, "task_type_vocab_size": 16}))]
#[case("megatron-bert", json!({}))]
#[case("xlm-roberta-xl", json!({}))]
#[case("roberta-prelayernorm", json!({"pad_token_id": 3}))]
#[case("jina_embeddings_v3", json!({}))]
#[case("gpt_bigcode", json!({"n_inner": 100}))]
#[case("mpt", json!({"attn_config": {"softmax_scale": 0.25}}))]
#[case("xglm", json!({"scale_embedding": false}))]
#[case("olmo", json!({"attention_bias": true}))]
#[case("olmo3", json!({"num_hidden_layers": 5, "sliding_window": 9,
    "rope_scaling": {"rope_type": "linear", "factor": 4.0}}))]
#[case("cohere", json!({"logit_scale": 0.25}))]
#[case("cohere2", json!({"num_hidden_layers": 5, "sliding_window_pattern": 2}))]
#[case("glm", json!({"partial_rotary_factor": 0.25}))]
#[case("glm4", json!({"num_key_value_heads": 4}))]
#[case("ernie4_5", json!({"use_bias": true}))]
#[case("exaone4", json!({"num_hidden_layers": 4, "sliding_window_pattern": "LLLG"}))]
#[case("helium", json!({"mlp_bias": true}))]
#[case("seed_oss", json!({"mlp_bias": true}))]
fn what_is_read_is_written_the_same(#[case] model_type: &str, #[case] keys: Value) {
    let config = with(model_type, &keys).unwrap();
    assert_eq!(config.check(), Ok(()));
    assert_eq!(Family::of(&config).name, model_type);
}

/// Tokens of EmbeddingGemma look at as many on either side as half of the window has.
#[test]
fn embedding_gemma_looks_at_both_sides() {
    let keys = json!({
        "architectures": ["Gemma3TextModel"],
        "_sliding_window_pattern": 6,
        "hidden_size": 768,
        "num_attention_heads": 3,
        "num_hidden_layers": 24,
        "num_key_value_heads": 1,
        "rope_local_base_freq": 10000.0,
        "rope_theta": 1000000.0,
        "sliding_window": 512,
        "use_bidirectional_attention": true,
    });
    let config = with("gemma3_text", &keys).unwrap();
    assert!(!config.attention.causal && config.check().is_ok());
    let windows = [0, 4, 5, 6].map(|block| config.block_attention(block).window);
    assert_eq!(windows, [Some(257), Some(257), None, Some(257)]);
}

/// The file says little of the model of texts, whose scaling is for the blocks that look at all tokens.
#[test]
fn gemma_3_of_four_billion_parameters_has_a_model_of_texts() {
    let keys = json!({
        "architectures": ["Gemma3ForConditionalGeneration"],
        "boi_token_index": 255999,
        "eoi_token_index": 256000,
        "eos_token_id": [1, 106],
        "image_token_index": 262144,
        "mm_tokens_per_image": 256,
        "text_config": {
            "hidden_size": 2560,
            "intermediate_size": 10240,
            "model_type": "gemma3_text",
            "num_hidden_layers": 34,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
            "sliding_window": 1024,
        },
        "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"},
    });
    let config = with("gemma3", &keys).unwrap();
    assert_eq!(config.check(), Ok(()));
    assert_eq!((config.width, config.blocks, config.heads), (2560, 34, 8));
    assert_eq!(config.head, Head::NextToken { tied: true });
    let attention = [0, 5].map(|block| config.block_attention(block));
    let scaled = attention.map(|block| block.rotary.unwrap().scaling.is_some());
    assert_eq!(scaled, [false, true]);
    let theta = attention.map(|block| block.rotary.unwrap().theta);
    assert_eq!(theta, [10_000.0, 1_000_000.0]);
    assert_eq!(attention.map(|block| block.window), [Some(1024), None]);
    // What is needed must be there.
    let message = with("gemma3", &json!({})).unwrap_err();
    assert!(message.contains("it has no `text_config`"), "{message}");
}

/// Blocks without a window know no positions, unless there is no window at all.
#[rstest]
#[case("cohere2", json!({}), [true, false])]
#[case("exaone4", json!({}), [true, false])]
#[case("exaone4", json!({"sliding_window": null}), [true, true])]
#[case("olmo3", json!({}), [true, true])]
fn some_blocks_know_no_positions(
    #[case] model_type: &str,
    #[case] keys: Value,
    #[case] turned: [bool; 2],
) {
    let config = with(model_type, &keys).unwrap();
    let found = [0, 3].map(|block| config.block_attention(block).rotary.is_some());
    assert_eq!(found, turned);
}

/// MosaicML's own class has the name of that of transformers, in other letters.
#[test]
fn large_and_small_letters_of_a_class_are_alike() {
    let keys = json!({"architectures": ["MPTForCausalLM"], "expansion_ratio": 4, "verbose": 0,
        "attn_config": {"alibi": true, "clip_qkv": null, "attn_pdrop": 0}});
    let config = with("mpt", &keys).unwrap();
    assert_eq!(config.head, Head::NextToken { tied: true });
}
