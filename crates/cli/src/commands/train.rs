//! `relprop train`

use std::fs;
use std::io::{IsTerminal, stdout};
use std::path::Path;

use anyhow::{Context, bail};
use relprop_train::corpus::{Corpus, agreement_corpus};
use relprop_train::{Display, Task, TrainConfig};

use crate::args::{TaskArgument, TrainArguments};
use crate::device;
use crate::output::Output;

/// The corpus of sentences that needs no file.
const EMBEDDED: &str = "agreement";
/// How many sentences it has: eight tenths to train on, a tenth held out, a tenth to test.
const SENTENCES: usize = 20_000;

/// Trains a model on texts.
pub(crate) fn train(arguments: &TrainArguments) -> anyhow::Result<()> {
    let device = device::parse(&arguments.device.name)?;
    let mut config = match &arguments.config {
        None => TrainConfig::default(),
        Some(path) => {
            let name = || path.display().to_string();
            let text = fs::read_to_string(path).with_context(name)?;
            match TrainConfig::from_toml(&text) {
                Ok(config) => config,
                Err(message) => bail!("{}: {message}", path.display()),
            }
        }
    };
    if let Some(seed) = arguments.seed {
        config.seed = seed;
    }
    if let Some(task) = arguments.task {
        config.task = match task {
            TaskArgument::Classify => Task::Classify,
            TaskArgument::NextToken => Task::NextToken,
        };
    }
    let corpus = match arguments.data == Path::new(EMBEDDED) && !arguments.data.exists() {
        true => agreement_corpus(SENTENCES, 0),
        false => Corpus::read(&arguments.data)?,
    };
    eprintln!(
        "{} training texts, {} held out, {} to test on; labels: {}",
        corpus.train.len(),
        corpus.dev.len(),
        corpus.test.len(),
        corpus.labels.join(", ")
    );
    eprintln!("the same command resumes a training that was interrupted");

    let display = if stdout().is_terminal() && !arguments.no_tui {
        Display::Dashboard
    } else {
        Display::Lines
    };
    let out = &arguments.out;
    let trained = relprop_train::train(&corpus, &config, out, &device, display)?;

    let mut text = format!("held-out accuracy  {:.3}\n", trained.dev_accuracy);
    if let Some(accuracy) = trained.test_accuracy {
        text += &format!("test accuracy      {accuracy:.3}\n");
    }
    text += &format!("model              {}\n", out.display());
    text += &format!(
        "\nnext: relprop explain --model {} \"a text\"\n",
        out.display()
    );
    Output::open(None)?.write(&text)
}
