//! The SHA-256 of data, in hexadecimal, which identifies it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::DataError;

/// A SHA-256 that is added to, piece by piece.
#[derive(Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    /// Adds bytes, without their number.
    pub(crate) fn bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes);
    }

    /// Adds a number, as eight bytes.
    pub(crate) fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }

    /// The hash of all that was added, in hexadecimal.
    pub(crate) fn finish(self) -> String {
        let digest = self.0.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
///
/// [`DataError::Io`] if it cannot be read.
pub fn sha256(path: &Path) -> Result<String, DataError> {
    let mut hash = Hash::default();
    let file = File::open(path);
    file.and_then(|mut file| io::copy(&mut file, &mut hash))
        .map_err(DataError::io(path))?;
    Ok(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_the_hash_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), known);
        let error = sha256(&folder.path().join("absent")).unwrap_err();
        assert!(
            error.to_string().contains("absent cannot be read"),
            "{error}"
        );
    }
}
