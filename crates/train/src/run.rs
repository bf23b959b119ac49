//! A training with burn-train, of texts or of pictures.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric};
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining};
use relprop_checkpoints::Model;
use relprop_transformer::{Transformer, TransformerConfig};

use crate::checkpoints::Checkpoints;
use crate::history::{Epoch, History, Report};
use crate::loader::{Labeled, Loader, Shuffle};
use crate::progress::Bar;
use crate::schedule::{optimizer, schedule};
use crate::step::Classifier;
use crate::{TrainConfig, TrainError};

/// How training shows its progress.
pub enum Display {
    /// A line for each epoch and a progress bar, on standard error.
    Lines,
    /// Nothing.
    Silent,
}

/// A trained model and the figures of its training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model of the best epoch, ready to be explained.
    pub model: Model,
    /// The figures of every epoch.
    pub epochs: Vec<Epoch>,
    /// The share of development texts, or pictures, that are classified right, or of next tokens
    /// that have the largest logit, in [0, 1].
    pub dev_accuracy: f64,
    /// The same for the test part, if there is any.
    pub test_accuracy: Option<f64>,
}

/// Everything that a training needs to know about its data and its model.
pub(crate) struct Job<'a> {
    pub(crate) train: Vec<Labeled>,
    pub(crate) dev: Vec<Labeled>,
    /// The id of the token that replaces hidden tokens.
    pub(crate) mask_token: u32,
    pub(crate) model: TransformerConfig,
    /// The model whose embeddings are taken over.
    pub(crate) donor: Option<&'a Model>,
    /// Makes a model of the trained network and its tokenizer or preprocessor.
    pub(crate) make: Box<dyn Fn(Transformer) -> Model + 'a>,
    /// The accuracy on the development part, and on the test part if there is one.
    pub(crate) score: Box<Score<'a>>,
}

pub(crate) type Score<'a> = dyn Fn(&Model) -> Result<(f64, Option<f64>), TrainError> + 'a;

/// Trains in a folder that has been [begun](crate::plan::begin).
pub(crate) fn run(
    job: Job,
    config: &TrainConfig,
    out: &Path,
    device: &Device,
    display: Display,
) -> Result<Trained, TrainError> {
    let folder = out.join("training");
    let Job {
        train: train_texts,
        dev: dev_texts,
        model,
        donor,
        ..
    } = job;
    let mut transformer = fresh(&model, config.seed, device)?;
    if let Some(donor) = donor {
        transformer = transformer.with_frozen_embeddings(&donor.transformer);
    }
    let classifier = Classifier {
        transformer,
        label_smoothing: config.label_smoothing,
    };

    let bar = Bar::new();
    let history_file = folder.join("history.json");
    let report = report(&display, config.epochs, &bar);
    let history =
        History::open(&history_file, config.patience, report).map_err(|source| TrainError::Io {
            path: history_file,
            source,
        })?;
    let checkpoints = Checkpoints(folder.join("checkpoint"));
    let done = checkpoints.last_complete(&history.epochs());
    history.rewind(done);

    let steps = train_texts.len().div_ceil(config.batch) * config.epochs;
    let shuffle = Shuffle {
        seed: config.seed,
        word_dropout: config.word_dropout,
        mask_token: job.mask_token,
    };
    let loader = |texts, shuffle| {
        Arc::new(Loader::new(
            texts,
            config.batch,
            model.padding_token,
            config.task,
            shuffle,
            done,
            device,
        ))
    };
    let mut training = SupervisedTraining::new(
        &folder,
        loader(train_texts, Some(shuffle)),
        loader(dev_texts, None),
    )
    .with_training_strategy(ExecutionStrategy::SingleDevice(device.clone().autodiff()).into())
    .metric_train_numeric(AccuracyMetric::new())
    .metric_valid_numeric(AccuracyMetric::new())
    .metric_train_numeric(LossMetric::new())
    .metric_valid_numeric(LossMetric::new())
    .metric_train_numeric(LearningRateMetric::new())
    .with_default_checkpointers()
    .with_checkpointing_strategy(history.clone())
    .early_stopping(history.clone())
    .with_application_logger(None)
    .num_epochs(config.epochs);
    if done > 0 {
        training = training.checkpoint(done);
    }
    training = training.renderer(Box::new(bar));

    let learner = Learner::new(classifier, optimizer(config), schedule(config, steps)?);
    let mut trained = classifier_of(training, learner, &history, config.epochs)?;
    if let Some(best) = history.best() {
        trained = trained.load_record(checkpoints.model(best)?);
    }

    let model = (job.make)(trained.transformer.valid());
    let (dev_accuracy, test_accuracy) = (job.score)(&model)?;
    model.save(out)?;
    // Only the history of the training is kept; the checkpoints are no longer needed.
    let _ = fs::remove_dir_all(&checkpoints.0);
    Ok(Trained {
        model,
        epochs: history.epochs(),
        dev_accuracy,
        test_accuracy,
    })
}

/// Fresh weights for `device`. They are drawn on the CPU if it is compiled in: each device has
/// random numbers of its own, and a seed must give the same weights on all devices.
fn fresh(
    config: &TransformerConfig,
    seed: u64,
    device: &Device,
) -> Result<Transformer, TrainError> {
    #[cfg(feature = "flex")]
    let drawn_on = Device::flex();
    #[cfg(not(feature = "flex"))]
    let drawn_on = device.clone();
    drawn_on.seed(seed);
    let transformer = Transformer::new(config, &drawn_on.autodiff())?;
    // Burn draws a weight when it is first read, on the device that it is on by then. So every
    // weight is read here.
    transformer.visit(&mut Look);
    Ok(transformer.fork(&device.clone().autodiff()))
}

/// Reads every weight.
struct Look;

impl ModuleVisitor for Look {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        let _ = weight.val();
    }
}

/// Runs the training, unless its last epoch is already done.
fn classifier_of(
    training: SupervisedTraining<Classifier>,
    learner: Learner<Classifier>,
    history: &History,
    epochs: usize,
) -> Result<Classifier, TrainError> {
    let is_over = || {
        let done = history.epochs().last().map_or(0, |last| last.epoch);
        done >= epochs || (done > 0 && history.is_over())
    };
    if is_over() {
        return Ok(learner.model());
    }
    let result = training.launch(learner);
    match result.error {
        Some(error) => Err(TrainError::Failed(error.to_string())),
        None => Ok(result.model.train()),
    }
}

/// What to do after each epoch.
fn report(display: &Display, epochs: usize, bar: &Bar) -> Report {
    let Display::Lines = display else {
        return Arc::new(|_| ());
    };
    let bar = bar.0.clone();
    Arc::new(move |epoch| {
        let line = format!(
            "epoch {}/{epochs}: loss {:.3}, accuracy {:.1} %; held out: loss {:.3}, accuracy {:.1} %",
            epoch.epoch,
            epoch.train_loss,
            100.0 * epoch.train_accuracy,
            epoch.dev_loss,
            100.0 * epoch.dev_accuracy,
        );
        // A hidden bar prints nothing, and without a terminal the line is wanted all the same.
        bar.suspend(|| eprintln!("{line}"));
    })
}
