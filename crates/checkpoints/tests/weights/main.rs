//! Weights under the names and in the company that public files have them in, and files that are no
//! weights for relprop.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::{Files, Input, Model};
use relprop_rules::Pass;
use relprop_transformer::{Batch, Head, PaddingSide};
use rstest::rstest;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

/// A model's files, whose tensors and configuration can be changed.
struct Changed {
    files: BTreeMap<String, Vec<u8>>,
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    config: Value,
}

impl Changed {
    fn of(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let read = |file: &str| fs::read(folder.join(name).join(file)).ok();
        let names = ["tokenizer.json", "preprocessor_config.json"];
        let files = names
            .iter()
            .filter_map(|file| Some(((*file).to_owned(), read(file)?)));
        let weights = read("model.safetensors").unwrap();
        let weights = SafeTensors::deserialize(&weights).unwrap();
        let tensors = weights.iter().map(|(name, tensor)| {
            let tensor = (
                tensor.dtype(),
                tensor.shape().to_vec(),
                tensor.data().to_vec(),
            );
            (name.to_owned(), tensor)
        });
        Self {
            files: files.collect(),
            tensors: tensors.collect(),
            config: serde_json::from_slice(&read("config.json").unwrap()).unwrap(),
        }
    }

    fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        let tensors = self.tensors.into_iter();
        self.tensors = tensors.map(|(old, tensor)| (name(&old), tensor)).collect();
        self
    }

    fn with(mut self, name: &str, shape: &[usize], numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        let tensor = (Dtype::F32, shape.to_vec(), bytes.collect());
        self.tensors.insert(name.to_owned(), tensor);
        self
    }

    fn load(mut self) -> Result<Model, String> {
        let views = self.tensors.iter().map(|(name, (dtype, shape, bytes))| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
            (name.as_str(), view)
        });
        let weights = safetensors::serialize(views, None).unwrap();
        self.files.insert("model.safetensors".to_owned(), weights);
        self.files
            .insert("config.json".to_owned(), self.config.to_string().into());
        let read = Model::from_files(&Files::at_hand(self.files), &Device::flex(), &[]);
        read.map_err(|error| error.to_string())
    }
}

/// The logits of a text.
fn logits(model: &Model) -> Vec<f32> {
    assert!(matches!(model.input, Input::Text(_)));
    let text = model
        .tokenize("good film", None, Default::default())
        .unwrap();
    let batch = Batch::new([&text], 0, PaddingSide::Right, &Device::flex());
    let logits: Tensor<2> = model.transformer.forward(&batch, &mut Pass::plain());
    logits.into_data_as::<f32>().try_into_vec().unwrap()
}

#[rstest]
#[case("_orig_mod.{}")]
#[case("module.{}")]
#[case("module._orig_mod.{}")]
#[case("_orig_mod.module.{}")]
#[case("_fsdp_wrapped_module.{}")]
fn what_training_in_pytorch_puts_around_names_is_taken_off(
    #[case] names: &str,
    #[values("bert", "gpt2", "llama", "roberta")] family: &str,
) {
    let expected = logits(&Changed::of(family).load().unwrap());
    let changed = Changed::of(family).renamed(|name| names.replace("{}", name));
    assert_eq!(logits(&changed.load().unwrap()), expected);
}

#[test]
fn compiled_blocks_are_taken_off() {
    let expected = logits(&Changed::of("llama").load().unwrap());
    let changed =
        Changed::of("llama").renamed(|name| name.replace(".self_attn", "._orig_mod.self_attn"));
    assert_eq!(logits(&changed.load().unwrap()), expected);
}

#[rstest]
#[case("bert", "cls.predictions.bias")]
#[case("bert", "cls.seq_relationship.weight")]
#[case("bert", "lm_head.weight")]
#[case("bert", "qa_outputs.weight")]
#[case("roberta", "lm_head.dense.weight")]
#[case("roberta", "roberta.pooler.dense.weight")]
#[case("distilbert", "vocab_transform.weight")]
#[case("electra", "discriminator_predictions.dense.weight")]
#[case("llama", "score.weight")]
#[case("gpt2", "v_head.summary.weight")]
fn tensors_of_other_heads_are_left_over(#[case] family: &str, #[case] name: &str) {
    let expected = logits(&Changed::of(family).load().unwrap());
    let changed = Changed::of(family).with(name, &[2], &[7.0, 8.0]);
    assert_eq!(logits(&changed.load().unwrap()), expected);
}

/// Tensors of the model itself change what it computes.
#[rstest]
#[case("bert", "bert.encoder.layer.7.attention.self.query.weight")]
#[case(
    "bert",
    "bert.encoder.layer.0.attention.self.distance_embedding.weight"
)]
#[case("bert", "classifier.dense.weight")]
#[case("llama", "model.layers.0.self_attn.q_proj.bias")]
fn tensors_of_the_model_are_not_left_over(#[case] family: &str, #[case] name: &str) {
    let message = Changed::of(family)
        .with(name, &[1], &[7.0])
        .load()
        .unwrap_err();
    assert!(
        message.contains(&format!("{name} belongs to no part")),
        "{message}"
    );
}

#[rstest]
fn numbers_that_are_not_finite_are_named_with_their_tensor(
    #[values((f32::NAN, "NaN"), (-f32::NAN, "NaN"), (f32::INFINITY, "infinity"), (f32::NEG_INFINITY, "infinity"))]
    (number, expected): (f32, &str),
    #[values(
        ("bert", "bert.encoder.layer.1.output.dense.weight"),
        ("bert", "classifier.bias"),
        ("gpt2", "transformer.h.0.attn.c_attn.weight"),
        ("llama", "model.norm.weight")
    )]
    (family, name): (&str, &str),
    #[values(Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16)] dtype: Dtype,
) {
    let mut changed = Changed::of(family);
    let tensor = changed.tensors.get_mut(name).unwrap();
    let count: usize = tensor.1.iter().product();
    let bits = number.to_bits();
    let sign = (bits >> 31) as u16;
    let quiet = u16::from(number.is_nan());
    let last = match dtype {
        Dtype::F64 => f64::from(number).to_le_bytes().to_vec(),
        Dtype::F32 => number.to_le_bytes().to_vec(),
        Dtype::F16 => (sign << 15 | 0x7c00 | quiet).to_le_bytes().to_vec(),
        _ => (sign << 15 | 0x7f80 | quiet).to_le_bytes().to_vec(),
    };
    tensor.0 = dtype;
    tensor.2 = vec![0; (count - 1) * last.len()];
    tensor.2.extend(last);
    let message = changed.load().unwrap_err();
    let expected = format!("model.safetensors: {name} has {expected} among its numbers");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn the_largest_numbers_are_finite() {
    for (dtype, bits) in [(Dtype::F16, 0x7bff_u16), (Dtype::BF16, 0x7f7f)] {
        let mut changed = Changed::of("bert");
        let tensor = changed.tensors.get_mut("classifier.bias").unwrap();
        tensor.0 = dtype;
        tensor.2 = vec![bits; tensor.1[0]]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        changed.load().unwrap();
    }
}

/// What transformers computes where `tie_word_embeddings` is true and the file has a head all the same:
/// its own, if it is another one.
#[rstest]
#[case("gpt2", "transformer.wte.weight")]
#[case("gemma", "model.embed_tokens.weight")]
fn a_head_that_is_stored_and_differs_is_used(#[case] family: &str, #[case] words: &str) {
    let with_head = |tied: bool, change: bool| {
        let mut changed = Changed::of(family);
        let mut head = changed.tensors[words].clone();
        if change {
            head.2[..4].copy_from_slice(&7f32.to_le_bytes());
        }
        changed.tensors.insert("lm_head.weight".to_owned(), head);
        changed.config["tie_word_embeddings"] = json!(tied);
        changed.load().unwrap()
    };
    let differs = with_head(true, true);
    assert_eq!(
        differs.transformer.config().head,
        Head::NextToken { tied: false }
    );
    assert_eq!(logits(&differs), logits(&with_head(false, true)));
    let same = with_head(true, false);
    assert_eq!(
        same.transformer.config().head,
        Head::NextToken { tied: true }
    );
    assert_ne!(logits(&differs), logits(&same));
}

/// Where the architecture is not said, the tensors show it.
#[rstest]
fn the_head_shows_the_architecture(
    #[values(
        "bert",
        "roberta",
        "distilbert",
        "gpt2",
        "llama",
        "vit",
        "deit",
        "deit-alone"
    )]
    name: &str,
    #[values(json!(null), json!([]))] architectures: Value,
) {
    let expected = Changed::of(name).load().unwrap();
    let mut changed = Changed::of(name);
    changed.config["architectures"] = architectures;
    let found = changed.load().unwrap();
    assert_eq!(found.family, expected.family);
    assert_eq!(found.transformer.config(), expected.transformer.config());
}

#[rstest]
#[case(&["adapter_config.json", "adapter_model.safetensors"], "adapter_config.json: `peft_type` is null")]
#[case(&["config.json", "adapter_config.json"], "adapter_config.json: `peft_type` is null")]
#[case(&["config.json", "model.onnx"], "model.onnx: the weights are in ONNX alone")]
#[case(&["config.json", "tf_model.h5"], "tf_model.h5: the weights are TensorFlow's alone")]
#[case(&["config.json", "bert_model.ckpt.index"], "bert_model.ckpt.index: the weights are a TensorFlow checkpoint")]
#[case(&["config.json", "flax_model.msgpack"], "flax_model.msgpack: the weights are Flax's alone")]
#[case(&["config.json", "openvino_model.bin"], "openvino_model.bin: the weights are OpenVINO's alone")]
#[case(&["Model-Q4_K_M.GGUF"], "Model-Q4_K_M.GGUF cannot be read as GGUF: it ends within its header")]
#[case(&["config.json", "vocab.txt"], "the model folder has no model.safetensors")]
fn models_of_other_programs_are_called_what_they_are(
    #[case] names: &[&str],
    #[case] expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    let message = Model::load(folder.path(), &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(message.contains(expected), "{message}");
    let at_hand = Files::at_hand(names.iter().map(|name| (*name, b"{}".to_vec())));
    let message = Model::from_files(&at_hand, &Device::flex(), &[])
        .unwrap_err()
        .to_string();
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case(
    json!({"architecture": "resnet18", "model_type": "timm_wrapper", "architectures": ["TimmWrapperModel"]}),
    "`architecture` is resnet18; of timm's networks relprop reads vit_SIZE"
)]
#[case(
    json!({"architecture": "vit_tiny_patch16_224", "num_classes": 0, "pretrained_cfg": {"tag": "in1k"}}),
    "`num_classes` is 0; relprop reads timm's networks that classify"
)]
#[case(
    json!({"architecture": "vit_tiny_patch16_224", "num_classes": 2, "model_args": {"qk_norm": true}, "pretrained_cfg": {}}),
    "`model_args` has `qk_norm`, which is true; relprop does not know this argument"
)]
#[case(
    json!({"architecture": "vit_tiny_patch16_224", "num_classes": 2, "pretrained_cfg": {"crop_mode": "border"}}),
    "`pretrained_cfg` has `crop_mode`, which is \"border\"; it must be `center`"
)]
fn a_model_of_timm_that_is_not_read_is_refused_by_name(#[case] config: Value, #[case] said: &str) {
    let files = [
        ("config.json", config.to_string().into_bytes()),
        ("model.safetensors", Vec::new()),
    ];
    let read = Model::from_files(&Files::at_hand(files), &Device::flex(), &[]);
    let message = read.unwrap_err().to_string();
    assert!(
        message.starts_with(&format!("config.json: {said}")),
        "{message}"
    );
}
