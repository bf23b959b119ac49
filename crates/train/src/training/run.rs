//! From a corpus to a model folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::{
    LrSchedulerConfig, linear::LinearLrSchedulerConfig, module_lr_scheduler::ModuleLrScheduler,
    sequential::SequentialLrSchedulerConfig,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::{Device, Tensor};
use burn::train::checkpoint::Checkpoint;
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric};
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining};
use relprop_checkpoints::{Model, Tokenizer};
use relprop_transformer::{Transformer, TransformerConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::accuracy::{accuracy, tokenize};
use super::history::{Epoch, History, Report, write_whole};
use super::loader::{Labeled, Loader, Shuffle};
use super::progress::Bar;
use super::step::Classifier;
use super::{Task, TrainConfig, TrainError};
use crate::vocabulary::{train_byte_pairs, train_wordpiece};
use relprop_data::corpus::{Corpus, Example};

/// How training shows its progress.
pub enum Display {
    /// burn-train's dashboard, which fills the terminal.
    Dashboard,
    /// A line an epoch and a progress bar, on standard error.
    Lines,
    /// Nothing.
    Silent,
}

/// A trained model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model of the best epoch, ready to be explained.
    pub model: Model,
    /// The figures of every epoch.
    pub epochs: Vec<Epoch>,
    /// The share of development texts, or pictures, that are classified right, or of their tokens that are expected
    /// most, in [0, 1].
    pub dev_accuracy: f64,
    /// The same for the test part, if there is any.
    pub test_accuracy: Option<f64>,
}

/// What a training is of: it can be resumed only with the same.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) config: TrainConfig,
    pub(super) labels: Vec<String>,
    /// The SHA-256 of all texts, or pictures, and labels.
    pub(super) corpus: String,
    /// The SHA-256 of the weights whose embeddings are taken over.
    #[serde(default)]
    pub(super) embeddings: Option<String>,
}

/// Trains a classifier, or a language model, on `corpus` and writes it to the folder `out`.
///
/// The vocabulary is learned from the training texts, unless the embeddings of another model are
/// taken over. After each epoch a checkpoint is written to
/// `out/training`; if training is interrupted, the same call resumes after the last finished epoch
/// and gives the same model as a training that was not interrupted. The model of the epoch with
/// the best accuracy on the development texts is kept. The same seed gives the same model on the
/// same device. On another it goes through the texts in the same order and starts from the same
/// weights, but drops out other numbers.
///
/// # Errors
///
/// See [`TrainError`]. A folder that holds a model, or a training of something else, is left as it
/// is.
pub fn train(
    corpus: &Corpus,
    config: &TrainConfig,
    out: &Path,
    device: &Device,
    display: Display,
) -> Result<Trained, TrainError> {
    let donor = donor(config, device)?;
    begin(out, plan(config, corpus, donor.as_ref()))?;

    let (tokenizer, limit) = match &donor {
        Some(donor) => {
            let positions = donor.transformer.config().positions;
            (donor.tokenizer.clone(), config.positions.min(positions))
        }
        None => {
            let texts = corpus.train.iter().map(|example| example.text.as_str());
            let vocabulary = match config.task {
                Task::Classify => train_wordpiece(texts, config.vocabulary)?,
                Task::NextToken => train_byte_pairs(texts, config.vocabulary)?,
            };
            (Tokenizer::new(vocabulary), config.positions)
        }
    };
    let train_texts = tokenize(&tokenizer, &corpus.train, limit)?;
    // Positions that no training text has would never be learned.
    let positions = longest(&train_texts);
    let dev_texts = tokenize(&tokenizer, &corpus.dev, positions)?;

    let mut model = config.model(tokenizer.vocabulary(), positions, corpus.labels.clone());
    if let Some(donor) = &donor {
        model = model.with_embeddings_of(donor.transformer.config());
    }
    let score = |model: &Model, examples: &[Example]| accuracy(model, examples, config.batch);
    let job = Job {
        train: train_texts,
        dev: dev_texts,
        unknown: tokenizer.id("[UNK]").unwrap_or(model.padding_token),
        model,
        donor: donor.as_ref(),
        make: Box::new(|transformer| Model::new(transformer, tokenizer.clone())),
        score: Box::new(|model| {
            let test = (!corpus.test.is_empty()).then(|| score(model, &corpus.test));
            Ok((score(model, &corpus.dev)?, test.transpose()?))
        }),
    };
    run(job, config, out, device, display)
}

/// Everything that a training needs to know of what it is on.
pub(super) struct Job<'a> {
    pub(super) train: Vec<Labeled>,
    pub(super) dev: Vec<Labeled>,
    /// What tokens are hidden behind.
    pub(super) unknown: u32,
    pub(super) model: TransformerConfig,
    /// The model whose embeddings are taken over.
    pub(super) donor: Option<&'a Model>,
    /// Puts the trained network together with what stands before it.
    pub(super) make: Box<dyn Fn(Transformer) -> Model + 'a>,
    /// The accuracy on the development part, and on the test part if there is one.
    pub(super) score: Box<Score<'a>>,
}

pub(super) type Score<'a> = dyn Fn(&Model) -> Result<(f64, Option<f64>), TrainError> + 'a;

/// Makes the folder for a training, or finds that it is this one's.
pub(super) fn begin(out: &Path, plan: Plan) -> Result<(), TrainError> {
    plan.config.check().map_err(TrainError::Config)?;
    if out.join("config.json").exists() {
        return Err(TrainError::ModelThere(out.to_owned()));
    }
    claim(&out.join("training"), plan, out)
}

/// Trains in a folder that has been [begun](begin).
pub(super) fn run(
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
        unknown: job.unknown,
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
    if !matches!(display, Display::Dashboard) {
        training = training.renderer(Box::new(bar));
    }

    let learner = Learner::new(classifier, optimizer(config), schedule(config, steps)?);
    let mut trained = classifier_of(training, learner, &history, config.epochs)?;
    if let Some(best) = history.best() {
        trained = trained.load_record(checkpoints.model(best)?);
    }

    let model = (job.make)(trained.transformer.valid());
    let (dev_accuracy, test_accuracy) = (job.score)(&model)?;
    model.save(out)?;
    // What is left of the training is its history; the checkpoints have served.
    let _ = fs::remove_dir_all(&checkpoints.0);
    Ok(Trained {
        model,
        epochs: history.epochs(),
        dev_accuracy,
        test_accuracy,
    })
}

/// Fresh weights for `device`. They are drawn on the CPU where that is compiled in: each device has
/// random numbers of its own, and a seed is to give the same weights on all.
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
    let transformer = Transformer::new(config, &drawn_on.autodiff())
        .map_err(|error| TrainError::Config(error.to_string()))?;
    // Until someone looks at a weight, Burn would still draw it on the device that it is moved to.
    transformer.visit(&mut Look);
    Ok(transformer.fork(&device.clone().autodiff()))
}

/// Looks at every weight.
struct Look;

impl ModuleVisitor for Look {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        let _ = weight.val();
    }
}

/// Runs the training, unless its last epoch is already behind.
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
        // The dashboard forgets that it was asked to stop, so the epochs are counted.
        None if is_over() => Ok(result.model.train()),
        None => Err(TrainError::Interrupted),
    }
}

/// The model whose embeddings are taken over, if there is one.
fn donor(config: &TrainConfig, device: &Device) -> Result<Option<Model>, TrainError> {
    let Some(path) = &config.embeddings else {
        return Ok(None);
    };
    let donor = Model::load(path, device)?;
    let width = donor.transformer.config().width;
    if width != config.width {
        return Err(TrainError::Config(format!(
            "the embeddings of {} have {width} features, and `width` is {}: set `width = {width}`",
            path.display(),
            config.width
        )));
    }
    Ok(Some(donor))
}

/// What a training of these is of.
fn plan(config: &TrainConfig, corpus: &Corpus, donor: Option<&Model>) -> Plan {
    Plan {
        config: config.clone(),
        labels: corpus.labels.clone(),
        corpus: fingerprint(corpus),
        embeddings: donor.and_then(|donor| donor.sha256.clone()),
    }
}

/// Makes `folder` this training's own, or finds that it is.
fn claim(folder: &Path, plan: Plan, out: &Path) -> Result<(), TrainError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    let file = folder.join("plan.json");
    if file.exists() {
        let text = fs::read_to_string(&file).map_err(io(&file))?;
        return match serde_json::from_str::<Plan>(&text) {
            Ok(found) if found == plan => Ok(()),
            _ => Err(TrainError::OtherTraining(out.to_owned())),
        };
    }
    fs::create_dir_all(folder).map_err(io(folder))?;
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    write_whole(&file, &text).map_err(io(&file))
}

fn fingerprint(corpus: &Corpus) -> String {
    let mut hash = Sha256::new();
    for split in [&corpus.train, &corpus.dev, &corpus.test] {
        hash.update((split.len() as u64).to_le_bytes());
        for example in split {
            hash.update((example.text.len() as u64).to_le_bytes());
            hash.update(&example.text);
            hash.update((example.label as u64).to_le_bytes());
        }
    }
    hexadecimal(hash)
}

pub(super) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn longest(texts: &[Labeled]) -> usize {
    texts
        .iter()
        .map(|(text, _)| text.tokens.len())
        .max()
        .unwrap_or(1)
}

fn optimizer(config: &TrainConfig) -> burn::optim::ModuleOptimizer {
    AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(config.weight_decay)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(config.clip)))
        .init()
}

/// The learning rate: up over the warm-up steps, then down to nearly nothing, both in a line.
fn schedule(config: &TrainConfig, steps: usize) -> Result<ModuleLrScheduler, TrainError> {
    let peak = config.learning_rate;
    let warmup = ((config.warmup * steps as f64) as usize).clamp(1, steps.max(2) - 1);
    let line =
        |from, to, steps| LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(from, to, steps));
    let up = line(peak / warmup as f64, peak, warmup);
    let down = line(peak, 0.0, steps.saturating_sub(warmup).max(1));
    SequentialLrSchedulerConfig::new(vec![up, down], vec![warmup])
        .init()
        .map_err(TrainError::Config)
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

/// The folder where burn-train keeps its checkpoints.
struct Checkpoints(PathBuf);

impl Checkpoints {
    fn file(&self, name: &str, epoch: usize) -> PathBuf {
        self.0.join(format!("{name}-{epoch}.bpk"))
    }

    /// The last epoch all of whose checkpoint is there and can be read; 0 if there is none.
    fn last_complete(&self, epochs: &[Epoch]) -> usize {
        let complete = |epoch: &usize| {
            ModuleRecord::load(self.file("model", *epoch)).is_ok()
                && <OptimizerRecord as Checkpoint>::load(self.file("optim", *epoch)).is_ok()
                && self.file("scheduler", *epoch).is_file()
        };
        epochs
            .iter()
            .rev()
            .map(|epoch| epoch.epoch)
            .find(complete)
            .unwrap_or(0)
    }

    fn model(&self, epoch: usize) -> Result<ModuleRecord, TrainError> {
        let path = self.file("model", epoch);
        ModuleRecord::load(&path).map_err(|error| TrainError::Io {
            path: path.clone(),
            source: std::io::Error::other(error.to_string()),
        })
    }
}
