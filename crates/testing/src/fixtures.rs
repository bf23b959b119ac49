//! The fixtures: small random models that transformers saved, each with a reference beside it.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use relprop_checkpoints::{Model, Preprocessor};
use relprop_transformer::TokenizedText;
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::parameters;

/// The folder of a fixture.
pub fn folder(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fixtures.join(name)
}

/// The model of a fixture, and what is expected of it.
pub fn load<R: DeserializeOwned>(name: &str) -> (Model, R) {
    let model = Model::load(&folder(name), &Device::flex()).unwrap();
    let text = fs::read_to_string(folder(name).join("reference.json")).unwrap();
    (model, serde_json::from_str(&text).unwrap())
}

/// The picture that transformers made, from 0 to 255, `[channel][y][x]`, through the last step of the model's own preprocessor.
pub fn picture(model: &Model, pixels: &[Vec<Vec<i32>>], name: &str) -> TokenizedText {
    let (height, width) = (pixels[0].len(), pixels[0][0].len());
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
    let bytes = places.flat_map(|(y, x)| pixels.iter().map(move |one| one[y][x] as u8));
    let scale = Preprocessor {
        resize: None,
        crop: None,
        ..model.preprocessor().unwrap().clone()
    };
    let patches = model.transformer.config().patches().unwrap();
    let picture = scale.picture(bytes.collect(), [height, width], patches);
    picture.unwrap().into_tokens(name)
}

/// What transformers saved is saved again: the same tensors, bit by bit, under the same names, and a
/// configuration that says the same. The folder stays below `temporary`, the caller's
/// `CARGO_TARGET_TMPDIR`, where `make.py check` and its like look for it.
pub fn saves_what_transformers_saved(name: &str, temporary: &str) {
    let model = Model::load(&folder(name), &Device::flex()).unwrap();
    let target = Path::new(temporary).join("written").join(name);
    model.save(&target).unwrap();

    let read = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    let (theirs, ours) = (read(&folder(name)), read(&target));
    let [theirs, ours] = [&theirs, &ours].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (name, expected) in theirs.iter() {
        assert_eq!(ours.tensor(name).unwrap(), expected, "{name}");
    }

    let config = |folder: &Path| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join("config.json")).unwrap()).unwrap()
    };
    let (theirs, ours) = (config(&folder(name)), config(&target));
    for (key, value) in ours.as_object().unwrap() {
        assert_eq!(Some(value), theirs.get(key), "{key}");
    }

    let again = Model::load(&target, &Device::flex()).unwrap();
    assert_eq!(again.family, model.family);
    assert_eq!(again.preprocessor(), model.preprocessor());
    assert_eq!(again.transformer.config(), model.transformer.config());
    assert_eq!(
        parameters(&again.transformer),
        parameters(&model.transformer)
    );
}
