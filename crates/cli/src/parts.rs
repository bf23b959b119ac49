//! Finished groups of an unfinished run: a folder beside the output, `OUT.parts`.
//!
//! Each group is a file of its own, which appears under its name in one step, when it is complete.
//! So whenever a run is killed, all files in the folder are whole, can be read by any reader of the
//! format, and show where to go on. `_manifest.json` holds the plan of the run; a resumed run must
//! have the same plan. At the end the files are joined into one, and the folder is removed.
//!
//! Names of other files start with `_`; readers of folders of Parquet files skip such files.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use relprop_data::sink::concatenate;
use relprop_data::{BadRow, WholeFile};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::output::Sink;
use crate::plan::{differences, fields};

const MANIFEST: &str = "_manifest.json";

/// The parts of one output.
pub(crate) struct Parts {
    out: PathBuf,
    folder: PathBuf,
    /// How many groups are finished.
    groups: u64,
    /// A lock that is held until this run ends, however it ends.
    _lock: File,
}

impl Parts {
    /// The parts of `out`. With `resume`, these are the parts of an interrupted run, which must
    /// have the same plan; without it, there must be no parts.
    ///
    /// None if there is nothing to resume because the run is finished.
    pub(crate) fn open(
        out: &Path,
        plan: &impl Serialize,
        resume: bool,
    ) -> anyhow::Result<Option<Self>> {
        let folder = beside(out, ".parts");
        let place = || folder.display().to_string();
        let file = folder.join(MANIFEST);
        // The manifest is written first and deleted first. Without it, other files of the folder
        // are ignored.
        let known = file.is_file();
        if known && !resume {
            bail!(
                "{}: an interrupted run is kept here; go on with it (--resume), or delete the folder",
                folder.display()
            );
        }
        if !known {
            if folder.is_dir() {
                fs::remove_dir_all(&folder).with_context(place)?;
            }
            if resume && out.is_file() {
                return Ok(None);
            }
            fs::create_dir(&folder).with_context(place)?;
            let text = serde_json::to_string_pretty(plan)? + "\n";
            WholeFile::write(&file, text)?;
        }
        let lock = File::open(&file).with_context(place)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "{}: another relprop is writing this output",
                    folder.display()
                )
            }
            // Not every file system has locks.
            Err(TryLockError::Error(_)) => {}
        }
        if known {
            let text = fs::read_to_string(&file).with_context(place)?;
            let earlier: Map<String, Value> = serde_json::from_str(&text).with_context(place)?;
            compare(&earlier, &fields(plan)?).with_context(place)?;
        }
        let mut parts = Self {
            out: out.to_owned(),
            folder,
            groups: 0,
            _lock: lock,
        };
        while parts.group(parts.groups).is_file() {
            parts.groups += 1;
        }
        Ok(Some(parts))
    }

    /// How many groups are finished.
    pub(crate) fn groups(&self) -> u64 {
        self.groups
    }

    /// How many rows of the finished groups were bad.
    pub(crate) fn bad(&self) -> anyhow::Result<u64> {
        let mut bad = 0;
        for index in 0..self.groups {
            let path = self.errors(index);
            let place = || path.display().to_string();
            let file = File::open(&path).with_context(place)?;
            bad += BufReader::new(file).lines().count() as u64;
        }
        Ok(bad)
    }

    /// Keeps a finished group.
    pub(crate) fn put(&mut self, file: &[u8], bad: &[BadRow]) -> anyhow::Result<()> {
        let (errors, group) = (self.errors(self.groups), self.group(self.groups));
        // The group counts as finished as soon as its own file is there.
        for (path, bytes) in [(errors, bad_lines(bad).as_bytes()), (group, file)] {
            WholeFile::write(&path, bytes)?;
        }
        self.groups += 1;
        Ok(())
    }

    /// Makes the output of the parts, and the file of bad rows if `errors` names one.
    pub(crate) fn finish(self, sink: &dyn Sink, errors: Option<&Path>) -> anyhow::Result<()> {
        let all = |name: fn(&Self, u64) -> PathBuf| -> Vec<_> {
            (0..self.groups).map(|index| name(&self, index)).collect()
        };
        if let Some(path) = errors {
            let out = WholeFile::create(path)?;
            concatenate(&all(Self::errors), 0, out.file())?;
            out.finish()?;
        }
        let out = WholeFile::create(&self.out)?;
        sink.join(&all(Self::group), out.file())?;
        out.finish()?;
        let place = || self.folder.display().to_string();
        fs::remove_file(self.folder.join(MANIFEST)).with_context(place)?;
        fs::remove_dir_all(&self.folder).with_context(place)
    }

    /// The file of a group. It has the ending of the output.
    fn group(&self, index: u64) -> PathBuf {
        let file = self.folder.join(format!("part-{index:08}"));
        match self.out.extension() {
            Some(ending) => file.with_extension(ending),
            None => file,
        }
    }

    /// The file of the bad rows of a group.
    fn errors(&self, index: u64) -> PathBuf {
        self.folder.join(format!("_errors-{index:08}.jsonl"))
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // A run that failed before its first group leaves nothing to resume.
        if self.groups == 0 {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// One JSON object in each line.
pub(crate) fn bad_lines(bad: &[BadRow]) -> String {
    let line = |row: &BadRow| {
        let BadRow {
            place,
            reason,
            input,
        } = row;
        let (row, line) = (place.row, place.line);
        format!(
            "{}\n",
            json!({"row": row, "line": line, "reason": reason, "input": input})
        )
    };
    bad.iter().map(line).collect()
}

/// Says what differs.
fn compare(earlier: &Map<String, Value>, now: &Map<String, Value>) -> anyhow::Result<()> {
    let changed = differences(now, earlier);
    if changed.is_empty() {
        return Ok(());
    }
    let changed: Vec<_> = changed
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    bail!(
        "the interrupted run is another: {} changed since; restore what it was, or delete the \
         folder and start again",
        changed.join(", ")
    )
}

/// `path` with `ending` after its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
