//! What can go wrong between a front end and a model.

use std::path::PathBuf;

use relprop_checkpoints::CheckpointError;
use relprop_data::DataError;
use relprop_explain::ExplainError;
use relprop_rules::RuleError;

use crate::Fault;

/// Why the engine cannot do what a front end asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The build has no device at all.
    #[error("no device is compiled in: docs/building.md says how to build one in")]
    NoDevice,
    /// There is no device of this name.
    #[error(
        "there is no device `{name}`; devices are: auto, {}, and `gpu:1` for the second of a kind",
        known.join(", ")
    )]
    UnknownDevice {
        /// What was asked for.
        name: String,
        /// The kinds of device that there are.
        known: Vec<&'static str>,
    },
    /// The device is not compiled in.
    #[error("the device `{name}` is not compiled in: build relprop with --features {feature}")]
    DeviceNotCompiledIn {
        /// The kind of device.
        name: String,
        /// The feature that compiles it in.
        feature: &'static str,
    },
    /// The machine has no device of this kind.
    #[error(
        "no device of the kind `{name}` was found: is its driver installed? The device `cpu` needs none"
    )]
    DeviceNotFound {
        /// The kind of device.
        name: String,
    },
    /// The machine has fewer devices of this kind.
    #[error("there is no device `{name}`; of its kind there is {}", found.join(", "))]
    NoSuchDevice {
        /// What was asked for.
        name: String,
        /// The devices of its kind.
        found: Vec<String>,
    },
    /// The device does not compute in this type of float.
    #[error("this device does not compute in {precision}")]
    Precision {
        /// The type of float.
        precision: crate::Precision,
    },
    /// A number became infinite, or none, in a type of float whose largest is small.
    #[error(
        "{place} is {value}, which is no number; the model computes in f16, whose numbers end at 65504"
    )]
    Overflow {
        /// Which number: `the relevance of token 3 "warm"`.
        place: String,
        /// The number: NaN or an infinity.
        value: f64,
    },
    /// A file with rules cannot be read.
    #[error("{}: {source}", path.display())]
    RulesFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// A file with rules is not understood.
    #[error("{}: {source}", path.display())]
    RulesText {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: RuleError,
    },
    /// There is no preset of this name.
    #[error("{0}; or give a file that ends in .toml")]
    Preset(RuleError),
    /// There is no method of this name.
    #[error("{0}; or give a file that ends in .toml")]
    Method(ExplainError),
    /// There is no such folder, and this build does not fetch models.
    #[error(
        "there is no model folder {0}; for a model of that name on the Hugging Face Hub, build \
         relprop with --features hub"
    )]
    NoHub(String),
    /// A model cannot be fetched.
    #[cfg(feature = "hub")]
    #[error(
        "there is no folder {name}, so it is taken for a name on the Hugging Face Hub: {source}"
    )]
    Hub {
        /// The name.
        name: String,
        /// What went wrong.
        source: relprop_checkpoints::HubError,
    },
    /// A model cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A text, or a model, cannot be explained as asked.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A file is no picture that the model reads.
    #[error("{name}: {error}")]
    Picture {
        /// The name of the file.
        name: String,
        /// What is wrong.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Rows of a table cannot be put together.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// A bad row cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The table has a column of a name that the explanation's columns need.
    #[error(
        "the input has a column `{0}`, which is what a column of the explanation is called; rename it"
    )]
    ColumnTaken(&'static str),
    /// The table has no column of this name.
    #[error("the table has no column `{name}`; the columns are {}", known.join(", "))]
    NoColumn {
        /// What was asked for.
        name: String,
        /// The columns that there are.
        known: Vec<String>,
    },
    /// A place in a text does not fit into 32 bits.
    #[error("a text is too long for a table")]
    TextTooLong,
    /// Explanations cannot be measured.
    #[error(transparent)]
    Measure(#[from] crate::measure::MeasureError),
    /// Two options exclude each other.
    #[error("`{one}` does not go with `{other}`")]
    Apart {
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The model reads pictures, and the option is about texts.
    #[error("`{option}` is for texts, and the model reads pictures")]
    OnlyTexts {
        /// The option.
        option: &'static str,
    },
    /// A model that finds answers has one for all rows.
    #[error(
        "a column of answers is for language models; a model that finds answers is given one for all rows"
    )]
    AnswerColumn,
    /// An answer is found in a second text.
    #[error("the model finds answers in a second text: give one")]
    NoContext,
    /// One model is asked what two towers are asked, or the other way round.
    #[error(
        "the question is for a model of another kind: two towers compare pictures with texts, and one model does not"
    )]
    OtherKind,
    /// The model makes a vector of a text.
    #[error("the model makes a vector of a text, and decides nothing by itself")]
    Vector,
    /// A row of a table cannot be explained.
    #[error("row {row}: {reason}")]
    BadRow {
        /// Which row, counted from 1.
        row: u64,
        /// Why not.
        reason: String,
    },
    /// A text cannot be explained.
    #[error("{}{reason}", text.map_or(String::new(), |number| format!("text {number}: ")))]
    BadText {
        /// Which of several, counted from 1.
        text: Option<u64>,
        /// Why not.
        reason: String,
    },
    /// Continuations, and labels of tokens, are no columns of a table.
    #[error(
        "a table has one explanation a row: give a target, or a position, that each text has once"
    )]
    NotByRow,
    /// The code that computes panicked.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Threads could not be started.
    #[error("threads cannot be started: {0}")]
    Threads(String),
}
