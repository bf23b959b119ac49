//! A part of a file, read from its start to its end.

use std::io;

use super::Fault;
use crate::files::File;

/// How much is read at once.
const PIECE: u64 = 1 << 16;

/// Bytes that are read in order. Nothing is made room for that the file does not have.
pub(super) struct Source<'a> {
    file: &'a File,
    /// Where the bytes end in the file.
    end: u64,
    /// Where the next piece starts in the file.
    next: u64,
    piece: Vec<u8>,
    /// How many bytes of the piece are read.
    read: usize,
}

impl<'a> Source<'a> {
    /// The bytes of `file` from `start` to `end`, which must be in it.
    pub(super) fn new(file: &'a File, start: u64, end: u64) -> Self {
        Self {
            file,
            end,
            next: start,
            piece: Vec::new(),
            read: 0,
        }
    }

    /// Where the next byte is in the file.
    pub(super) fn position(&self) -> u64 {
        self.next - (self.piece.len() - self.read) as u64
    }

    fn left(&self) -> u64 {
        self.end - self.position()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        if self.read == self.piece.len() {
            let length = PIECE.min(self.end - self.next);
            if length == 0 {
                return Err(ends());
            }
            self.piece.resize(length as usize, 0);
            self.read = 0;
            self.file.read_at(self.next, &mut self.piece)?;
            self.next += length;
        }
        self.read += 1;
        Ok(self.piece[self.read - 1])
    }

    /// The next bytes, as many as the array has.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        if count > self.left() {
            return Err(ends());
        }
        (0..count).map(|_| self.byte()).collect()
    }

    /// Passes over `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Fault> {
        if count > self.left() {
            return Err(ends());
        }
        self.next = self.position() + count;
        self.piece.clear();
        self.read = 0;
        Ok(())
    }

    /// The next `count` bytes as text.
    pub(super) fn text(&mut self, count: u64) -> Result<String, Fault> {
        let text = String::from_utf8(self.bytes(count)?);
        text.map_err(|_| Fault::damaged("a text in it is not in UTF-8"))
    }

    /// The text up to the end of the line.
    pub(super) fn line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                byte => line.push(byte),
            }
        }
        String::from_utf8(line).map_err(|_| Fault::damaged("a name in it is not in UTF-8"))
    }
}

fn ends() -> Fault {
    Fault::damaged("it ends too early")
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
