//! Tables of texts: read, explained and written a group of rows at a time.

mod columns;
mod destination;
mod document;
mod group;
mod input;
mod manifest;
mod parts;
mod passes;
mod progress;
mod shard;
mod sink;

pub(crate) use destination::Destination;
pub(crate) use document::{Document, page};
pub(crate) use group::{Group, Worker};
pub(crate) use input::{Input, open_table};
pub(crate) use manifest::manifest;
pub(crate) use parts::Parts;
pub(crate) use progress::Progress;
pub(crate) use shard::Shard;
pub(crate) use sink::sink;
