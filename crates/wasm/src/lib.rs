#![doc = include_str!("../README.md")]
// The macros of wasm-bindgen write functions that JavaScript calls, which is unsafe by its nature. Nothing here is
// unsafe beyond them.
#![cfg_attr(target_arch = "wasm32", allow(unsafe_code))]

#[cfg(target_arch = "wasm32")]
mod web;
#[cfg(target_arch = "wasm32")]
pub use web::Models;
