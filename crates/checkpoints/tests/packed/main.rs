//! Models that are no folder of transformers: adapters over one, and GGUF files.

mod adapters;
mod gguf;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::{Files, Model};
use relprop_rules::Pass;
use relprop_transformer::{Batch, PaddingSide, TokenizedText};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// Tensors of 32-bit floats.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A fixture's file.
fn read(name: &str, file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fs::read(folder.join(name).join(file)).unwrap()
}

fn config(name: &str) -> Value {
    serde_json::from_slice(&read(name, "config.json")).unwrap()
}

fn tensors(name: &str) -> Tensors {
    let bytes = read(name, "model.safetensors");
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let all = all.iter().map(|(name, tensor)| {
        let numbers = tensor.data().as_chunks().0.iter();
        let numbers = numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect();
        (name.to_owned(), (tensor.shape().to_vec(), numbers))
    });
    all.collect()
}

fn safetensors(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<_, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, numbers))| {
            let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
            (name, bytes.collect())
        })
        .collect();
    let views = tensors.iter().map(|(name, (shape, _))| {
        let view = TensorView::new(Dtype::F32, shape.clone(), &bytes[name]).unwrap();
        (name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

/// The files of a model, below a folder if that is not empty.
fn model(folder: &str, name: &str, config: &Value, tensors: &Tensors) -> Vec<(String, Vec<u8>)> {
    vec![
        (format!("{folder}config.json"), config.to_string().into()),
        (
            format!("{folder}tokenizer.json"),
            read(name, "tokenizer.json"),
        ),
        (format!("{folder}model.safetensors"), safetensors(tensors)),
    ]
}

fn load(files: Vec<(String, Vec<u8>)>) -> Result<Model, String> {
    let read = Model::from_files(&Files::at_hand(files), &Device::flex(), &[]);
    read.map_err(|error| error.to_string())
}

fn text(model: &Model) -> TokenizedText {
    model
        .tokenize("good film", None, Default::default())
        .unwrap()
}

fn logits(model: &Model, text: &TokenizedText) -> Vec<f32> {
    let batch = Batch::new([text], 0, PaddingSide::Right, &Device::flex());
    let logits: Tensor<2> = model.transformer.forward(&batch, &mut Pass::plain());
    logits.into_data_as::<f32>().try_into_vec().unwrap()
}

/// Whether numbers are the same to what rounding leaves.
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0_f32, |most, number| most.max(number.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-5 * largest,
            "{found} {expected}"
        );
    }
}
