#![doc = include_str!("../README.md")]

pub mod corpus;
mod error;
mod format;
mod hash;
mod json;
mod picture;
mod quotes;
mod records;
mod replaced;
mod shape;
pub mod sink;
mod source;
mod split;
mod table;
mod whole_file;
mod zones;

pub use error::DataError;
pub use format::TableFormat;
pub use hash::sha256;
pub use json::objects;
pub use picture::decode;
pub use source::{BadRow, Place, Rows, Source, batches, given, lines};
pub use table::{Table, text_column, texts};
pub use whole_file::WholeFile;
