//! The rules for gates, one a file.

mod detach_gate;

pub use detach_gate::DetachGate;
