//! Pictures that no model can be given.

/// Why a picture cannot be given to a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// It has not the size that the model reads, and the preprocessor is told to leave sizes alone.
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
    /// The model reads no pictures.
    #[error("the model reads texts, not pictures")]
    Texts,
}
