//! The arguments as the user types them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use relprop_evaluate::metrics;
use relprop_evaluate::tune::STARTS;
use relprop_explain::DEFAULT_SITE;
use serde::{Deserialize, Serialize};

use crate::bulk::Shard;
use crate::commands::REVIEWS;
use crate::precision::Precision;

/// Explains the decisions of Transformers by relevance propagation.
#[derive(Debug, Parser)]
#[command(name = "relprop", version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole thing on an embedded corpus: train, explain, evaluate, one HTML report
    Demo(DemoArguments),
    /// Train a small Transformer on labelled texts or pictures
    Train(TrainArguments),
    /// Explain why a model decided as it did
    Explain(Box<ExplainArguments>),
    /// Measure which explanation of a model is the most faithful
    Evaluate(EvaluateArguments),
    /// Search for the rule set that is the most faithful on a model and texts
    Tune(TuneArguments),
    /// List the presets, or print one as TOML
    Rules(RulesArguments),
    /// Show a model, its sites, and the rule that each gets
    Inspect(InspectArguments),
    /// List the devices that are compiled in, and those that were found
    Devices,
}

/// The method that goes by rules.
pub(crate) const LRP: &str = "lrp";
/// The rules unless others are asked for.
pub(crate) const DEFAULT_RULES: &str = "ah-ln";

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The folder for the model and the report
    #[arg(long, value_name = "DIR", default_value = "relprop-demo")]
    pub(crate) out: PathBuf,
    /// What all random numbers come from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many reviews are written: eight tenths to train on, a tenth held out, a tenth to test
    #[arg(long, value_name = "N", default_value_t = REVIEWS, value_parser = clap::value_parser!(u32).range(100..))]
    pub(crate) reviews: u32,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// A folder with train.tsv and dev.tsv, or one .tsv, .csv or .jsonl file with the columns
    /// `text` (or `sentence`) and `label`; or `agreement`, embedded sentences for --task next-token; or
    /// a folder of pictures: a folder of PNG or JPEG files for each label, or the files of MNIST
    #[arg(long, value_name = "PATH")]
    pub(crate) data: PathBuf,
    /// What the model learns: labels, or which token comes next (labels are then not needed for
    /// anything); instead of the settings' own task
    #[arg(long, value_enum)]
    pub(crate) task: Option<TaskArgument>,
    /// The folder for the model; an interrupted training in it is resumed
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Settings in TOML; all of them are in docs/training.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What all random numbers come from, instead of the settings' own seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Print plain lines even where there is a terminal for the dashboard
    #[arg(long)]
    pub(crate) no_tui: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
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
    /// The column of the texts, instead of `text` or `sentence`
    #[arg(long, value_name = "NAME", requires = "input")]
    pub(crate) column: Option<String>,
    /// The folder of the model; or its name on the Hugging Face Hub, owner/name or
    /// owner/name@revision, in a build with --features hub
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// How: `lrp`, relevance propagation, or another of the methods of docs/methods.md, such as
    /// `integrated-gradients:steps=50`
    #[arg(long, value_name = "METHOD", default_value = LRP)]
    pub(crate) method: String,
    /// A preset (see `relprop rules`) or a TOML file
    #[arg(long, value_name = "RULES", default_value = DEFAULT_RULES)]
    pub(crate) rules: String,
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
    /// The site at which relevance is read (see `relprop inspect`)
    #[arg(long, value_name = "SITE", default_value = DEFAULT_SITE)]
    pub(crate) at: String,
    /// Account for the whole target: what each bias, norm, activation and softmax absorbed
    #[arg(long)]
    pub(crate) ledger: bool,
    /// How results are written; else the ending of --out says it, and without one it is `ansi`
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
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

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The folder of the model; or its name on the Hugging Face Hub, owner/name or
    /// owner/name@revision, in a build with --features hub
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// A .tsv, .csv or .jsonl file with the columns `text` (or `sentence`) and `label`; a .txt file of
    /// trees from the Stanford Sentiment Treebank, whose words people have judged; or `reviews`, the
    /// embedded corpus, whose deciding words are known
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// What to measure: metrics (docs/evaluation.md lists them), or `all` that the data allow
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = metrics::DEFAULT.map(String::from))]
    pub(crate) metrics: Vec<String>,
    /// The label whose logit is explained: the true one of each text, or the one that the model
    /// predicts (the texts need no labels then)
    #[arg(long, value_enum, default_value_t = EvaluationTarget::True)]
    pub(crate) target: EvaluationTarget,
    /// What to compare: presets (see `relprop rules`), TOML files, and the methods of
    /// docs/methods.md, such as `random` or `integrated-gradients:steps=50`
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = METHODS.map(String::from))]
    pub(crate) methods: Vec<String>,
    /// Take the first N texts only
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// What all random numbers come from
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

/// What `evaluate` compares unless it is told.
const METHODS: [&str; 8] = [
    "random",
    "gradient-x-input",
    "ah",
    "ln",
    "ah-ln",
    "attn-lrp",
    "libra",
    "libra-gamma",
];

#[derive(Debug, Args)]
pub(crate) struct TuneArguments {
    /// The folder of the model; or its name on the Hugging Face Hub, owner/name or
    /// owner/name@revision, in a build with --features hub
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// Texts with labels, as for `relprop evaluate`; a third of those that are taken is held out
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// The rule sets that the search may start from: presets (see `relprop rules`), TOML files
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values_t = STARTS.map(String::from))]
    pub(crate) start: Vec<String>,
    /// Try so many rule sets at most
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
    /// What all random numbers come from
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

#[derive(Debug, Args)]
pub(crate) struct RulesArguments {
    /// The preset to print
    #[arg(value_name = "PRESET")]
    pub(crate) preset: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// The folder of the model; or its name on the Hugging Face Hub, owner/name or
    /// owner/name@revision, in a build with --features hub
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// A preset (see `relprop rules`) or a TOML file
    #[arg(long, value_name = "RULES", default_value = "ah-ln")]
    pub(crate) rules: String,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

#[derive(Debug, Args)]
pub(crate) struct DeviceArgument {
    /// The device to compute on: `auto`, or one of `relprop devices`, such as `gpu` or `gpu:1`
    #[arg(long = "device", value_name = "DEVICE", default_value = "auto")]
    pub(crate) name: String,
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

/// The label that an evaluation explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EvaluationTarget {
    /// The true label
    True,
    /// The label that the model predicts
    Predicted,
}

#[derive(Debug, Args)]
pub(crate) struct PrecisionArgument {
    /// The type of float to keep weights and to multiply with them in
    #[arg(long = "dtype", value_name = "TYPE", value_enum, default_value_t = Precision::F32)]
    pub(crate) dtype: Precision,
}

/// What a training is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskArgument {
    /// The labels of texts
    Classify,
    /// The next token of texts
    NextToken,
}

/// In which unit a target is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unit {
    /// Its logit
    Logit,
    /// The logarithm of its probability
    LogProbability,
}

/// How explanations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A heat map for the terminal
    Ansi,
    /// One JSON object, or an array of several
    Json,
    /// One JSON object a line
    Jsonl,
    /// A table: the columns of the input, then those of the explanation, lists as JSON
    Csv,
    /// A page with the heat map, and under it that of other rule sets
    Html,
    /// A table: the columns of the input, then those of the explanation
    Parquet,
    /// The same table in Arrow's IPC format
    Arrow,
}

impl Format {
    /// The format that the ending of `path` stands for. None if it stands for none.
    pub(crate) fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "ansi" => Some(Self::Ansi),
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "html" => Some(Self::Html),
            "parquet" => Some(Self::Parquet),
            "arrow" | "feather" => Some(Self::Arrow),
            _ => None,
        }
    }
}
