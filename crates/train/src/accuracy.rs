//! The accuracy of a model.

use std::ops::Range;

use burn::data::dataloader::DataLoader;
use rayon::prelude::*;
use relprop_checkpoints::{Model, Truncation};
use relprop_rules::Pass;
use relprop_transformer::{Outputs, TokenizedText};

use crate::loader::{Labeled, Loader};
use crate::{Task, TrainError};
use relprop_data::corpus::Example;

/// The share of `examples` that `model` classifies right, in [0, 1]; for a language model, the
/// share of next tokens, of those that are [learned](Example::learned), that have the largest logit. NaN if there are no examples.
///
/// Texts that are too long for the model are cut.
///
/// # Errors
///
/// [`TrainError::ReadsPictures`] if the model reads no texts, [`TrainError::Text`] if a text is empty,
/// and [`TrainError::Failed`] if the device fails.
pub fn accuracy(model: &Model, examples: &[Example], batch: usize) -> Result<f64, TrainError> {
    let config = model.transformer.config();
    let tokenizer = model.tokenizer().ok_or(TrainError::ReadsPictures)?;
    let texts = tokenize(tokenizer, examples, config.positions)?;
    accuracy_on(model, texts, batch)
}

/// The same for texts, or pictures, that are tokenized already.
pub(crate) fn accuracy_on(
    model: &Model,
    examples: Vec<Labeled>,
    batch: usize,
) -> Result<f64, TrainError> {
    let config = model.transformer.config();
    let device = model.transformer.device();
    let task = match config.head.outputs() {
        Outputs::Vocabulary => Task::NextToken,
        Outputs::Labels => Task::Classify,
        Outputs::TokenLabels | Outputs::StartAndEnd | Outputs::Vector => {
            return Err(TrainError::NoAccuracy);
        }
    };
    let loader = Loader::new(
        examples,
        batch,
        config.padding_token,
        task,
        None,
        0,
        &device,
    );
    let (mut right, mut all) = (0, 0);
    for batch in loader.iter().flatten() {
        let logits = batch.answers(&model.transformer, &mut Pass::plain());
        all += logits.dims()[0];
        let predicted = logits.argmax(1).squeeze_dim(1);
        let hits = predicted.equal(batch.labels).int().sum();
        right += hits
            .try_into_scalar::<i64>()
            .map_err(|error| TrainError::Failed(error.to_string()))?;
    }
    Ok(right as f64 / all as f64)
}

/// The tokens before those that have a part in these characters: each is asked for the next.
fn before(text: &TokenizedText, learned: &[Range<usize>]) -> Vec<usize> {
    let is_learned = |at: &usize| {
        let next = &text.tokens[at + 1];
        let has_part = |range: &Range<usize>| next.start < range.end && next.end > range.start;
        learned.iter().any(has_part)
    };
    let places = 0..text.tokens.len().saturating_sub(1);
    places.filter(is_learned).collect()
}

/// The tokens of each example, at most `positions`, on all cores.
pub(crate) fn tokenize(
    tokenizer: &relprop_checkpoints::Tokenizer,
    examples: &[Example],
    positions: usize,
) -> Result<Vec<Labeled>, TrainError> {
    let tokenize = |example: &Example| {
        let encoded = tokenizer.encode(&example.text, positions, Truncation::Cut);
        let mut encoded = encoded.map_err(|source| TrainError::Text {
            text: example.text.clone(),
            source,
        })?;
        encoded.asked = before(&encoded, &example.learned);
        Ok((encoded, example.label))
    };
    // If there are several errors, the first one in the file is returned.
    let tokenized: Vec<Result<_, _>> = examples.par_iter().map(tokenize).collect();
    tokenized.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::iter::once;

    use relprop_checkpoints::Tokenizer;

    use super::*;
    use crate::vocabulary::train_byte_pairs;

    #[test]
    fn what_is_learned_is_asked_of_the_token_before() {
        let text = "give clara oak . what is for clara ? give clara oak .";
        let tokenizer = train_byte_pairs([text; 3].into_iter(), 400).unwrap();
        let tokenizer = Tokenizer::new(tokenizer);
        let answer = text.find(" give").unwrap();
        let example = |learned| Example {
            text: text.to_owned(),
            label: 0,
            evidence: Vec::new(),
            learned,
        };
        let asked = |example| {
            let texts = tokenize(&tokenizer, &[example], 100).unwrap();
            let (text, _) = &texts[0];
            let next = |&at: &usize| tokenizer.readable(text.tokens[at + 1].id);
            let next: Option<String> = text.asked.iter().map(next).collect();
            next.unwrap()
        };
        assert_eq!(
            asked(example(once(answer..text.len()).collect())),
            &text[answer..]
        );
        assert_eq!(asked(example(Vec::new())), "");
    }
}
