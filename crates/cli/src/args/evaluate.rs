//! Arguments of `relprop evaluate` and `relprop tune`.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use relprop_engine::measure::{COMPARED_METHODS, Hide, Measured, TextColumns};
use relprop_evaluate::metrics;
use relprop_evaluate::tune::STARTS;

use super::{DeviceArgument, ModelArgument, PrecisionArgument};

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// A .tsv, .csv or .jsonl file with the columns `text` (or `sentence`) and `label`; a .txt file of
    /// trees from the Stanford Sentiment Treebank, whose words people have judged; or an embedded corpus whose
    /// deciding words are known: `reviews`, or `needles` for a language model. For a model that reads pictures, a folder as
    /// `relprop train` reads it, or a file with the columns `picture`, the name of a file beside it, and `label`
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// The column of the file that says which pieces of a text decide its label: a piece of the text,
    /// `[start, end]` in characters, or a list of these. Of a picture: a box `x0,y0,x1,y1` in pixels, several with `;` between
    /// them, or a file that is black outside of what decides
    #[arg(long, value_name = "NAME")]
    pub(crate) evidence_column: Option<String>,
    /// What stands in the place of a patch that is hidden
    #[arg(long, value_enum, default_value_t = HideArgument::Mean)]
    pub(crate) hide: HideArgument,
    /// What to measure: metrics (docs/evaluation.md lists them), or `all` that the data allow
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = metrics::DEFAULT.map(String::from))]
    pub(crate) metrics: Vec<String>,
    /// The column of the second texts, which the model reads after the first: hypotheses, passages, contexts. What decides then
    /// stands in the second text
    #[arg(long, value_name = "NAME")]
    pub(crate) pair_column: Option<String>,
    /// The column of the file that has the answer to each text, for a language model; a .jsonl file keeps the
    /// space that it begins with. For a model that finds answers, what stands in the second text
    #[arg(long, value_name = "NAME")]
    pub(crate) answer_column: Option<String>,
    /// What is explained: the `true` label of each text, or the answer to it; what the model has `predicted` (the
    /// texts need no labels then); or a target as docs/questions.md writes it
    #[arg(long, value_name = "TARGET", default_value = "true", value_parser = measured)]
    pub(crate) target: Measured,
    /// Pass relevance on earlier text of an answer on to what that text rests on, at most N times
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) hops: usize,
    /// What to compare: presets (see `relprop rules`), TOML files, and the methods of
    /// docs/methods.md, such as `random` or `integrated-gradients:steps=50`. After rules, `@SITE` says where relevance is
    /// read, instead of at `blocks`
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

impl EvaluateArguments {
    /// The columns that are read beside texts and labels.
    pub(crate) fn columns(&self) -> TextColumns<'_> {
        TextColumns {
            evidence: self.evidence_column.as_deref(),
            answer: self.answer_column.as_deref(),
            pair: self.pair_column.as_deref(),
        }
    }
}

/// What stands in the place of a hidden patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HideArgument {
    /// Zeros, which are the mean color where the preprocessor takes the mean away
    Mean,
    /// The patch of the picture after a blur as wide as a patch
    Blur,
}

impl From<HideArgument> for Hide {
    fn from(hide: HideArgument) -> Self {
        match hide {
            HideArgument::Mean => Self::Mean,
            HideArgument::Blur => Self::Blur,
        }
    }
}

/// Reads what is explained.
fn measured(written: &str) -> Result<Measured, Infallible> {
    Ok(written.to_owned().into())
}

/// The label that a search explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TunedTarget {
    /// The true label
    True,
    /// The label that the model predicts
    Predicted,
}

impl From<TunedTarget> for Measured {
    fn from(target: TunedTarget) -> Self {
        match target {
            TunedTarget::True => Self::True,
            TunedTarget::Predicted => Self::Predicted,
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
    #[arg(long, value_enum, default_value_t = TunedTarget::True)]
    pub(crate) target: TunedTarget,
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
