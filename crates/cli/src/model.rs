//! The model that `--model` stands for: a folder, or a name on the Hugging Face Hub.

use std::path::{Path, PathBuf};

use relprop_checkpoints::HubName;

/// The folder of the model. A folder that is there is meant, whatever it is called; a name on the Hub
/// is fetched.
pub(crate) fn folder(model: &Path) -> anyhow::Result<PathBuf> {
    let name: Option<HubName> = model.to_str().and_then(|text| text.parse().ok());
    match name {
        Some(name) if !model.exists() => fetched(&name),
        _ => Ok(model.to_owned()),
    }
}

#[cfg(not(feature = "hub"))]
fn fetched(name: &HubName) -> anyhow::Result<PathBuf> {
    anyhow::bail!(
        "there is no model folder {name}; `relprop train --out {name}` makes one. For a model of that \
         name on the Hugging Face Hub, build relprop with --features hub"
    )
}

#[cfg(feature = "hub")]
fn fetched(name: &HubName) -> anyhow::Result<PathBuf> {
    use anyhow::Context;
    use indicatif::{ProgressBar, ProgressStyle};

    let bar = ProgressBar::no_length();
    let style = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
    let mut shown = String::new();
    let folder = name.fetch(|file, here, size| {
        if shown != file {
            if shown.is_empty() {
                bar.suspend(|| eprintln!("fetching {name} from the Hugging Face Hub"));
            }
            file.clone_into(&mut shown);
            bar.set_message(shown.clone());
            bar.reset();
        }
        bar.set_length(size);
        bar.set_position(here);
    });
    bar.finish_and_clear();
    folder.with_context(|| {
        format!("there is no folder {name}, so it is taken for a name on the Hugging Face Hub")
    })
}
