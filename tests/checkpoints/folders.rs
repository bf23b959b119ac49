//! Model folders: what is written is what is read, and a folder that cannot be used is refused
//! with the file, the tensor or the key that is at fault, by the names that stand in the file.

mod settings;
mod tensors;

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::{Device, bf16, f16};
use relprop_checkpoints::Model;
use relprop_rules::RuleSet;
use relprop_testing::{Architecture, explainer, model, parameters, texts};
use relprop_transformer::TransformerConfig;
use rstest::rstest;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tempfile::TempDir;

/// A folder with a saved model, and the path of its weights.
struct Saved {
    folder: TempDir,
}

impl Saved {
    fn new(config: &TransformerConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        model(config).save(folder.path()).unwrap();
        Self { folder }
    }

    fn bert() -> Self {
        Self::new(&Architecture::PostNorm.config())
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    fn load(&self) -> Result<Model, String> {
        Model::load(self.folder.path(), &Device::flex()).map_err(|error| error.to_string())
    }

    /// What a user is told.
    fn refusal(&self) -> String {
        self.load().expect_err("the folder is refused")
    }

    /// Replaces text in a file of the folder.
    fn edit(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(old), "{file} has no {old}:\n{text}");
        fs::write(self.path(file), text.replace(old, new)).unwrap();
    }

    /// Rewrites the weights' file: every tensor's name, type, shape and bytes.
    fn rewrite(&self, change: impl FnOnce(&mut Tensors)) {
        let path = self.path("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors = file
            .iter()
            .map(|(name, tensor)| {
                let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
                (name.to_owned(), (dtype, shape, tensor.data().to_vec()))
            })
            .collect();
        change(&mut tensors);
        let views = tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
        });
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    }
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn zeros(shape: &[usize]) -> (Dtype, Vec<usize>, Vec<u8>) {
    (
        Dtype::F32,
        shape.to_vec(),
        vec![0; 4 * shape.iter().product::<usize>()],
    )
}

#[rstest]
#[case(Architecture::PostNorm, "bert")]
#[case(Architecture::PreNorm, "relprop")]
#[case(Architecture::AttentionOnly, "relprop")]
fn what_was_saved_is_loaded_to_the_last_bit(
    #[case] architecture: Architecture,
    #[case] family: &str,
) {
    let before = model(&architecture.config());
    let folder = tempfile::tempdir().unwrap();
    // The folder is made if it is not there.
    let folder = folder.path().join("new").join("model");
    before.save(&folder).unwrap();
    let after = Model::load(&folder, &Device::flex()).unwrap();

    assert_eq!([before.family.name, after.family.name], [family; 2]);
    assert_eq!(after.transformer.config(), before.transformer.config());
    assert_eq!(
        parameters(&after.transformer),
        parameters(&before.transformer)
    );
    let [of_after, of_before] =
        [&after, &before].map(|model| model.tokenizer().unwrap().vocabulary_size());
    assert_eq!(of_after, of_before);
    for preset in RuleSet::presets() {
        for text in texts() {
            let mut expected = explainer(&before, preset).explain(&text).unwrap();
            // Only a model that was read from a file has a checksum.
            assert_eq!(expected.model.sha256.take(), None);
            expected.model.sha256 = after.sha256.clone();
            assert_eq!(explainer(&after, preset).explain(&text).unwrap(), expected);
        }
    }
    assert_eq!(after.sha256.map(|sum| sum.len()), Some(64));
}

#[test]
fn a_model_saved_over_another_replaces_it() {
    let saved = Saved::new(&Architecture::AttentionOnly.config());
    let first = saved.load().unwrap();
    let second = model(&Architecture::PostNorm.config());
    second.save(saved.folder.path()).unwrap();
    let loaded = saved.load().unwrap();
    assert_eq!(
        parameters(&loaded.transformer),
        parameters(&second.transformer)
    );
    assert_ne!(loaded.sha256, first.sha256);
}

#[test]
fn a_bert_has_the_names_and_the_layout_of_pytorch() {
    let saved = Saved::bert();
    let bytes = fs::read(saved.path("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    // PyTorch keeps a linear map as [output, input].
    assert_eq!(
        shape("bert.encoder.layer.1.intermediate.dense.weight"),
        [48, 32]
    );
    assert_eq!(
        shape("bert.encoder.layer.1.attention.output.LayerNorm.weight"),
        [32]
    );
    assert_eq!(shape("classifier.weight"), [3, 32]);
    let named = |name: &&str| name.starts_with("bert.") || name.starts_with("classifier.");
    assert!(file.names().iter().all(named), "{:?}", file.names());
}

/// Rounds the numbers of a safetensors file to another float, and widens them again.
#[rstest]
#[case(Dtype::F64, |x: f32| f64::from(x).to_le_bytes().to_vec(), |x: f32| x)]
#[case(Dtype::F16, |x: f32| f16::from_f32(x).to_le_bytes().to_vec(), |x: f32| f16::from_f32(x).to_f32())]
#[case(Dtype::BF16, |x: f32| bf16::from_f32(x).to_le_bytes().to_vec(), |x: f32| bf16::from_f32(x).to_f32())]
fn tensors_of_other_floats_are_read_as_f32(
    #[case] dtype: Dtype,
    #[case] write: fn(f32) -> Vec<u8>,
    #[case] read: fn(f32) -> f32,
) {
    let saved = Saved::bert();
    let mut expected = parameters(&saved.load().unwrap().transformer);
    for number in expected.values_mut().flatten() {
        *number = f64::from(read(*number as f32));
    }
    saved.rewrite(|tensors| {
        for (kind, _, data) in tensors.values_mut() {
            let numbers = data
                .chunks(4)
                .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
            (*kind, *data) = (dtype, numbers.flat_map(write).collect());
        }
    });
    assert_eq!(parameters(&saved.load().unwrap().transformer), expected);
}

#[test]
fn numbers_that_are_no_floats_are_named() {
    let saved = Saved::bert();
    let name = "bert.pooler.dense.bias";
    saved.rewrite(|tensors| tensors.get_mut(name).unwrap().0 = Dtype::I32);
    assert_eq!(
        saved.refusal(),
        format!(
            "{} does not fit config.json:\n  {name} holds I32, which is no float",
            saved.path("model.safetensors")
        )
    );
}

/// Checkpoints of 2018 say gamma and beta.
#[test]
fn the_old_names_of_norms_are_understood() {
    let saved = Saved::bert();
    let expected = parameters(&saved.load().unwrap().transformer);
    saved.rewrite(|tensors| {
        let names: Vec<_> = tensors
            .keys()
            .filter(|name| name.contains("LayerNorm"))
            .cloned()
            .collect();
        for name in names {
            let old = name.replace(".weight", ".gamma").replace(".bias", ".beta");
            let tensor = tensors.remove(&name).unwrap();
            tensors.insert(old, tensor);
        }
    });
    assert_eq!(parameters(&saved.load().unwrap().transformer), expected);
}

/// Weights in two files, with an index, as save_pretrained writes large models.
fn sharded() -> Saved {
    let saved = Saved::bert();
    let whole = saved.path("model.safetensors");
    let bytes = fs::read(&whole).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut map = serde_json::Map::new();
    for part in 0..2 {
        let name = format!("model-0000{}-of-00002.safetensors", part + 1);
        let tensors: Vec<_> = file.iter().skip(part).step_by(2).collect();
        map.extend(
            tensors
                .iter()
                .map(|(tensor, _)| ((*tensor).to_owned(), name.clone().into())),
        );
        let bytes = safetensors::serialize(tensors, None).unwrap();
        fs::write(saved.path(&name), bytes).unwrap();
    }
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(
        saved.path("model.safetensors.index.json"),
        index.to_string(),
    )
    .unwrap();
    fs::remove_file(whole).unwrap();
    saved
}

#[test]
fn weights_in_several_files_are_read() {
    let expected = parameters(&Saved::bert().load().unwrap().transformer);
    let loaded = sharded().load().unwrap();
    assert_eq!(parameters(&loaded.transformer), expected);
    assert_eq!(loaded.sha256.map(|sum| sum.len()), Some(64));
}

#[rstest]
#[case("{}", "missing field `weight_map`")]
#[case("{\"weight_map\": {}}", "its `weight_map` is empty")]
#[case(
    "{\"weight_map\": {\"a\": \"../x\"}}",
    "`../x` is not the name of a file"
)]
#[case("{\"weight_map\": {\"a\": \"..\"}}", "`..` is not the name of a file")]
#[case(
    "{\"weight_map\": {\"a\": 1}}",
    "`weight_map.a`: invalid type: integer `1`"
)]
fn an_index_that_is_not_understood_is_named(#[case] text: &str, #[case] reason: &str) {
    let saved = sharded();
    let path = saved.path("model.safetensors.index.json");
    fs::write(&path, text).unwrap();
    let message = saved.refusal();
    assert!(
        message.starts_with(&format!("{path}: {reason}")),
        "{message}"
    );
}

#[test]
fn a_missing_part_of_the_weights_is_named() {
    let saved = sharded();
    let name = "model-00002-of-00002.safetensors";
    fs::remove_file(saved.path(name)).unwrap();
    assert_eq!(
        saved.refusal(),
        format!(
            "the model folder has no {name}: {} is missing (the index says that it holds tensors)",
            saved.path(name)
        )
    );
}

/// A BERT that `torch.save` wrote, by `fixtures/make.py`.
#[test]
fn a_pickle_holds_what_safetensors_holds() {
    let fixture = relprop_testing::fixtures::folder("bert");
    let load = |folder: &std::path::Path| Model::load(folder, &Device::flex()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "pytorch_model.bin"] {
        fs::copy(fixture.join(file), folder.path().join(file)).unwrap();
    }
    let [pickle, safetensors] = [folder.path(), &fixture].map(load);
    assert_eq!(
        parameters(&pickle.transformer),
        parameters(&safetensors.transformer)
    );

    // Cut off anywhere, it is called damaged.
    let path = folder.path().join("pytorch_model.bin");
    let bytes = fs::read(&path).unwrap();
    for end in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..end]).unwrap();
        let message = Model::load(folder.path(), &Device::flex())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("cannot be read as what torch.save writes: "),
            "{message}"
        );
    }
}

/// Keys that change no logit, as older and newer versions of transformers write them.
#[test]
fn keys_that_change_nothing_are_let_pass() {
    let saved = Saved::bert();
    let expected = saved.load().unwrap();
    saved.edit(
        "config.json",
        "\"vocab_size\":",
        r#""_name_or_path": "x", "classifier_dropout": 0.5, "gradient_checkpointing": true,
        "problem_type": "single_label_classification", "torch_dtype": "float16", "use_cache": true,
        "position_embedding_type": "absolute", "is_decoder": false, "pooler_type": "first_token",
        "something_unset": null, "transformers_version": "4.6.1", "vocab_size":"#,
    );
    let loaded = saved.load().unwrap();
    assert_eq!(loaded.transformer.config(), expected.transformer.config());
}

#[test]
fn labels_without_names_are_numbered_as_transformers_does() {
    let saved = Saved::bert();
    saved.edit(
        "config.json",
        "\"id2label\":",
        "\"num_labels\": 3, \"task_specific_params\":",
    );
    let labels = saved.load().unwrap().transformer.config().labels.clone();
    assert_eq!(labels, ["LABEL_0", "LABEL_1", "LABEL_2"]);
}
