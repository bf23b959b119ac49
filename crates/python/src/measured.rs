//! What is measured: the rows of a file, or rows at hand.

use std::path::PathBuf;
use std::sync::Arc;

use image::DynamicImage;
use relprop_checkpoints::{Input, Model};
use relprop_data::corpus::evidence_places;
use relprop_engine::measure::{Hide, LabeledText, Measured, Samples, TextColumns, WrittenLabel};
use relprop_engine::{EngineError, open_picture};
use serde::Deserialize;
use serde_json::Value;

/// What errors call the rows at hand.
const NAME: &str = "the data";

/// Texts, or pictures, to measure with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// A file, or an embedded corpus.
    path: Option<PathBuf>,
    /// The columns of the file that are read beside texts and labels.
    #[serde(default)]
    columns: Columns,
    /// Rows at hand, if there is no file.
    #[serde(default)]
    rows: Vec<Row>,
    limit: Option<usize>,
    pub(crate) seed: u64,
    target: Measured,
    /// What stands in the place of a hidden patch.
    #[serde(default)]
    hide: Hide,
    /// How often relevance on earlier text of an answer is passed on.
    #[serde(default)]
    pub(crate) hops: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Columns {
    evidence: Option<String>,
    answer: Option<String>,
    pair: Option<String>,
}

/// A row at hand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The text; for a model that reads pictures, the file of one.
    text: String,
    label: Option<String>,
    pair: Option<String>,
    answer: Option<String>,
    /// The pieces that decide the label, as a file says them; of the second text, if there is one.
    #[serde(default)]
    evidence: Value,
}

impl Row {
    /// The picture in the file. Nothing stands beside it that is for texts.
    fn picture(&self, number: usize) -> Result<DynamicImage, EngineError> {
        let given = [
            ("pair", self.pair.is_some()),
            ("answer", self.answer.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(EngineError::OnlyTexts { option });
        }
        if !self.evidence.is_null() {
            let reason =
                "the evidence of pictures is read from a file: give one, and `evidence_column`";
            return Err(EngineError::BadText {
                text: Some(number as u64),
                reason: reason.to_owned(),
            });
        }
        open_picture(&self.text)
    }

    fn read(self, number: usize, model: &Model) -> Result<LabeledText, EngineError> {
        let picture = match model.input {
            Input::Text(_) => None,
            Input::Pictures(_) => Some(self.picture(number)?),
        };
        let decisive = self.pair.as_ref().unwrap_or(&self.text);
        let evidence = evidence_places(decisive, &self.evidence);
        let evidence = evidence.map_err(|problem| EngineError::BadText {
            text: Some(number as u64),
            reason: format!("`evidence` {problem}"),
        })?;
        Ok(LabeledText {
            place: format!("text {number}"),
            picture,
            text: self.text,
            label: (self.label).map_or(WrittenLabel::None, WrittenLabel::Written),
            pair: self.pair,
            answer: self.answer,
            evidence,
            region: None,
            sentiment: Vec::new(),
        })
    }
}

impl Data {
    pub(crate) fn open(
        self,
        model: &Arc<Model>,
        said: &mut Vec<String>,
    ) -> Result<Samples, EngineError> {
        let say = |text: &str| said.push(text.to_owned());
        let (samples, name) = match &self.path {
            Some(path) => {
                let columns = TextColumns {
                    evidence: self.columns.evidence.as_deref(),
                    answer: self.columns.answer.as_deref(),
                    pair: self.columns.pair.as_deref(),
                };
                let (limit, target) = (self.limit, &self.target);
                let samples = Samples::open(path, columns, limit, self.seed, target, model, say)?;
                (samples, path.display().to_string())
            }
            None => {
                let limit = self.limit.unwrap_or(usize::MAX);
                let rows = (1..).zip(self.rows).take(limit);
                let texts = rows.map(|(number, row)| row.read(number, model));
                let texts = texts.collect::<Result<_, _>>()?;
                let samples = Samples::of(texts, None, &self.target, model, NAME, say)?;
                (samples, NAME.to_owned())
            }
        };
        Ok(samples.hidden_by(self.hide, &name)?)
    }
}
