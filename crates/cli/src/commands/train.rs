//! `relprop train`

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use relprop_data::corpus::{Corpus, Pictures, agreement_corpus, needles_corpus};
use relprop_engine::measure::NEEDLE_TEXTS;
use relprop_train::{Display, Task, TrainConfig, Trained};

use crate::args::{TaskArgument, TrainArguments};
use crate::output::Output;

/// The corpora that need no file: of sentences, and of facts and questions.
const EMBEDDED: &str = "agreement";
const NEEDLES: &str = "needles";
/// How many sentences it has: eight tenths to train on, a tenth held out, a tenth to test.
const SENTENCES: usize = 20_000;

/// Trains a model on texts, or on labeled pictures.
pub(crate) fn train(arguments: &TrainArguments) -> anyhow::Result<()> {
    let device = arguments.device.open()?;
    let pictures = Pictures::are_at(&arguments.data);
    let start = match pictures {
        true => TrainConfig::pictures(),
        false => TrainConfig::default(),
    };
    let mut config = match &arguments.config {
        None => start,
        Some(path) => {
            let name = || path.display().to_string();
            let text = fs::read_to_string(path).with_context(name)?;
            match start.with_toml(&text) {
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
    let out = &arguments.out;
    if pictures {
        let corpus = Pictures::read(&arguments.data)?;
        let parts = [&corpus.train, &corpus.dev, &corpus.test].map(Vec::len);
        announce("pictures", parts, &corpus.labels);
        let trained =
            relprop_train::train_pictures(&corpus, &config, out, &device, Display::Lines)?;
        return conclude(&trained, out, "picture.png");
    }
    let [needles, held_out] = NEEDLE_TEXTS;
    let embedded = |name: &str| arguments.data == Path::new(name) && !arguments.data.exists();
    let corpus = match () {
        () if embedded(EMBEDDED) => agreement_corpus(SENTENCES, 0),
        () if embedded(NEEDLES) => needles_corpus(needles, held_out, 0),
        () => Corpus::read(&arguments.data)?,
    };
    let parts = [&corpus.train, &corpus.dev, &corpus.test].map(Vec::len);
    announce("texts", parts, &corpus.labels);
    let trained = relprop_train::train(&corpus, &config, out, &device, Display::Lines)?;
    conclude(&trained, out, "\"a text\"")
}

/// Says what there is to train on.
fn announce(things: &str, [train, dev, test]: [usize; 3], labels: &[String]) {
    let labels = labels.join(", ");
    eprintln!("{train} training {things}, {dev} held out, {test} to test on; labels: {labels}");
    eprintln!("the same command resumes a training that was interrupted");
}

/// Reports the result, and the command that uses it.
fn conclude(trained: &Trained, out: &Path, example: &str) -> anyhow::Result<()> {
    let mut text = format!("held-out accuracy  {:.3}\n", trained.dev_accuracy);
    if let Some(accuracy) = trained.test_accuracy {
        text += &format!("test accuracy      {accuracy:.3}\n");
    }
    text += &format!("model              {}\n", out.display());
    text += &format!(
        "\nnext: relprop explain --model {} {example}\n",
        out.display()
    );
    Output::open(None)?.write(&text)
}
