//! Tables of texts: read and written in any format, a group of rows at a time.
//!
//! A [`Table`] is a file whose rows have been counted. Its [`Source`] gives rows as Arrow batches,
//! in order, with every column as the file has it; rows that cannot be read are given beside them.
//! A [`sink`] makes a file of a batch, and one file of many.

pub mod corpus;
mod error;
mod format;
mod json;
mod picture;
pub mod records;
pub mod sink;
mod source;
mod table;

pub use error::TableError;
pub use format::Format;
pub use json::objects;
pub use picture::{DecodeError, decode};

pub use source::{BadRow, Place, Rows, Source, given, lines};
pub use table::{Table, text_column, texts};
