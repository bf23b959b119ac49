//! From labeled pictures to a model folder.

use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::{Filter, Model, Preprocessor, Resize};
use relprop_data::corpus::{LabeledPicture, Pictures};
use relprop_transformer::{PATCH_HIDDEN, PatchConfig, Transformer};

use crate::accuracy::accuracy_on;
use crate::loader::Labeled;
use crate::plan::{Plan, begin};
use crate::run::{Job, run};
use crate::{Display, Task, TrainConfig, TrainError, Trained};

/// Trains a ViT on `corpus` and writes it to the folder `out`, as [`train`](crate::train) does for texts.
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
        return Err(TrainError::NoNextToken);
    }
    let plan = Plan {
        config: config.clone(),
        labels: corpus.labels.clone(),
        corpus: corpus.sha256(),
        embeddings: None,
    };
    begin(out, plan)?;

    let picture = corpus.train.first().map_or([1; 2], |first| first.sides);
    let patches = PatchConfig::new(picture, [config.patch; 2], corpus.channels);
    let preprocessor = Preprocessor {
        resize: Some((Resize::To(patches.picture), Filter::Bilinear)),
        ..Preprocessor::plain(corpus.channels)
    };
    let model = config.picture_model(patches, corpus.labels.clone());
    // The check comes before pictures are cut as the configuration says.
    model.check()?;
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
        mask_token: PATCH_HIDDEN,
        model,
        donor: None,
        make: Box::new(|transformer: Transformer| Model::new(transformer, preprocessor.clone())),
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
