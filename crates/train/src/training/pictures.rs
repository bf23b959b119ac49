//! From labeled pictures to a model folder.

use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::{Filter, Model, Preprocessor};
use relprop_transformer::{Distillation, HIDDEN, PatchConfig, Transformer};
use sha2::{Digest, Sha256};

use super::accuracy::accuracy_on;
use super::loader::Labeled;
use super::run::{Job, Plan, begin, hexadecimal, run};
use super::{Display, Task, TrainConfig, TrainError, Trained};
use relprop_data::corpus::{LabeledPicture, Pictures};

/// Trains a ViT on `corpus` and writes it to the folder `out`, as [`train`](super::train) does for texts.
///
/// All pictures are resized to the size of the first training picture.
///
/// # Errors
///
/// See [`TrainError`].
pub fn train_pictures(
    corpus: &Pictures,
    config: &TrainConfig,
    out: &Path,
    device: &Device,
    display: Display,
) -> Result<Trained, TrainError> {
    if config.task != Task::Classify {
        let message = "pictures have labels to learn, and no next token: leave `task` out";
        return Err(TrainError::Config(message.to_owned()));
    }
    let plan = Plan {
        config: config.clone(),
        labels: corpus.labels.clone(),
        corpus: fingerprint(corpus),
        embeddings: None,
    };
    begin(out, plan)?;

    let patches = PatchConfig {
        picture: corpus.train.first().map_or([1; 2], |first| first.sides),
        patch: [config.patch; 2],
        channels: corpus.channels,
        distillation: Distillation::Absent,
    };
    let preprocessor = Preprocessor {
        resize: Some((patches.picture, Filter::Bilinear)),
        ..Preprocessor::plain(corpus.channels)
    };
    let model = config.picture_model(patches, corpus.labels.clone());
    // Before pictures are cut by it.
    let checked = model.check();
    checked.map_err(|error| TrainError::Config(error.to_string()))?;
    let cut = |pictures: &[LabeledPicture], part: &'static str| {
        let cut = |(index, one): (usize, &LabeledPicture)| -> Result<Labeled, TrainError> {
            let picture = preprocessor.picture(one.bytes.clone(), one.sides, &patches);
            let number = index + 1;
            let picture = picture.map_err(|source| TrainError::Picture {
                number,
                part,
                source,
            })?;
            Ok((picture.into_tokens(""), one.label))
        };
        pictures
            .iter()
            .enumerate()
            .map(cut)
            .collect::<Result<Vec<Labeled>, _>>()
    };
    let dev = cut(&corpus.dev, "the held-out pictures")?;
    let job = Job {
        train: cut(&corpus.train, "the training pictures")?,
        dev: dev.clone(),
        unknown: HIDDEN,
        model,
        donor: None,
        make: Box::new(|transformer: Transformer| {
            Model::for_pictures(transformer, preprocessor.clone())
        }),
        score: Box::new(|model| {
            let score = |part| accuracy_on(model, part, config.batch);
            let test = match corpus.test.is_empty() {
                true => None,
                false => Some(score(cut(&corpus.test, "the test pictures")?)?),
            };
            Ok((score(dev.clone())?, test))
        }),
    };
    run(job, config, out, device, display)
}

fn fingerprint(corpus: &Pictures) -> String {
    let mut hash = Sha256::new();
    for part in [&corpus.train, &corpus.dev, &corpus.test] {
        hash.update((part.len() as u64).to_le_bytes());
        for one in part {
            for number in [one.sides[0], one.sides[1], one.label] {
                hash.update((number as u64).to_le_bytes());
            }
            hash.update(&one.bytes);
        }
    }
    hexadecimal(hash)
}
