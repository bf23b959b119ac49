//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

/// Standard output, or a file.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    /// How many columns a line may have.
    pub(crate) width: usize,
    /// Whether colours are shown.
    pub(crate) colour: bool,
}

impl Output {
    /// Writes to `file`, or to standard output.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into());
        match file {
            Some(path) => {
                let file = File::create(path).with_context(|| path.display().to_string())?;
                Ok(Self {
                    writer: Box::new(BufWriter::new(file)),
                    width: 80,
                    colour: false,
                })
            }
            None => {
                let stdout = io::stdout();
                let choice = anstream::AutoStream::choice(&stdout);
                let colour = choice != anstream::ColorChoice::Never;
                Ok(Self {
                    writer: Box::new(stdout.lock()),
                    width,
                    colour,
                })
            }
        }
    }

    /// Writes `text` at once.
    pub(crate) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.writer.write_all(text.as_bytes())?;
        Ok(self.writer.flush()?)
    }
}
