//! Arguments of `relprop similar`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DeviceArgument, ModelArgument, PrecisionArgument};

#[derive(Debug, Args)]
pub(crate) struct SimilarArguments {
    /// The two texts; with --query, the texts that it is compared with. For a model that reads pictures, files of pictures
    #[arg(value_name = "TEXT", required_unless_present = "input")]
    pub(crate) texts: Vec<String>,
    /// A text, or a picture, that is compared with each of the others: the most similar come first
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// A file of texts to compare the query with: .txt, .tsv, .csv, .jsonl, .parquet or .arrow
    #[arg(long, value_name = "FILE", requires = "query")]
    pub(crate) input: Option<PathBuf>,
    /// The column of the texts, instead of `text` or `sentence`
    #[arg(long, value_name = "NAME", requires = "input")]
    pub(crate) column: Option<String>,
    /// How many of the texts are explained, the most similar first
    #[arg(long, value_name = "N", default_value_t = 3, requires = "query")]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// What is explained
    #[arg(long, value_enum, default_value_t = MeasureArgument::Cosine)]
    pub(crate) measure: MeasureArgument,
    /// The hidden states that a vector is made of, in place of what the folder says [default: the folder's; else the mean
    /// of a text, and of a picture what its model has for it]
    #[arg(long, value_enum)]
    pub(crate) pooling: Option<PoolingArgument>,
    /// The rules of propagation: a preset (see `relprop rules`) or a TOML file [default: ah-ln]
    #[arg(long, value_name = "RULES")]
    pub(crate) rules: Option<String>,
    /// The site at which relevance is read (see `relprop inspect`) [default: blocks]
    #[arg(long, value_name = "SITE")]
    pub(crate) at: Option<String>,
    /// Account for all of the measure, on both sides: print where it went, block by block
    #[arg(long)]
    pub(crate) ledger: bool,
    /// How results are written; else the ending of --out says it, and without one it is `ansi`
    #[arg(long, value_enum)]
    pub(crate) format: Option<SimilarFormat>,
    /// The file for the results, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgument,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// How alike two vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasureArgument {
    /// The cosine of the angle between them
    Cosine,
    /// Their product
    Dot,
}

/// The hidden states that a vector is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PoolingArgument {
    /// The mean over all tokens; of a picture, over its patches
    Mean,
    /// The first token's; of a picture, the class token's
    First,
    /// The last token's
    Last,
}

/// How similarities are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SimilarFormat {
    /// Heat maps for the terminal, and the strongest pairs of words
    Ansi,
    /// One JSON object, or an array of several
    Json,
    /// A page with a table of pairs of words
    Html,
}
