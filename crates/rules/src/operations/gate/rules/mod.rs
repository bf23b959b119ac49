//! The rules for gates, one in each file.

mod detach_gate;

pub use detach_gate::DetachGate;
