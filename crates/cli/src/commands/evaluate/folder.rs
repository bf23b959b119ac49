//! The folder of a run: its results, and its parts while it is not finished.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use relprop_data::WholeFile;
use relprop_evaluate::{Readings, Results};
use relprop_render as render;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::plan::{EvaluatePlan, differences, fields};

/// The name and version of the format of `results.json`.
const SCHEMA: &str = "relprop.evaluation/2";
const RESULTS: &str = "results.json";
/// The folder with the parts of an unfinished run.
const PARTS: &str = "unfinished";
/// The file in it with the settings of the run.
const SETTINGS: &str = "settings.json";

/// A folder that belongs to one run.
pub(super) struct Folder(PathBuf);

/// The state of the run in a folder.
pub(super) enum State {
    /// It is new, or was interrupted.
    Unfinished,
    /// It is done.
    Finished(Results),
}

/// `results.json`.
#[derive(Serialize, Deserialize)]
struct Report {
    schema: String,
    /// The command that made it.
    command: Vec<String>,
    settings: EvaluatePlan,
    #[serde(flatten)]
    results: Results,
}

/// What an unfinished run has found for some texts, `[method][text][metric]`.
type Part = Vec<Vec<Readings>>;

impl Folder {
    /// Makes the folder, or continues the run that is in it.
    pub(super) fn open(path: &Path, settings: &EvaluatePlan) -> anyhow::Result<(Self, State)> {
        let folder = Self(path.to_owned());
        if let Some(report) = read::<Report>(&path.join(RESULTS))? {
            folder.ensure_same(settings, &report.settings, "a finished run")?;
            return Ok((folder, State::Finished(report.results)));
        }
        let file = path.join(PARTS).join(SETTINGS);
        match read::<EvaluatePlan>(&file)? {
            Some(theirs) => {
                folder.ensure_same(settings, &theirs, "an unfinished run")?;
                eprintln!("going on with the run that was interrupted");
            }
            None => {
                let parts = path.join(PARTS);
                fs::create_dir_all(&parts).with_context(|| parts.display().to_string())?;
                WholeFile::write(&file, &serde_json::to_string_pretty(settings)?)?;
            }
        }
        Ok((folder, State::Unfinished))
    }

    fn ensure_same(
        &self,
        ours: &EvaluatePlan,
        theirs: &EvaluatePlan,
        what: &str,
    ) -> anyhow::Result<()> {
        let differences = differences(&fields(ours)?, &fields(theirs)?);
        if differences.is_empty() {
            return Ok(());
        }
        bail!(
            "{} holds {what} with other settings ({}); give another folder to --out, \
             or delete this one",
            self.0.display(),
            differences.join(", ")
        )
    }

    fn part_file(&self, index: usize) -> PathBuf {
        self.0.join(PARTS).join(format!("{index:06}.json"))
    }

    /// The readings of an earlier run for the texts of this part.
    pub(super) fn part(&self, index: usize) -> anyhow::Result<Option<Part>> {
        read(&self.part_file(index))
    }

    /// Writes the readings of a part, and returns them as they will be read back.
    pub(super) fn keep(&self, index: usize, part: &Part) -> anyhow::Result<Part> {
        let text = serde_json::to_string(part)?;
        WholeFile::write(&self.part_file(index), &text)?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes the results, and deletes the parts.
    pub(super) fn finish(self, settings: &EvaluatePlan, results: &Results) -> anyhow::Result<()> {
        let report = Report {
            schema: SCHEMA.to_owned(),
            command: std::env::args().collect(),
            settings: settings.clone(),
            results: results.clone(),
        };
        let json = serde_json::to_string_pretty(&report)? + "\n";
        if let Some(curves) = render::evaluation_curves(results) {
            WholeFile::write(&self.0.join("curves.svg"), &curves)?;
        }
        let facts = facts(&report)?;
        WholeFile::write(
            &self.0.join("report.html"),
            render::evaluation_html(results, &facts, &report.command.join(" ")).page(),
        )?;
        let file = self.0.join(RESULTS);
        if !file.exists() {
            // This file is written last, so a folder with it is a finished run.
            WholeFile::write(&file, &json)?;
        }
        match fs::remove_dir_all(self.0.join(PARTS)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| self.0.join(PARTS).display().to_string())
            }
            _ => Ok(()),
        }
    }
}

/// Reads JSON. None if the file is not there.
fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<Option<T>> {
    let place = || file.display().to_string();
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(place)?,
    };
    let parsed = serde_json::from_str(&text);
    let parsed = parsed.with_context(|| {
        format!(
            "{}: not what this version of relprop writes; give another folder",
            place()
        )
    });
    parsed.map(Some)
}

/// Names and values for the top of the report.
fn facts(report: &Report) -> anyhow::Result<Vec<(String, String)>> {
    let settings = serde_json::to_value(&report.settings)?;
    let text = |name: &str| match &settings[name] {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let named = [
        ("Model", "family"),
        ("Model SHA-256", "model_sha256"),
        ("Texts", "texts"),
        ("Texts SHA-256", "data_sha256"),
        ("Explained label", "target"),
        ("Seed", "seed"),
        ("Device", "device"),
        ("Version", "version"),
    ];
    Ok(named.map(|(name, key)| (name.to_owned(), text(key))).into())
}
