//! Writes models to files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::{CONFIG, PREPROCESSOR, TOKENIZER, TOKENIZER_CONFIG, io_error};
use crate::weights::{self, WEIGHTS};
use crate::{CheckpointError, Input, Model, Tokenizer};

impl Model {
    /// Writes a model folder, making it if it is not there.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file.
    pub fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        fs::create_dir_all(folder).map_err(io_error(folder))?;
        match &self.input {
            Input::Text(tokenizer) => self.save_tokenizer(tokenizer, folder)?,
            Input::Pictures(preprocessor) => {
                let file = folder.join(PREPROCESSOR);
                fs::write(&file, preprocessor.to_json()).map_err(io_error(&file))?;
            }
        }
        weights::write(&self.transformer, self.family, &folder.join(WEIGHTS[0].0))?;

        // This file is written last, so a folder with a config.json is a whole model.
        let config_file = folder.join(CONFIG);
        let mut config = self.family.write(self.transformer.config());
        match self.ends.as_slice() {
            [] => {}
            [end] => drop(config.insert("eos_token_id".to_owned(), (*end).into())),
            ends => drop(config.insert("eos_token_id".to_owned(), ends.into())),
        }
        let config = Value::from(config);
        fs::write(&config_file, format!("{config:#}\n")).map_err(io_error(&config_file))
    }

    fn save_tokenizer(&self, tokenizer: &Tokenizer, folder: &Path) -> Result<(), CheckpointError> {
        let tokenizer_file = folder.join(TOKENIZER);
        fs::write(&tokenizer_file, tokenizer.to_json()?).map_err(io_error(&tokenizer_file))?;
        let settings_file = folder.join(TOKENIZER_CONFIG);
        let settings = format!("{:#}\n", self.tokenizer_config(tokenizer));
        fs::write(&settings_file, settings).map_err(io_error(&settings_file))
    }

    /// Tells Python's transformers to take `tokenizer.json` as it is, instead of the family's own
    /// tokenizer, and which inputs the model takes.
    fn tokenizer_config(&self, tokenizer: &Tokenizer) -> Value {
        let config = self.transformer.config();
        let mut settings = tokenizer.settings(config.positions, config.token_types);
        let padding = tokenizer.token(config.padding_token);
        settings.insert("pad_token".to_owned(), padding.into());
        settings.into()
    }
}
