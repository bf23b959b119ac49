//! Arguments of `relprop train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DeviceArgument;

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// A folder with train.tsv and dev.tsv, or one .tsv, .csv or .jsonl file with the columns
    /// `text` (or `sentence`) and `label`; or `agreement`, embedded sentences for --task next-token, or
    /// `needles`, facts and questions for it; or a folder of pictures: a folder of picture files for each
    /// label, or the files of MNIST
    #[arg(long, value_name = "PATH")]
    pub(crate) data: PathBuf,
    /// What the model learns: labels, or the next token (labels are then not used); replaces the
    /// task of the settings
    #[arg(long, value_enum)]
    pub(crate) task: Option<TaskArgument>,
    /// The folder for the model; an interrupted training in it is resumed
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Settings in TOML; all of them are in docs/training.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The seed of all random numbers, instead of the settings' own seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// What a training is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskArgument {
    /// The labels of texts
    Classify,
    /// The next token of texts
    NextToken,
}
