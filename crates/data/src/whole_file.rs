//! Files that appear under their name in one step, when they are complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// A file that is being written, under another name in the same folder: `_NAME.unfinished`.
///
/// However a process is interrupted, the path holds what was there before or all of the new file,
/// and never a part of it. What an interrupted process left under the other name is overwritten by
/// the next process that writes the same file.
///
/// ```
/// # fn main() -> Result<(), relprop_data::DataError> {
/// use std::io::Write;
///
/// use relprop_data::WholeFile;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("numbers.txt");
/// let mut file = WholeFile::create(&path)?;
/// writeln!(file, "1 2 3").unwrap();
/// assert!(!path.exists());
/// file.finish()?;
/// assert!(path.exists());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Starts a file that will be at `path`.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] if there can be no file in that folder.
    pub fn create(path: &Path) -> Result<Self, DataError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("_{name}.unfinished"));
        let file = File::create(&beside).map_err(DataError::io(path))?;
        let path = path.to_owned();
        Ok(Self { file, beside, path })
    }

    /// Writes a whole file at once.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] if it cannot be written.
    pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), DataError> {
        let mut whole = Self::create(path)?;
        let written = whole.write_all(content.as_ref());
        written.map_err(DataError::io(path))?;
        whole.finish()
    }

    /// The file as it is being written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name, once all of it is on the disk.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] if it cannot be written to the disk.
    pub fn finish(self) -> Result<(), DataError> {
        let synced = self.file.sync_all();
        let finished = synced.and_then(|()| fs::rename(&self.beside, &self.path));
        finished.map_err(DataError::io(&self.path))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // If the file was finished, there is nothing under this name any more.
        let _ = fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_finished_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        WholeFile::write(&path, "old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"ne").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        WholeFile::write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent/a.json");
        let error = WholeFile::write(&path, "x").unwrap_err().to_string();
        assert!(
            error.contains("absent/a.json cannot be read or written"),
            "{error}"
        );
    }
}
