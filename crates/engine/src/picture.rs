//! Pictures in files.

use std::error::Error;
use std::fs;

use image::DynamicImage;
use relprop_checkpoints::Model;
use relprop_data::decode;
use relprop_transformer::TokenizedText;

use crate::EngineError;

/// The picture in the file called `name`.
///
/// # Errors
///
/// [`EngineError::Picture`] if the file cannot be read, or holds no picture.
pub fn open_picture(name: &str) -> Result<DynamicImage, EngineError> {
    let bytes = fs::read(name).map_err(|error| of(name, error))?;
    decode(&bytes).map_err(|error| of(name, error))
}

/// The picture in the file called `name`, and its patches as the model reads them.
///
/// # Errors
///
/// As [`open_picture`], and if the model reads no pictures, or none of this size.
pub fn read_picture(
    model: &Model,
    name: &str,
) -> Result<(TokenizedText, DynamicImage), EngineError> {
    let picture = open_picture(name)?;
    let tokens = model.picture(&picture, name);
    Ok((tokens.map_err(|error| of(name, error))?, picture))
}

fn of(name: &str, error: impl Error + Send + Sync + 'static) -> EngineError {
    EngineError::Picture {
        name: name.to_owned(),
        error: Box::new(error),
    }
}
