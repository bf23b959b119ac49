//! relprop
fn main() {}
