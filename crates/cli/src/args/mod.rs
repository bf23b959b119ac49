//! The arguments as the user types them.

mod evaluate;
mod explain;
mod serve;
mod shard;
mod similar;
mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use relprop_engine::measure::REVIEWS;

pub(crate) use evaluate::{EvaluateArguments, TuneArguments};
pub(crate) use explain::{ExplainArguments, PartsArgument, SamplingArguments, Unit};
pub(crate) use serve::{PORT, ServeArguments};
pub(crate) use shard::Shard;
pub(crate) use similar::{MeasureArgument, PoolingArgument, SimilarArguments, SimilarFormat};
pub(crate) use train::{TaskArgument, TrainArguments};

/// Explains the decisions of Transformers by relevance propagation.
#[derive(Debug, Parser)]
#[command(name = "relprop", version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train, explain and evaluate on an embedded corpus, and write one HTML report
    Demo(DemoArguments),
    /// Train a small Transformer on labeled texts or pictures
    Train(TrainArguments),
    /// Explain why a model decided as it did
    Explain(Box<ExplainArguments>),
    /// Explain why two texts are alike to a model that makes vectors of them
    Similar(Box<SimilarArguments>),
    /// Serve a page and a JSON API that explain a model's decisions
    Serve(ServeArguments),
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
    /// Print what a shell needs to complete this program's arguments
    Completions(CompletionsArguments),
    /// Write the manual pages
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The folder for the model and the report
    #[arg(long, value_name = "DIR", default_value = "relprop-demo")]
    pub(crate) out: PathBuf,
    /// The seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many reviews are written: eight tenths to train on, a tenth held out, a tenth to test
    #[arg(long, value_name = "N", default_value_t = REVIEWS, value_parser = clap::value_parser!(u32).range(100..))]
    pub(crate) reviews: u32,
    /// Serve the model at the end, with the page of `relprop serve`
    #[arg(long)]
    pub(crate) serve: bool,
    /// The port of the page; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = PORT, requires = "serve")]
    pub(crate) port: u16,
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
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// A preset (see `relprop rules`) or a TOML file
    #[arg(long, value_name = "RULES", default_value = "ah-ln")]
    pub(crate) rules: String,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The folder for the pages: one for the program, and one for each command
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}

/// Which model.
#[derive(Debug, Args)]
pub(crate) struct ModelArgument {
    /// The folder of the model; or its name on the Hugging Face Hub, owner/name or
    /// owner/name@revision, in a build with --features hub
    #[arg(id = "model", long, value_name = "MODEL")]
    pub(crate) name: PathBuf,
    /// The folder of the model that a LoRA adapter changes, where the adapter's own file does not lead to it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) base: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DeviceArgument {
    /// The device to compute on: `auto`, or one of `relprop devices`, such as `gpu` or `gpu:1`
    #[arg(id = "device", long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct PrecisionArgument {
    /// The float type of weights: f32, f16 or bf16; f64 computes everything in it, for relevance in which
    /// the digits of f32 cancel out
    #[arg(long = "dtype", value_name = "TYPE", default_value = "f32", value_parser = ["f64", "f32", "f16", "bf16"])]
    pub(crate) dtype: String,
}
