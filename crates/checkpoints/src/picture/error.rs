//! Errors of pictures.

/// Why a model cannot read a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// It does not have the size that the model reads, and the preprocessor must not resize it.
    #[error(
        "it has {found} pixels, the model reads {wanted}, and preprocessor_config.json says not to \
         resize; resize the picture"
    )]
    Size {
        /// What it has, height x width.
        found: String,
        /// What the model reads, height x width.
        wanted: String,
    },
    /// Its shape is so long that it would have too many pixels once its shorter side is resized.
    #[error("it has {height} x {width} pixels, which is too long a shape; cut the picture")]
    Long {
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
    },
    /// The model reads no pictures.
    #[error("the model reads texts, not pictures")]
    Texts,
}
