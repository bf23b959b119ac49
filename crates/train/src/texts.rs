//! From labeled texts to a model folder.

use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::{Model, Tokenizer};
use relprop_data::corpus::{Corpus, Example};

use crate::accuracy::{accuracy, tokenize};
use crate::loader::Labeled;
use crate::plan::{Plan, begin};
use crate::run::{Job, run};
use crate::vocabulary::{train_byte_pairs, train_wordpiece};
use crate::{Display, Task, TrainConfig, TrainError, Trained};

/// Trains a classifier, or a language model, on `corpus` and writes it to the folder `out`.
///
/// The vocabulary is learned from the training texts, unless the embeddings of another model are
/// taken over. After each epoch a checkpoint is written to `out/training`; if training is
/// interrupted, the same call resumes after the last finished epoch and gives the same model as a
/// training that was not interrupted. The model of the epoch with the best accuracy on the
/// development texts is kept. The same seed gives the same model on the same device. On another
/// device training takes the texts in the same order and starts from the same weights, but dropout
/// drops other numbers.
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
            {
                let tokenizer = donor.tokenizer().ok_or(TrainError::ReadsPictures)?;
                (tokenizer.clone(), config.positions.min(positions))
            }
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
    // Positions that no training text has would not be trained.
    let positions = longest(&train_texts);
    let dev_texts = tokenize(&tokenizer, &corpus.dev, positions)?;

    let mut model = config.model(
        tokenizer.vocabulary_size(),
        positions,
        corpus.labels.clone(),
    );
    if let Some(donor) = &donor {
        model = model.with_embeddings_of(donor.transformer.config());
    }
    let score = |model: &Model, examples: &[Example]| accuracy(model, examples, config.batch);
    let job = Job {
        train: train_texts,
        dev: dev_texts,
        mask_token: tokenizer.id("[UNK]").unwrap_or(model.padding_token),
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

/// The model whose embeddings are taken over, if there is one.
fn donor(config: &TrainConfig, device: &Device) -> Result<Option<Model>, TrainError> {
    let Some(path) = &config.embeddings else {
        return Ok(None);
    };
    let donor = Model::load(path, device)?;
    let width = donor.transformer.config().width;
    if width != config.width {
        return Err(TrainError::OtherWidth {
            path: path.clone(),
            found: width,
            width: config.width,
        });
    }
    Ok(Some(donor))
}

/// The plan of this training.
fn plan(config: &TrainConfig, corpus: &Corpus, donor: Option<&Model>) -> Plan {
    Plan {
        config: config.clone(),
        labels: corpus.labels.clone(),
        corpus: corpus.sha256(),
        embeddings: donor.and_then(|donor| donor.sha256.clone()),
    }
}

fn longest(texts: &[Labeled]) -> usize {
    texts
        .iter()
        .map(|(text, _)| text.tokens.len())
        .max()
        .unwrap_or(1)
}
