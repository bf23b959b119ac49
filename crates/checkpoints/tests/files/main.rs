//! A model is the same from a folder and from bytes at hand, bit by bit.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use image::DynamicImage;
use relprop_checkpoints::{Files, Input, Model};
use relprop_rules::Pass;
use relprop_transformer::{Batch, PaddingSide, TokenizedText};
use rstest::rstest;

/// Files with their names.
type Named = Vec<(String, Vec<u8>)>;

/// A small random model that transformers saved.
fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    root.join(name)
}

/// The files that a model is read from, without what else lies beside them.
fn at_hand(folder: &Path) -> Named {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
    let needed = named.filter(|(name, _)| name != "reference.json" && !name.ends_with(".bin"));
    let read = needed.map(|(name, path)| (name, fs::read(path).unwrap()));
    read.collect()
}

fn from_hand(files: Named) -> Model {
    Model::from_files(&Files::at_hand(files), &Device::flex(), &[]).unwrap()
}

/// The bits of the logits for a text, or for a picture.
fn logits(model: &Model) -> Vec<u32> {
    let input: TokenizedText = match &model.input {
        Input::Text(_) => model
            .tokenize("good film", None, Default::default())
            .unwrap(),
        Input::Pictures(_) => {
            let picture = DynamicImage::new_rgb8(20, 30);
            model.picture(&picture, "black").unwrap()
        }
    };
    let batch = Batch::new([&input], 0, PaddingSide::Right, &Device::flex());
    let logits: Tensor<2> = model.transformer.forward(&batch, &mut Pass::plain());
    let logits = logits.into_data_as::<f32>().try_into_vec::<f32>().unwrap();
    logits.into_iter().map(f32::to_bits).collect()
}

#[rstest]
fn bytes_at_hand_make_the_model_of_the_folder(
    #[values("bert", "gpt2", "llama-3", "roberta", "vit", "deit")] name: &str,
) {
    let of_folder = Model::load(&folder(name), &Device::flex()).unwrap();
    let of_bytes = from_hand(at_hand(&folder(name)));
    assert_eq!(of_bytes.family, of_folder.family);
    assert_eq!(of_bytes.sha256, of_folder.sha256);
    assert_eq!(
        of_bytes.transformer.config(),
        of_folder.transformer.config()
    );
    let expected = logits(&of_folder);
    assert!(expected.iter().any(|bits| *bits != 0));
    assert_eq!(logits(&of_bytes), expected);
}

/// Two files of weights and the index that names them.
#[test]
fn weights_at_hand_may_be_in_several_files() {
    let expected = logits(&Model::load(&folder("bert"), &Device::flex()).unwrap());
    let mut files = at_hand(&folder("bert"));
    let weights = files
        .iter()
        .position(|(name, _)| name == "model.safetensors");
    let (_, weights) = files.remove(weights.unwrap());
    let weights = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let mut map = serde_json::Map::new();
    for part in 0..2 {
        let name = format!("model-{part}.safetensors");
        let tensors = weights.iter().enumerate();
        let tensors = tensors.filter(|(index, _)| index % 2 == part);
        let tensors: Vec<_> = tensors.map(|(_, tensor)| tensor).collect();
        for (tensor, _) in &tensors {
            map.insert((*tensor).to_owned(), name.clone().into());
        }
        files.push((name, safetensors::serialize(tensors, None).unwrap()));
    }
    let index = serde_json::json!({"weight_map": map}).to_string();
    files.push(("model.safetensors.index.json".to_owned(), index.into()));
    assert_eq!(logits(&from_hand(files)), expected);
}

#[test]
fn a_file_at_hand_is_called_by_its_name() {
    let refusal = |change: &dyn Fn(&mut Named)| {
        let mut files = at_hand(&folder("bert"));
        change(&mut files);
        let read = Model::from_files(&Files::at_hand(files), &Device::flex(), &[]);
        read.unwrap_err().to_string()
    };
    let missing = refusal(&|files| files.retain(|(name, _)| name != "tokenizer.json"));
    assert!(missing.contains("tokenizer.json is missing"), "{missing}");
    let set = |files: &mut Named, name: &str, bytes: &[u8]| {
        files.retain(|(known, _)| known != name);
        files.push((name.to_owned(), bytes.to_vec()));
    };
    for (file, bytes, expected) in [
        (
            "config.json",
            &b"[]"[..],
            "config.json: it is not a JSON object",
        ),
        ("config.json", b"\xff", "config.json: it is not in UTF-8"),
        ("tokenizer.json", b"{", "tokenizer.json: EOF"),
        (
            "model.safetensors",
            b"short",
            "model.safetensors cannot be read as safetensors: it has no header",
        ),
    ] {
        let message = refusal(&|files| set(files, file, bytes));
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_pickle_at_hand_makes_the_same_model() {
    let mut files = at_hand(&folder("bert"));
    files.retain(|(name, _)| name != "model.safetensors");
    let pickle = fs::read(folder("bert").join("pytorch_model.bin")).unwrap();
    files.push(("pytorch_model.bin".to_owned(), pickle));
    let expected = logits(&Model::load(&folder("bert"), &Device::flex()).unwrap());
    assert_eq!(logits(&from_hand(files)), expected);
}
