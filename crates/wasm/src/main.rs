//! Writes what a page calls, and the functions in JavaScript by which it does: `relprop-web WASM FOLDER`. `WASM` is this
//! crate, built for `wasm32-unknown-unknown`.

use std::env;
use std::path::PathBuf;

use anyhow::bail;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, folder] = &arguments[..] else {
        bail!("give the file of WebAssembly, and a folder");
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("relprop")
        .typescript(false);
    bindgen
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.web(true)?.generate(folder)
}
