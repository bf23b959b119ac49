//! Arguments of `relprop explain`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};

use super::{DeviceArgument, ModelArgument, PrecisionArgument, Shard};
use crate::output::FORMATS;

/// The formats of the one table that lists them.
fn formats() -> PossibleValuesParser {
    let values = FORMATS.iter();
    values
        .map(|format| PossibleValue::new(format.name).help(format.about))
        .into()
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The texts to explain; for a model that reads pictures, PNG or JPEG files
    #[arg(value_name = "TEXT", required_unless_present = "input")]
    pub(crate) texts: Vec<String>,
    /// A file of texts: .txt (a line a text), .tsv, .csv, .jsonl, .parquet or .arrow (column `text`
    /// or `sentence`); `-` reads lines from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// A second text, which the model reads after each of the texts: a hypothesis, an answer
    #[arg(long, value_name = "TEXT")]
    pub(crate) pair: Option<String>,
    /// The column of the texts that the model reads after those of the row: hypotheses, passages
    #[arg(long, value_name = "NAME", requires = "input", conflicts_with_all = ["pair", "texts"])]
    pub(crate) pair_column: Option<String>,
    /// Put each text through the chat template of the model's files, as what a user says or as a JSON list
    /// of messages with roles, up to where the model answers
    #[arg(long, conflicts_with_all = ["pair", "pair_column"])]
    pub(crate) chat: bool,
    /// The column of the texts, instead of `text` or `sentence`
    #[arg(long, value_name = "NAME", requires = "input")]
    pub(crate) column: Option<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// How: `lrp`, relevance propagation, or another of the methods of docs/methods.md, such as
    /// `integrated-gradients:steps=50` [default: lrp]
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// The rules of propagation: a preset (see `relprop rules`) or a TOML file [default: ah-ln]
    #[arg(long, value_name = "RULES")]
    pub(crate) rules: Option<String>,
    /// What to explain: `predicted`, a label, its index, or two of them as A-B; of a language model,
    /// the token that comes next, with its space: " are"
    #[arg(
        long,
        value_name = "TARGET",
        default_value = "predicted",
        allow_hyphen_values = true
    )]
    pub(crate) target: String,
    /// Explain why the target rather than this label or token: the difference of the two
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true)]
    pub(crate) against: Option<String>,
    /// Explain what a language model expects after token N, counted from 0, instead of the last one
    #[arg(long, value_name = "N")]
    pub(crate) position: Option<usize>,
    /// Explain the logit of the target, or the logarithm of its probability
    #[arg(long, value_enum, default_value_t = Unit::Logit)]
    pub(crate) score: Unit,
    /// Run every block again on the way back instead of keeping what it computed: with 24 blocks, an
    /// eighth of the memory beside the weights, for about half as much time again
    #[arg(long, conflicts_with = "ledger")]
    pub(crate) recompute: bool,
    /// Let a language model go on for N tokens, and explain each of them: one text, as ansi, json or
    /// html. It takes the likeliest token each time, or draws it with one of the four options below
    #[arg(long, value_name = "N", conflicts_with_all = ["input", "pair", "position", "target", "against"])]
    pub(crate) generate: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) sampling: SamplingArguments,
    /// The site at which propagation reads relevance (see `relprop inspect`) [default: blocks]
    #[arg(long, value_name = "SITE")]
    pub(crate) at: Option<String>,
    /// Account for the whole target: what each bias, norm, activation and softmax absorbed
    #[arg(long)]
    pub(crate) ledger: bool,
    /// How results are written; else the ending of --out says it, and without one it is `ansi`
    #[arg(long, value_parser = formats())]
    pub(crate) format: Option<String>,
    /// The file for the results, instead of standard output; see docs/bulk.md for large tables
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The file for the rows that could not be explained: a JSON object a line, with the number of
    /// the row, the reason and the row
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
    /// Go on with the run that was interrupted, or start it where there is none
    #[arg(long, requires_all = ["input", "out"], conflicts_with = "texts")]
    pub(crate) resume: bool,
    /// Explain only part I of N of the table, counted from 1; the parts in order are the whole
    #[arg(long, value_name = "I/N", requires = "input", conflicts_with = "texts")]
    pub(crate) shard: Option<Shard>,
    /// How many rows are written at a time, which is also what an interruption can cost
    #[arg(long, value_name = "ROWS", default_value = "1024")]
    pub(crate) group: NonZeroUsize,
    /// Write a picture with its heat map over it, as a PNG; of several, each with its number in the name
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Option<PathBuf>,
    /// Refuse texts that are too long for the model instead of cutting them
    #[arg(long)]
    pub(crate) no_truncate: bool,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgument,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// How a continuation is drawn: any of these turns it on.
#[derive(Debug, Args)]
pub(crate) struct SamplingArguments {
    /// Draw tokens from logits that are divided by T: below 1 for likelier tokens, above 1 for rarer
    /// ones [default of drawing: 1]
    #[arg(
        long,
        value_name = "T",
        requires = "generate",
        allow_negative_numbers = true
    )]
    pub(crate) temperature: Option<f64>,
    /// Draw of the K likeliest tokens [default of drawing: all]
    #[arg(long, value_name = "K", requires = "generate")]
    pub(crate) top_k: Option<NonZeroUsize>,
    /// Draw of the likeliest tokens that have the probability P together [default of drawing: 1]
    #[arg(
        long,
        value_name = "P",
        requires = "generate",
        allow_negative_numbers = true
    )]
    pub(crate) top_p: Option<f64>,
    /// What the draws come from; the same seed draws the same tokens [default of drawing: 0]
    #[arg(long, value_name = "N", requires = "generate")]
    pub(crate) seed: Option<u64>,
}

/// In which unit a target is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unit {
    /// Its logit
    Logit,
    /// The logarithm of its probability
    LogProbability,
}
