//! Arguments of `relprop evaluate` and `relprop tune`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use relprop_engine::measure::{COMPARED_METHODS, MeasuredLabel};
use relprop_evaluate::metrics;
use relprop_evaluate::tune::STARTS;

use super::{DeviceArgument, ModelArgument, PrecisionArgument};

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// A .tsv, .csv or .jsonl file with the columns `text` (or `sentence`) and `label`; a .txt file of
    /// trees from the Stanford Sentiment Treebank, whose words people have judged; or `reviews`, the
    /// embedded corpus, whose deciding words are known
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// The column of the file that says which pieces of a text decide its label: a piece of the text,
    /// `[start, end]` in characters, or a list of these
    #[arg(long, value_name = "NAME")]
    pub(crate) evidence_column: Option<String>,
    /// What to measure: metrics (docs/evaluation.md lists them), or `all` that the data allow
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = metrics::DEFAULT.map(String::from))]
    pub(crate) metrics: Vec<String>,
    /// The label whose logit is explained: the true one of each text, or the one that the model
    /// predicts (the texts need no labels then)
    #[arg(long, value_enum, default_value_t = EvaluationTarget::True)]
    pub(crate) target: EvaluationTarget,
    /// What to compare: presets (see `relprop rules`), TOML files, and the methods of
    /// docs/methods.md, such as `random` or `integrated-gradients:steps=50`
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = COMPARED_METHODS.map(String::from))]
    pub(crate) methods: Vec<String>,
    /// Take the first N texts only
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// The seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The folder for results.json, curves.svg and report.html; an interrupted run in it goes on
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgument,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// The label that an evaluation explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvaluationTarget {
    /// The true label
    True,
    /// The label that the model predicts
    Predicted,
}

impl From<EvaluationTarget> for MeasuredLabel {
    fn from(target: EvaluationTarget) -> Self {
        match target {
            EvaluationTarget::True => Self::True,
            EvaluationTarget::Predicted => Self::Predicted,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TuneArguments {
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// Texts with labels, as for `relprop evaluate`; a third of those that are taken is held out
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// The rule sets that the search may start from: presets (see `relprop rules`), TOML files
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = STARTS.map(String::from))]
    pub(crate) start: Vec<String>,
    /// Try at most this many rule sets
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) tries: usize,
    /// Take N texts, drawn at random
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) limit: usize,
    /// Take texts of at least N words only: the order of a few words says little
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) min_words: usize,
    /// The label whose logit is explained: the true one of each text, or the one that the model
    /// predicts (the texts need no labels then)
    #[arg(long, value_enum, default_value_t = EvaluationTarget::True)]
    pub(crate) target: EvaluationTarget,
    /// The seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print every rule set that is tried, with its score
    #[arg(long)]
    pub(crate) verbose: bool,
    /// The file for the rule set, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}
