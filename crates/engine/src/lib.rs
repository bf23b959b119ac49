//! What every front end of relprop needs.

mod process;

pub use process::prepare_process;
