//! Standard output, or a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use relprop_data::WholeFile;

/// Standard output, or a file.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    /// The file that `writer` writes, where it gets its name at the end.
    unfinished: Option<WholeFile>,
    /// How many columns a line may have.
    pub(crate) width: usize,
    /// Whether colors are shown.
    pub(crate) colour: bool,
}

impl Output {
    /// Writes to `file`, or to standard output. A file gets its name when it is
    /// [finished](Self::finish); a pipe or a device is written at once.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            let stdout = io::stdout();
            let choice = anstream::AutoStream::choice(&stdout);
            return Ok(Self {
                writer: Box::new(stdout.lock()),
                unfinished: None,
                width: terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into()),
                colour: choice != anstream::ColorChoice::Never,
            });
        };
        let place = || path.display().to_string();
        let unfinished = is_file(path).then(|| WholeFile::create(path)).transpose()?;
        let file = match &unfinished {
            Some(unfinished) => unfinished.file().try_clone(),
            None => File::options().write(true).open(path),
        };
        Ok(Self {
            writer: Box::new(BufWriter::new(file.with_context(place)?)),
            unfinished,
            width: 80,
            colour: false,
        })
    }

    /// Writes `text` at once.
    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) -> anyhow::Result<()> {
        self.writer.write_all(text.as_ref())?;
        Ok(self.writer.flush()?)
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.unfinished {
            Some(unfinished) => Ok(unfinished.finish()?),
            None => Ok(()),
        }
    }
}

/// Whether `path` is a file, or will be one, and not a pipe or a device.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file() || !path.exists()
}
