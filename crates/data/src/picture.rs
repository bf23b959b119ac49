//! Files of pictures.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

/// Why a file is no picture that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is no picture of a format that is read.
    #[error("it is no PNG or JPEG picture that can be read: {0}")]
    Format(#[from] ImageError),
    /// It is too large for the memory that a picture may take.
    #[error("it is too large: at most 2^28 pixels are read, in at most 512 MB of memory")]
    TooLarge,
}

/// How many pixels a picture may have: 16 k x 16 k.
const LARGEST: u64 = 1 << 28;

/// Reads a PNG or JPEG picture, turned upright.
///
/// # Errors
///
/// If the bytes are no such picture, or one of more than 2^28 pixels: a few bytes can claim to be any
/// size.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, DecodeError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    // It has limits of its own, which a header alone can exceed.
    let mut decoder = reader.into_decoder().map_err(too_large)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > LARGEST {
        return Err(DecodeError::TooLarge);
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(too_large)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn too_large(error: ImageError) -> DecodeError {
    match error {
        ImageError::Limits(_) => DecodeError::TooLarge,
        error => error.into(),
    }
}
