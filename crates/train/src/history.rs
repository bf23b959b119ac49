//! The figures of each epoch, which decide what checkpoints are kept and when training stops.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use relprop_data::WholeFile;
use serde::{Deserialize, Serialize};

/// The figures of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// The mean loss over the training texts, dropout on.
    pub train_loss: f64,
    /// The share of training texts that were classified right, dropout on, in [0, 1].
    pub train_accuracy: f64,
    /// The mean loss over the development texts.
    pub dev_loss: f64,
    /// The share of development texts that are classified right, in [0, 1].
    pub dev_accuracy: f64,
}

/// What to call after each epoch.
pub(crate) type Report = Arc<dyn Fn(&Epoch) + Send + Sync>;

/// The epochs so far, kept in a file beside the checkpoints.
///
/// It decides which checkpoints are kept (the best and the last) and when training stops (when
/// the best is `patience` epochs ago).
#[derive(Clone)]
pub(crate) struct History {
    file: PathBuf,
    epochs: Arc<Mutex<Vec<Epoch>>>,
    patience: usize,
    report: Report,
}

impl History {
    /// A history in `file`, which may hold the epochs of an interrupted training.
    pub(crate) fn open(file: &Path, patience: usize, report: Report) -> io::Result<Self> {
        let epochs = match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let epochs = Arc::new(Mutex::new(epochs));
        Ok(Self {
            file: file.to_owned(),
            epochs,
            patience,
            report,
        })
    }

    /// The epochs so far.
    pub(crate) fn epochs(&self) -> Vec<Epoch> {
        self.epochs
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .clone()
    }

    /// Forgets the epochs after `epoch`.
    pub(crate) fn rewind(&self, epoch: usize) {
        let mut epochs = self
            .epochs
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        epochs.retain(|known| known.epoch <= epoch);
    }

    /// The number of the best epoch: the highest accuracy, then the lowest loss.
    pub(crate) fn best(&self) -> Option<usize> {
        best(&self.epochs())
    }

    /// Whether the best epoch is `patience` epochs ago.
    pub(crate) fn is_over(&self) -> bool {
        let epochs = self.epochs();
        let (last, best) = (epochs.last().map_or(0, |last| last.epoch), best(&epochs));
        last - best.unwrap_or(last) >= self.patience
    }

    fn add(&self, epoch: usize, store: &EventStoreClient) -> Vec<Epoch> {
        let metric = |name: &str, split: &Split| {
            store
                .find_metric(name, epoch, Aggregate::Mean, split)
                .unwrap_or(f64::NAN)
        };
        let added = Epoch {
            epoch,
            train_loss: metric("Loss", &Split::Train),
            train_accuracy: metric("Accuracy", &Split::Train) / 100.0,
            dev_loss: metric("Loss", &Split::Valid),
            dev_accuracy: metric("Accuracy", &Split::Valid) / 100.0,
        };
        let mut epochs = self
            .epochs
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        epochs.push(added);
        (self.report)(&added);
        // Without this file the training cannot be resumed, but it goes on.
        if let Ok(text) = serde_json::to_string_pretty(&*epochs) {
            let _ = WholeFile::write(&self.file, text);
        }
        epochs.clone()
    }
}

fn best(epochs: &[Epoch]) -> Option<usize> {
    let better = |a: &&Epoch, b: &&Epoch| {
        let by_accuracy = a.dev_accuracy.total_cmp(&b.dev_accuracy);
        by_accuracy.then(b.dev_loss.total_cmp(&a.dev_loss))
    };
    epochs.iter().max_by(better).map(|epoch| epoch.epoch)
}

impl CheckpointingStrategy for History {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let kept = |epochs: &[Epoch]| {
            let last = epochs.last().map(|last| last.epoch);
            [last, best(epochs)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let before = kept(&self.epochs());
        let after = kept(&self.add(epoch, store));
        let dropped = before.into_iter().filter(|epoch| !after.contains(epoch));
        let mut actions = vec![CheckpointingAction::Save];
        for epoch in dropped {
            let delete = CheckpointingAction::Delete(epoch);
            if !actions.contains(&delete) {
                actions.push(delete);
            }
        }
        actions
    }
}

impl EarlyStoppingStrategy for History {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        self.is_over()
    }
}
