//! Files of pictures.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use crate::DataError;

/// How many pixels a picture may have: 16 k x 16 k.
const LARGEST: u64 = 1 << 28;

/// The endings of files of pictures, in lower case.
pub(crate) const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"];

/// Reads a PNG, JPEG, GIF, WebP, BMP or TIFF picture, turned upright as its EXIF data says. Of several in a file, it is the
/// first.
///
/// # Errors
///
/// [`DataError::NotAPicture`], and [`DataError::PictureTooLarge`] for one of more than 2^28 pixels: a few bytes can claim to be any
/// size.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, DataError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(ImageError::IoError)?;
    // The decoder has limits of its own, which a header alone can exceed.
    let mut decoder = reader.into_decoder().map_err(too_large)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > LARGEST {
        return Err(DataError::PictureTooLarge);
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(too_large)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn too_large(error: ImageError) -> DataError {
    match error {
        ImageError::Limits(_) => DataError::PictureTooLarge,
        error => error.into(),
    }
}
