//! Files that appear under their name in one step, when they are complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A file that is being written, under another name in the same folder.
pub(crate) struct Unfinished {
    pub(crate) file: File,
    name: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    /// Starts a file that will be at `path`.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = path.with_file_name(format!("_{name}.unfinished"));
        let file = File::create(&name).with_context(|| path.display().to_string())?;
        let path = path.to_owned();
        Ok(Self { file, name, path })
    }

    /// Gives the file its name, once all of it is on the disk.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let place = || self.path.display().to_string();
        self.file.sync_all().with_context(place)?;
        fs::rename(&self.name, &self.path).with_context(place)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // There is nothing under this name any more if the file was finished.
        let _ = fs::remove_file(&self.name);
    }
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut unfinished = Unfinished::create(path)?;
    let written = unfinished.file.write_all(bytes);
    written.with_context(|| path.display().to_string())?;
    unfinished.finish()
}
