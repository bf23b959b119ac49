use rstest::rstest;

use super::*;

/// ViT-B-32, as OpenCLIP describes it, with a change.
fn described(pointer: &str, value: Value) -> Result<(Value, usize), String> {
    let mut model = json!({
        "embed_dim": 512,
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    model.pointer_mut(parent).unwrap()[key] = value;
    config(&model)
}

#[rstest]
#[case("/quick_gelu", json!(true), "/vision_config/hidden_act", json!("quick_gelu"))]
#[case("/custom_text", json!(true), "/text_config/hidden_act", json!("gelu"))]
#[case("/vision_cfg/head_width", json!(96), "/vision_config/num_attention_heads", json!(8))]
#[case("/vision_cfg/mlp_ratio", json!(4.9231), "/vision_config/intermediate_size", json!(3780))]
#[case("/text_cfg/hf_tokenizer_name", json!("some/where"), "/projection_dim", json!(512))]
#[case("/text_cfg/pool_type", json!("argmax"), "/text_config/eos_token_id", json!(2))]
fn what_is_usual_is_read(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] place: &str,
    #[case] expected: Value,
) {
    let (config, side) = described(pointer, value).unwrap();
    assert_eq!(config.pointer(place), Some(&expected));
    assert_eq!(side, 224);
}

#[rstest]
#[case("/vision_cfg/timm_model_name", json!("vit_base"), "`vision_cfg` has `timm_model_name`, which is \"vit_base\"")]
#[case("/vision_cfg/layers", json!([3, 4, 6, 3]), "`vision_cfg` has `layers`")]
#[case("/vision_cfg/no_ln_pre", json!(true), "`no_ln_pre`")]
#[case("/vision_cfg/new_thing", json!(1), "`new_thing`, which is 1, and relprop does not know it")]
#[case("/text_cfg/hf_model_name", json!("roberta-base"), "`text_cfg` has `hf_model_name`")]
#[case("/text_cfg/no_causal_mask", json!(true), "`no_causal_mask`")]
#[case("/text_cfg/ls_init_value", json!(1e-5), "`ls_init_value`")]
#[case("/text_cfg/tokenizer_kwargs", json!({"clean": "canonicalize"}), "`tokenizer_kwargs`")]
#[case("/init_logit_bias", json!(-10), "`model_cfg` has `init_logit_bias`")]
#[case("/multimodal_cfg", json!({}), "`multimodal_cfg`")]
#[case("/embed_dim", json!("wide"), "`embed_dim`")]
#[case("/text_cfg", json!(3), "`text_cfg` is 3; it must be an object")]
fn what_is_not_computed_is_named(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] message: &str,
) {
    let error = described(pointer, value).unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[rstest]
#[case(json!({}), Some([224; 2]), Filter::Bicubic)]
#[case(json!({"interpolation": "bilinear", "resize_mode": "squash"}), None, Filter::Bilinear)]
fn pictures_are_read_so(
    #[case] settings: Value,
    #[case] crop: Option<[usize; 2]>,
    #[case] filter: Filter,
) {
    let read = preprocessor(&settings, 224).unwrap();
    assert_eq!((read.crop, read.resize.unwrap().1), (crop, filter));
    assert_eq!(read.size(), Some([224; 2]));
}

#[rstest]
#[case(json!({"resize_mode": "longest"}), "`resize_mode`")]
#[case(json!({"interpolation": 3}), "`interpolation`")]
#[case(json!({"mean": [0.5]}), "`mean`")]
fn other_ways_to_read_pictures_are_named(#[case] settings: Value, #[case] key: &str) {
    let error = preprocessor(&settings, 224).unwrap_err();
    assert!(error.contains(key), "{error}");
}
