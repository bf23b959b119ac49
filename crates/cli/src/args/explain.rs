//! Arguments of `relprop explain`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};
use relprop_explain::Segmentation;

use super::{DeviceArgument, ModelArgument, PrecisionArgument, Shard};
use crate::output::FORMATS;

/// The names of the formats, from the table that lists them.
fn formats() -> PossibleValuesParser {
    let values = FORMATS.iter();
    values
        .map(|format| PossibleValue::new(format.name).help(format.about))
        .into()
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The texts to explain; for a model that reads pictures, PNG, JPEG, GIF, WebP, BMP or TIFF files
    #[arg(value_name = "TEXT", required_unless_present = "input")]
    pub(crate) texts: Vec<String>,
    /// A file of texts: .txt (one text in each line), .tsv, .csv, .jsonl, .parquet or .arrow
    /// (column `text` or `sentence`); `-` reads lines from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// A second text, which the model reads after each of the texts: a hypothesis, an answer
    #[arg(long, value_name = "TEXT")]
    pub(crate) pair: Option<String>,
    /// The column of the second texts, which the model reads after the first: hypotheses, passages
    #[arg(long, value_name = "NAME", requires = "input", conflicts_with_all = ["pair", "texts"])]
    pub(crate) pair_column: Option<String>,
    /// A text that the model reads before each of the texts: a query before passages, a question before
    /// texts that may answer it
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["pair", "pair_column", "chat", "generate", "answer_column"])]
    pub(crate) query: Option<String>,
    /// Choose among labels that the model was never trained on: each makes a sentence by --template, and a
    /// model of entailment says whether it follows from the text. The model's label that says so is the one
    /// that begins with `entail`, or --target
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', conflicts_with_all = ["pair", "pair_column", "query", "chat", "position", "generate", "answer", "answer_column"])]
    pub(crate) labels: Vec<String>,
    /// The sentence that a label makes, with {} where it stands [default: This example is {}.]
    #[arg(long, value_name = "TEXT", requires = "labels")]
    pub(crate) template: Option<String>,
    /// Several of the labels can be true at once
    #[arg(long, requires = "labels")]
    pub(crate) several: bool,
    /// Compare each picture with these texts, to a model of two towers, such as CLIP or SigLIP: how well each text fits, and
    /// why, by patches of the picture and by words. --target is one of the texts, or two of them as A-B; --at may name a site
    /// of either tower, as PICTURE,TEXT
    #[arg(long = "texts", value_name = "TEXT", num_args = 1.., conflicts_with_all = ["input", "pair", "pair_column", "query", "labels", "chat", "column", "position", "parts", "answer", "answer_column", "generate", "segments", "hops", "errors", "resume", "shard", "base"])]
    pub(crate) captions: Vec<String>,
    /// Also say what patches and words do together; with --texts. It takes a pass for each feature of a vector
    #[arg(long, requires = "captions")]
    pub(crate) pairs: bool,
    /// Put each text through the chat template of the model's files, as what a user says or as a JSON list
    /// of messages with roles, up to where the model answers
    #[arg(long, conflicts_with_all = ["pair", "pair_column"])]
    pub(crate) chat: bool,
    /// The column of the texts, instead of `text` or `sentence`
    #[arg(long, value_name = "NAME", requires = "input")]
    pub(crate) column: Option<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgument,
    /// The method: `lrp` for relevance propagation, or another method of docs/methods.md, such as
    /// `integrated-gradients:steps=50` [default: lrp]
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// The rules of propagation: a preset (see `relprop rules`) or a TOML file [default: ah-ln]
    #[arg(long, value_name = "RULES")]
    pub(crate) rules: Option<String>,
    /// What to explain: `predicted`, a label, its index, two of them as A-B, a label against the mean as
    /// A-mean() or A-mean(5); for a language model, the next token, with its space: " are". A place in
    /// the text may follow: PER@"Ada Lovelace", answer()@"on the table", A@word(3), A@entity(-1). See docs/questions.md
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
    /// Explain what a language model expects after token N, counted from 0, instead of the last one;
    /// the label of token N, where each token has one; the mask at token N, of several: TARGET@token(N)
    #[arg(long, value_name = "N")]
    pub(crate) position: Option<usize>,
    /// Explain why a language model gives this answer to the text: all of it at once, the sum of its tokens'
    /// logits or, with --score log-probability, the logarithm of its probability. With --target
    /// 'answer()@"a part of it"', only that part. Of a model that finds answers in a second text, one that
    /// stands there
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["position", "generate", "against"])]
    pub(crate) answer: Option<String>,
    /// The column of the answers, one for each row
    #[arg(long, value_name = "NAME", requires = "input", conflicts_with_all = ["answer", "texts", "pair", "pair_column", "position", "generate", "against"])]
    pub(crate) answer_column: Option<String>,
    /// What is explained one after another, where each token of a text has a label
    #[arg(long, value_enum, default_value_t = PartsArgument::Entities, conflicts_with = "position")]
    pub(crate) parts: PartsArgument,
    /// How the target is measured
    #[arg(long, value_enum, default_value_t = Unit::Logit)]
    pub(crate) score: Unit,
    /// Keep only what goes into each block, and run the blocks again in the backward pass, part by part:
    /// memory then grows with the length of a text and not with its square, and it takes about half as
    /// much time again. Without --ledger, texts that would take more than 4 GiB are explained so in any case
    #[arg(long, conflicts_with = "ledger")]
    pub(crate) recompute: bool,
    /// Let a language model generate N tokens, and explain each of them: for one text, as ansi,
    /// json or html. With --target 'answer()', explain all of them at once, or with
    /// 'answer()@"a part"' a part of them. The likeliest token is taken each time; with one of the four
    /// options below, tokens are drawn
    #[arg(long, value_name = "N", conflicts_with_all = ["pair", "position", "against"])]
    pub(crate) generate: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) sampling: SamplingArguments,
    /// Gather relevance by segments of the text, ranked: `sentences`, `lines`, `words`, the fields of a text
    /// that is a `json` document, or what a separator ends: '"\n\n"' in quotes as in JSON, or signs such as ---
    #[arg(long, value_name = "HOW", allow_hyphen_values = true)]
    pub(crate) segments: Option<Segmentation>,
    /// The site at which propagation reads relevance (see `relprop inspect`) [default: blocks]
    #[arg(long, value_name = "SITE")]
    pub(crate) at: Option<String>,
    /// Pass relevance that lands on earlier text of an answer on to what that text rests on, N times at
    /// most: from the answer through its reasoning to the prompt
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        conflicts_with = "recompute"
    )]
    pub(crate) hops: usize,
    /// Account for the whole target: what each bias, norm, activation and softmax absorbed
    #[arg(long)]
    pub(crate) ledger: bool,
    /// The format of the results; by default the one of the ending of --out, or else `ansi`
    #[arg(long, value_parser = formats())]
    pub(crate) format: Option<String>,
    /// The file for the results, instead of standard output; see docs/bulk.md for large tables
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The file for the rows that could not be explained: one JSON object in each line, with the
    /// number of the row, the reason and the row
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
    /// Go on with the run that was interrupted, or start one if there is none
    #[arg(long, requires_all = ["input", "out"], conflicts_with = "texts")]
    pub(crate) resume: bool,
    /// Explain only part I of N of the table, counted from 1; the parts joined in order are the
    /// whole
    #[arg(long, value_name = "I/N", requires = "input", conflicts_with = "texts")]
    pub(crate) shard: Option<Shard>,
    /// How many rows are written at a time; an interruption loses at most this many
    #[arg(long, value_name = "ROWS", default_value = "1024")]
    pub(crate) group: NonZeroUsize,
    /// Write the picture with its heat map over it, as a PNG; if there are several, each file has a
    /// number in its name
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Option<PathBuf>,
    /// Refuse texts that are too long for the model instead of cutting them
    #[arg(long)]
    pub(crate) no_truncate: bool,
    /// Read texts that are too long for the model in windows that overlap by half, and explain the mean of
    /// their logits, where a label of the whole text is explained
    #[arg(long, conflicts_with = "no_truncate")]
    pub(crate) windows: bool,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgument,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// How the tokens of a continuation are drawn. Any of these options turns drawing on.
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
    /// Draw from the K likeliest tokens [default of drawing: all]
    #[arg(long, value_name = "K", requires = "generate")]
    pub(crate) top_k: Option<NonZeroUsize>,
    /// Draw from the fewest likeliest tokens that together have the probability P [default of
    /// drawing: 1]
    #[arg(
        long,
        value_name = "P",
        requires = "generate",
        allow_negative_numbers = true
    )]
    pub(crate) top_p: Option<f64>,
    /// The seed of the draws; the same seed draws the same tokens [default of drawing: 0]
    #[arg(long, value_name = "N", requires = "generate")]
    pub(crate) seed: Option<u64>,
}

/// How a target is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unit {
    /// The logit
    Logit,
    /// The logarithm of the probability
    LogProbability,
    /// The entropy of the prediction: how undecided the model is
    Entropy,
    /// The norm of the state that the head reads: how sure the model is, of whatever
    Norm,
}

/// Which parts of a text whose tokens have labels are explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartsArgument {
    /// Each entity: neighbouring tokens whose labels go on, such as B-PER and I-PER
    Entities,
    /// Each token
    Tokens,
}
