//! The ZIP archive around what `torch.save` writes: its files lie in it as they are, not compressed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Fault;
use crate::files::File;

/// The longest comment that may stand behind an archive.
const LONGEST_COMMENT: u64 = 0xffff;
/// What stands in 32 bits where a number needs 64, which stand elsewhere.
const ELSEWHERE: u64 = 0xffff_ffff;

/// Where the files of an archive are.
pub(super) struct Archive {
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    compressed: bool,
    size: u64,
    /// Where its own header starts.
    header: u64,
}

impl Archive {
    /// Whether the file starts as an archive does.
    pub(super) fn is_one(file: &File, length: u64) -> Result<bool, Fault> {
        let mut start = [0; 4];
        if length < 4 {
            return Ok(false);
        }
        file.read_at(0, &mut start)?;
        Ok(start == *b"PK\x03\x04")
    }

    /// Reads the list of files at the end of an archive.
    pub(super) fn read(file: &File, length: u64) -> Result<Self, Fault> {
        let start = length.saturating_sub(LONGEST_COMMENT + 22);
        let tail = at(file, length, start, length - start)?;
        let found = tail.windows(4).rposition(|four| four == b"PK\x05\x06");
        let end = found.ok_or_else(|| Fault::damaged("the list of its files is missing"))?;
        let (mut size, mut first) = (number(&tail, end + 12, 4)?, number(&tail, end + 16, 4)?);
        // The last of its fields: the length of the comment.
        number(&tail, end + 20, 2)?;
        let wide = end
            .checked_sub(20)
            .filter(|at| tail[*at..].starts_with(b"PK\x06\x07"));
        if let Some(locator) = wide {
            let record = number(&tail, locator + 8, 8)?;
            let record = at(file, length, record, 56)?;
            if !record.starts_with(b"PK\x06\x06") {
                return Err(list());
            }
            (size, first) = (number(&record, 40, 8)?, number(&record, 48, 8)?);
        }
        let list = at(file, length, first, size)?;
        let mut entries = BTreeMap::new();
        let mut rest = &list[..];
        while !rest.is_empty() {
            let (name, entry, length) = entry(rest)?;
            entries.insert(name, entry);
            rest = &rest[length..];
        }
        Ok(Self { entries })
    }

    /// The folder that the pickle is in, with the stroke at its end.
    pub(super) fn folder(&self) -> Result<&str, Fault> {
        let mut folders = self.entries.keys().filter_map(|name| {
            let folder = name.strip_suffix("data.pkl")?;
            (folder.is_empty() || folder.ends_with('/')).then_some(folder)
        });
        let none = "it is a ZIP archive without a data.pkl, so torch.save did not write it";
        folders
            .next()
            .ok_or_else(|| Fault::Refused(none.to_owned()))
    }

    /// Where the bytes of a file are, if it is there.
    pub(super) fn find(
        &self,
        file: &File,
        length: u64,
        name: &str,
    ) -> Result<Option<Range<u64>>, Fault> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        if entry.compressed {
            let how = format!("{name} is compressed in it, which torch.save does not do");
            return Err(Fault::Refused(how));
        }
        let header = at(file, length, entry.header, 30)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(Fault::Damaged(format!("{name} is not where its list says")));
        }
        let before = 30 + number(&header, 26, 2)? + number(&header, 28, 2)?;
        let start = entry.header.checked_add(before);
        let range = start.and_then(|start| Some(start..start.checked_add(entry.size)?));
        match range.filter(|range| range.end <= length) {
            Some(range) => Ok(Some(range)),
            None => Err(Fault::Damaged(format!("{name} is longer than the file"))),
        }
    }
}

/// The name of the first file in the list, where it is, and how many bytes of the list say so.
fn entry(list: &[u8]) -> Result<(String, Entry, usize), Fault> {
    let field = |start, bytes| number(list, start, bytes);
    if !list.starts_with(b"PK\x01\x02") {
        return Err(self::list());
    }
    let [name, extra, comment] = [28, 30, 32].map(|start| field(start, 2).map(|n| n as usize));
    let (name, extra, comment) = (46 + name?, extra?, comment?);
    let text = list.get(46..name).ok_or_else(self::list)?;
    let mut extra = list.get(name..name + extra).ok_or_else(self::list)?;
    let length = name + extra.len() + comment;
    if length > list.len() {
        return Err(self::list());
    }
    // The sizes as they are and as they are stored, and the place.
    let mut numbers = [field(24, 4)?, field(20, 4)?, field(42, 4)?];
    while let [a, b, c, d, rest @ ..] = extra {
        let (kind, size) = ([*a, *b], usize::from(u16::from_le_bytes([*c, *d])));
        let wide = rest.get(..size).ok_or_else(self::list)?;
        if kind == [1, 0] {
            let mut wide = wide.as_chunks::<8>().0.iter();
            for number in numbers.iter_mut().filter(|number| **number == ELSEWHERE) {
                let bytes = wide.next().ok_or_else(self::list)?;
                *number = u64::from_le_bytes(*bytes);
            }
        }
        extra = &rest[size..];
    }
    let [size, stored, header] = numbers;
    let entry = Entry {
        compressed: field(10, 2)? != 0 || size != stored,
        size,
        header,
    };
    Ok((String::from_utf8_lossy(text).into_owned(), entry, length))
}

/// `count` bytes of the file from `start` on.
fn at(file: &File, length: u64, start: u64, count: u64) -> Result<Vec<u8>, Fault> {
    if start.checked_add(count).is_none_or(|end| end > length) {
        return Err(list());
    }
    let mut bytes = vec![0; count as usize];
    file.read_at(start, &mut bytes)?;
    Ok(bytes)
}

/// The number that so many bytes from `start` on are.
fn number(bytes: &[u8], start: usize, count: usize) -> Result<u64, Fault> {
    let bytes = bytes.get(start..start + count).ok_or_else(list)?;
    let mut number = [0; 8];
    number[..count].copy_from_slice(bytes);
    Ok(u64::from_le_bytes(number))
}

fn list() -> Fault {
    Fault::damaged("the list of its files is damaged")
}
