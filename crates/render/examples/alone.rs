//! Writes the files of the page without a server: `alone FOLDER [MODEL]`. MODEL is the folder of a model that comes with
//! it. What is compiled to WebAssembly is written by the crate `relprop-wasm`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use relprop_render::page::{self, PageOptions};
use serde_json::json;

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments
        .next()
        .ok_or_else(|| io::Error::other("give a folder"))?;
    let options = PageOptions {
        alone: true,
        ..PageOptions::default()
    };
    write(&folder, "index.html", page::document(&options).as_bytes())?;
    for asset in page::assets(&options) {
        write(&folder, asset.path, asset.bytes)?;
    }
    include(&folder, arguments.next().as_deref())
}

/// Puts a model's files beside the page, with a list of them; an empty list if there is no model.
fn include(folder: &Path, model: Option<&Path>) -> io::Result<()> {
    let (mut name, mut files) = (None, Vec::new());
    if let Some(model) = model {
        let resolved = model.canonicalize()?;
        name = resolved
            .file_name()
            .and_then(OsStr::to_str)
            .map(str::to_owned);
        for entry in fs::read_dir(model)? {
            let path = entry?.path();
            if let Some(file) = path
                .file_name()
                .and_then(OsStr::to_str)
                .filter(|_| path.is_file())
            {
                write(folder, &format!("model/{file}"), &fs::read(&path)?)?;
                files.push(file.to_owned());
            }
        }
        files.sort();
    }
    let list = json!({"name": name, "files": files}).to_string() + "\n";
    write(folder, "model/files.json", list.as_bytes())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name.trim_start_matches('/'));
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}
