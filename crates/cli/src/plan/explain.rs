//! The plan of `relprop explain`.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use relprop_checkpoints::{Input, Model, SETTINGS_FILES, Truncation, sha256};
use relprop_data::Table;
use relprop_engine::{COMPARED, NamedRules, Precision, Request, RowKind, Second};
use relprop_explain::{Parts, Plan, Sampling, Score};
use relprop_rules::RuleSet;
use serde::ser::Error;
use serde::{Serialize, Serializer};

use crate::args::{ExplainArguments, PartsArgument, SamplingArguments, Unit};
use crate::input::open_table;
use crate::opened;
use crate::output::{Format, is_file};
use crate::usage::UsageError;

/// Everything that decides what is written.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ExplainPlan {
    schema: &'static str,
    version: &'static str,
    /// The SHA-256 of the model's weights.
    model: Option<String>,
    /// Its other files.
    model_files: Hashed,
    device: String,
    dtype: String,
    /// What is asked of the model.
    #[serde(flatten)]
    pub(crate) question: Plan,
    /// Rule sets beside the one that is asked for.
    pub(crate) compared: Vec<RuleSet>,
    pub(crate) content: RowKind,
    /// Whether texts are put through the chat template.
    pub(crate) chat: bool,
    /// The table.
    input: Option<Hashed>,
    /// The column of the texts, if it was named.
    column: Option<String>,
    /// The rows of the table, counted from 0.
    pub(crate) rows: Option<Range<u64>>,
    /// How many rows are explained and written at a time.
    pub(crate) group: NonZeroUsize,
    #[serde(serialize_with = "name")]
    pub(crate) format: &'static Format,
}

/// The part of the plan that is known before the model is loaded.
pub(crate) struct Checked {
    pub(crate) format: &'static Format,
    pub(crate) rules: Option<RuleSet>,
}

/// The source of the texts and the destination of the output. Two runs of one plan may differ in
/// these.
pub(crate) struct Destined {
    /// The texts of the command line, or the names of pictures.
    pub(crate) texts: Vec<String>,
    pub(crate) table: Option<Table>,
    pub(crate) standard_input: bool,
    pub(crate) out: Option<PathBuf>,
    pub(crate) errors: Option<PathBuf>,
    pub(crate) overlay: Option<PathBuf>,
    pub(crate) resume: bool,
}

/// Files that are part of a plan by their content. They are hashed only when the plan is written,
/// because a table can be large and not every run can be resumed.
struct Hashed(Vec<PathBuf>);

impl Serialize for Hashed {
    /// The SHA-256 of the files one after another, in hexadecimal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hash = sha256(&self.0).map_err(S::Error::custom)?;
        serializer.serialize_str(&hash)
    }
}

fn name<S: Serializer>(format: &&Format, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.name)
}

impl ExplainPlan {
    /// Checks what can be checked without the model, because a model can be large and may have to
    /// be fetched.
    pub(crate) fn check(arguments: &ExplainArguments) -> anyhow::Result<Checked> {
        let format = format(arguments)?;
        let rules = arguments.rules.as_deref().map(opened::rules).transpose()?;
        let to_file = arguments.out.as_deref().is_some_and(is_file);
        let standard_input = is_standard_input(arguments);
        let message = if format.only_to_file() && !to_file {
            "a Parquet or Arrow table is written to a file: name it (--out)"
        } else if format.name == "svg" && (arguments.input.is_some() || arguments.texts.len() != 1)
        {
            "an SVG is one drawing: give one text, or one picture"
        } else if format.is_table() && arguments.input.is_some() && !arguments.texts.is_empty() {
            "a table has the columns of one input: give texts or --input, not both"
        } else if arguments.resume && (format.is_document() || !to_file) {
            "only a run that writes .jsonl, .csv, .parquet, .arrow or .txt to a file can be resumed"
        } else if standard_input
            && (arguments.resume || arguments.shard.is_some() || arguments.column.is_some())
        {
            "standard input is lines, read once and from the start: give a file to --input"
        } else {
            return Ok(Checked { format, rules });
        };
        UsageError::refuse(message)
    }

    /// The plan of these arguments for `model`, which was read from `folder`.
    ///
    /// Every argument is named here, so that a new one cannot be forgotten. An argument that
    /// decides what is written goes into the plan; any other goes into [`Destined`].
    pub(crate) fn new(
        arguments: ExplainArguments,
        checked: Checked,
        precision: Precision,
        model: &Model,
        folder: &Path,
    ) -> anyhow::Result<(Self, Destined)> {
        let Checked { format, rules } = checked;
        let standard_input = is_standard_input(&arguments);
        refuse(&arguments, format, model)?;
        let ExplainArguments {
            texts,
            input,
            pair,
            pair_column,
            query,
            labels,
            template,
            several,
            // A picture and texts are no rows.
            captions: _,
            pairs: _,
            chat,
            column,
            // The plan has the hash of the model instead.
            model: _,
            method,
            rules: _,
            target,
            against,
            position,
            parts,
            answer,
            answer_column,
            score,
            recompute,
            generate,
            sampling,
            at,
            ledger,
            hops,
            segments,
            format: _,
            out,
            errors,
            resume,
            shard,
            group,
            overlay,
            no_truncate,
            windows,
            precision: _,
            // The model is on the device.
            device: _,
        } = arguments;
        let second = |column: Option<String>, text: Option<String>| {
            column.map(Second::Column).or(text.map(Second::Text))
        };
        let request = Request {
            method,
            rules: rules.map(NamedRules::Set),
            at,
            ledger,
            recompute,
            target,
            against,
            position,
            hops,
            segments,
            score: unit(score),
            truncation: truncation(no_truncate, windows),
            seed: 0,
            pair: second(pair_column, pair).or(query.map(Second::Before)),
            labels: labels.iter().map(|label| label.trim().to_owned()).collect(),
            template,
            several,
            answer: second(answer_column, answer),
            chat,
            parts: match parts {
                PartsArgument::Entities => Parts::Entities,
                PartsArgument::Tokens => Parts::Tokens,
            },
            generate,
            sampling: drawn(&sampling),
        };
        let (question, content) = request.plan(model).map_err(UsageError::from)?;
        if matches!(content, RowKind::Prompts { .. }) {
            if !format.continuations {
                return UsageError::refuse(
                    "a continuation is written as ansi, json or html (--format); as a whole, with \
                     --target 'answer()', it is written as every explanation is",
                );
            }
            if texts.len() != 1 || input.is_some() {
                return UsageError::refuse(
                    "--generate goes on with one text: give one, or --target 'answer()'",
                );
            }
        }
        if matches!(content, RowKind::Labelled { .. }) && !format.labellings {
            return UsageError::refuse(
                "the labels of a text's tokens are written as ansi, json, jsonl or html (--format); at a \
                 place, such as --position or --target 'predicted@\"a word\"', they are written as every \
                 explanation is",
            );
        }
        let table = match input.as_deref().filter(|_| !standard_input) {
            Some(path) => Some(open_table(path, column.as_deref())?),
            None => None,
        };
        let rows = table.as_ref().map(|table| match shard {
            Some(shard) => shard.of(table.rows()),
            None => 0..table.rows(),
        });
        let files = SETTINGS_FILES.map(|name| folder.join(name)).into_iter();
        let plan = Self {
            schema: "relprop.bulk/2",
            version: env!("CARGO_PKG_VERSION"),
            model: model.sha256.clone(),
            model_files: Hashed(files.filter(|file| file.is_file()).collect()),
            device: format!("{:?}", model.transformer.device()),
            dtype: precision.name().to_owned(),
            compared: match format.compares && content.is_compared() {
                true => beside(&question)?,
                false => Vec::new(),
            },
            input: table
                .as_ref()
                .map(|table| Hashed(vec![table.path().to_owned()])),
            column,
            rows,
            group: match content {
                RowKind::Texts { .. }
                | RowKind::Labelled { .. }
                | RowKind::Hypotheses(_)
                | RowKind::Answered(_) => group,
                // Pictures are large, and what goes on takes long.
                RowKind::Pictures | RowKind::Prompts { .. } | RowKind::Written { .. } => {
                    NonZeroUsize::MIN
                }
            },
            question,
            content,
            chat,
            format,
        };
        let destined = Destined {
            texts,
            table,
            standard_input,
            out,
            errors,
            overlay,
            resume,
        };
        Ok((plan, destined))
    }
}

/// How a target is measured.
pub(crate) fn unit(unit: Unit) -> Score {
    match unit {
        Unit::Logit => Score::Logit,
        Unit::LogProbability => Score::LogProbability,
        Unit::Entropy => Score::Entropy,
        Unit::Norm => Score::Norm,
    }
}

/// What is done to a text that is too long.
pub(crate) fn truncation(no_truncate: bool, windows: bool) -> Truncation {
    match (no_truncate, windows) {
        (true, _) => Truncation::Refuse,
        (false, true) => Truncation::Windows,
        (false, false) => Truncation::Cut,
    }
}

/// Refuses arguments that do not fit the model.
fn refuse(arguments: &ExplainArguments, format: &Format, model: &Model) -> anyhow::Result<()> {
    if let Input::Pictures(_) = model.input {
        let for_texts = [
            ("--input", arguments.input.is_some()),
            ("--pair", arguments.pair.is_some()),
            ("--generate", arguments.generate.is_some()),
            ("--chat", arguments.chat),
            ("--no-truncate", arguments.no_truncate),
            ("--windows", arguments.windows),
            ("a table", !format.pictures),
        ];
        if let Some((option, _)) = for_texts.into_iter().find(|(_, given)| *given) {
            return UsageError::refuse(format_args!(
                "{option} is for texts; name the pictures one after another"
            ));
        }
        return Ok(());
    }
    if let (true, Some(tokenizer)) = (arguments.chat, model.tokenizer()) {
        tokenizer.check_chat()?;
    }
    if arguments.overlay.is_some() {
        return UsageError::refuse("--overlay is for pictures, and the model reads texts");
    }
    if !arguments.labels.is_empty() && !format.labellings {
        return UsageError::refuse(
            "labels that are chosen from are written as ansi, json, jsonl or html (--format)",
        );
    }
    Ok(())
}

/// The rule sets beside the one that is asked for.
fn beside(question: &Plan) -> anyhow::Result<Vec<RuleSet>> {
    let others = COMPARED.into_iter();
    let others = others.filter(|name| question.method.is_some() || *name != question.title());
    others.map(|name| Ok(RuleSet::preset(name)?)).collect()
}

/// How results are written.
fn format(arguments: &ExplainArguments) -> Result<&'static Format, UsageError> {
    let unknown = |name: &str| UsageError::new(format_args!("there is no format `{name}`"));
    match (&arguments.format, arguments.out.as_deref()) {
        (Some(name), _) => Format::named(name).ok_or_else(|| unknown(name)),
        (None, Some(out)) => Format::from_path(out).ok_or_else(|| {
            UsageError::new(format_args!(
                "{}: the ending of the name says no format; say which one (--format)",
                out.display()
            ))
        }),
        (None, None) => Format::named("ansi").ok_or_else(|| unknown("ansi")),
    }
}

fn is_standard_input(arguments: &ExplainArguments) -> bool {
    arguments.input.as_deref() == Some(Path::new("-"))
}

/// How tokens are drawn, if they are.
fn drawn(arguments: &SamplingArguments) -> Option<Sampling> {
    let SamplingArguments {
        temperature,
        top_k,
        top_p,
        seed,
    } = *arguments;
    if temperature.is_none() && top_k.is_none() && top_p.is_none() && seed.is_none() {
        return None;
    }
    let usual = Sampling::default();
    Some(Sampling {
        temperature: temperature.unwrap_or(usual.temperature),
        top_k,
        top_p: top_p.unwrap_or(usual.top_p),
        seed: seed.unwrap_or(usual.seed),
    })
}
