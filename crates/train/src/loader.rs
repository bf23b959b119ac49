//! Tokenized texts, in batches whose order follows from the seed and the epoch alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relprop_rules::Pass;
use relprop_transformer::{Batch, PaddingSide, TokenizedText, Transformer};

use crate::Task;

/// A tokenized text and its label.
pub(crate) type Labeled = (TokenizedText, usize);

/// A batch of texts and the right answers: their labels, `[batch]`, or the next token at each
/// place, `[place]`.
#[derive(Clone, Debug)]
pub(crate) struct LabeledBatch {
    pub(crate) texts: Batch,
    pub(crate) labels: Tensor<1, Int>,
    /// For next tokens, the places: rows of the batch's positions, one text after another.
    pub(crate) places: Option<Tensor<1, Int>>,
}

impl LabeledBatch {
    /// The model's answers, `[batch or place, label or token]`.
    pub(crate) fn answers(&self, transformer: &Transformer, pass: &mut Pass) -> Tensor<2> {
        let Some(places) = &self.places else {
            return transformer.forward(&self.texts, pass);
        };
        let logits = transformer.forward_everywhere(&self.texts, pass);
        let [texts, positions, tokens] = logits.dims();
        let rows = logits.reshape([texts * positions, tokens]);
        rows.select(0, places.clone())
    }
}

/// How many batches' worth of texts are sorted by length together, so that a batch holds little
/// padding while its texts still change from epoch to epoch.
const POOL: usize = 50;

/// The order of training: shuffled anew in every epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shuffle {
    pub(crate) seed: u64,
    /// The share of tokens that are replaced by `mask_token`.
    pub(crate) word_dropout: f64,
    pub(crate) mask_token: u32,
}

/// Loads batches of at most `size` texts.
#[derive(Clone)]
pub(crate) struct Loader {
    texts: Arc<Vec<Labeled>>,
    size: usize,
    padding_token: u32,
    task: Task,
    shuffle: Option<Shuffle>,
    /// How many epochs were begun.
    epoch: Arc<AtomicUsize>,
    device: Device,
}

impl Loader {
    /// Loads `texts` in batches of texts of similar length; shuffled if `shuffle` says how, the
    /// first time as in the epoch after `epoch`.
    pub(crate) fn new(
        texts: Vec<Labeled>,
        size: usize,
        padding_token: u32,
        task: Task,
        shuffle: Option<Shuffle>,
        epoch: usize,
        device: &Device,
    ) -> Self {
        Self {
            texts: Arc::new(texts),
            size,
            padding_token,
            task,
            shuffle,
            epoch: Arc::new(AtomicUsize::new(epoch)),
            device: device.clone(),
        }
    }

    /// The texts' indices, batch by batch.
    fn batches(&self, rng: Option<&mut ChaCha8Rng>) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        let length = |index: &usize| self.texts[*index].0.tokens.len();
        let Some(rng) = rng else {
            order.sort_by_key(length);
            return order.chunks(self.size).map(<[usize]>::to_vec).collect();
        };
        order.shuffle(rng);
        for pool in order.chunks_mut(POOL * self.size) {
            pool.sort_by_key(length);
        }
        let mut batches: Vec<_> = order.chunks(self.size).map(<[usize]>::to_vec).collect();
        batches.shuffle(rng);
        batches
    }
}

impl DataLoader<LabeledBatch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<LabeledBatch> + 'a> {
        let mut rng = self.shuffle.map(|shuffle| {
            let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) as u64 + 1;
            // Dropout draws from the device. Seeded by epoch, a training that was interrupted and
            // resumed is the same as one that was not.
            self.device.seed(shuffle.seed.wrapping_add(epoch));
            let mut rng = ChaCha8Rng::seed_from_u64(shuffle.seed);
            rng.set_stream(epoch);
            rng
        });
        let batches = self.batches(rng.as_mut()).into_iter();
        Box::new(Batches {
            loader: self,
            batches,
            rng,
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.texts.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<LabeledBatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<LabeledBatch>> {
        let texts = Arc::new(self.texts[start..end].to_vec());
        Arc::new(Self {
            texts,
            ..self.clone()
        })
    }
}

/// One run through the texts.
struct Batches<'a> {
    loader: &'a Loader,
    batches: std::vec::IntoIter<Vec<usize>>,
    rng: Option<ChaCha8Rng>,
    done: usize,
}

impl Batches<'_> {
    /// The right answers, and the rows of the batch's positions that they belong to.
    fn answers(&self, batch: &[usize], texts: &[TokenizedText]) -> (Vec<i64>, Option<Vec<i64>>) {
        if self.loader.task == Task::Classify {
            let labels = batch.iter().map(|i| self.loader.texts[*i].1 as i64);
            return (labels.collect(), None);
        }
        let lengths = texts.iter().map(|text| text.tokens.len());
        let width = lengths.max().unwrap_or(0);
        let nexts = texts.iter().enumerate().flat_map(|(row, text)| {
            let places = match text.asked.as_slice() {
                [] => (0..text.tokens.len().saturating_sub(1)).collect(),
                asked => asked.to_vec(),
            };
            let next = |place: usize| i64::from(text.tokens[place + 1].id);
            let next = move |place| (next(place), (row * width + place) as i64);
            places.into_iter().map(next)
        });
        let (answers, places) = nexts.unzip();
        (answers, Some(places))
    }
}

fn tensor(numbers: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::from(numbers), device)
}

impl Iterator for Batches<'_> {
    type Item = Result<LabeledBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        self.done += batch.len();
        let mut texts: Vec<TokenizedText> = batch
            .iter()
            .map(|index| self.loader.texts[*index].0.clone())
            .collect();
        // Taken before words are dropped, because the answer is the original word.
        let answers = self.answers(&batch, &texts);
        if let (Some(rng), Some(shuffle)) = (&mut self.rng, &self.loader.shuffle)
            && shuffle.word_dropout > 0.0
        {
            for token in texts.iter_mut().flat_map(|text| &mut text.tokens) {
                if !token.special && rng.random_bool(shuffle.word_dropout) {
                    token.id = shuffle.mask_token;
                }
            }
        }
        let device = self.loader.device.clone().without_autodiff();
        Some(Ok(LabeledBatch {
            texts: Batch::new(
                &texts,
                self.loader.padding_token,
                PaddingSide::Right,
                &device,
            ),
            labels: tensor(&answers.0, &device),
            places: answers.1.map(|places| tensor(&places, &device)),
        }))
    }
}

impl DataLoaderIterator<LabeledBatch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.loader.texts.len(), Some("texts".to_owned()))
    }
}
