//! What the page's worker calls.

use std::collections::BTreeMap;
use std::panic;

use relprop_api::{Api, NamedModel};
use relprop_checkpoints::Files;
use relprop_engine::{Precision, device};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, throw_str};

/// Models, and answers about them.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Models {
    /// The files of each model, by their names, until it is opened.
    files: Vec<(String, BTreeMap<String, Vec<u8>>)>,
    api: Option<Api>,
}

#[wasm_bindgen]
impl Models {
    /// No models. From now on a panic is a text that is thrown; whoever catches it must not ask these models again.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        panic::set_hook(Box::new(|info| throw_str(&info.to_string())));
        Self::default()
    }

    /// Adds a file to the model of this name. Its name is that in the model's folder: `config.json`.
    pub fn add(&mut self, model: String, file: String, bytes: Vec<u8>) {
        let place = self.files.iter().position(|(name, _)| *name == model);
        let place = place.unwrap_or_else(|| {
            self.files.push((model, BTreeMap::new()));
            self.files.len() - 1
        });
        self.files[place].1.insert(file, bytes);
    }

    /// Opens the models whose files were added, in the place of those that were open.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read: the sentence says which file is at fault.
    pub fn open(&mut self) -> Result<(), JsError> {
        let models = std::mem::take(&mut self.files).into_iter();
        let opened = models.map(|(name, files)| {
            let files = Files::at_hand(files);
            let precision = Precision::F32;
            let model = precision.read_any(&files, &device("cpu")?);
            let model = model.map_err(|error| JsError::new(&format!("{name}: {error}")))?;
            Ok(NamedModel {
                name,
                model,
                precision,
            })
        });
        self.api = Some(Api::new(opened.collect::<Result<_, JsError>>()?)?);
        Ok(())
    }

    /// The answer to a request, in JSON, as `relprop serve` answers it at this path.
    ///
    /// # Errors
    ///
    /// If the request cannot be answered as asked.
    pub fn answer(&mut self, path: &str, body: &str) -> Result<String, JsError> {
        let api = self
            .api
            .as_mut()
            .ok_or_else(|| JsError::new("no model is open"))?;
        let answer = api.answer(path, body.as_bytes());
        let answer = answer.map_err(|refusal| JsError::new(&refusal.message))?;
        Ok(String::from_utf8(answer)?)
    }
}
