//! What is trained, and how.

use std::path::PathBuf;

use relprop_transformer::{FeedForwardConfig, NormPlacement, PatchConfig, TransformerConfig};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// The architectures that can be trained from scratch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// A small BERT: the result opens in Python's `transformers`.
    #[default]
    Bert,
    /// The same with norms before attention and feed-forward.
    PreNorm,
    /// The model of Ali et al. 2022 as released: no feed-forward part, scores not scaled, norms
    /// without factor and shift.
    AttentionOnly,
}

/// What a model is trained to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// To give a text its label.
    #[default]
    Classify,
    /// To give the next token at every position of a text: a small Llama with a vocabulary of byte
    /// pairs.
    NextToken,
}

/// How a model is trained. In TOML, every field may be left out.
///
/// | field | default | range | what it is |
/// | --- | --- | --- | --- |
/// | `task` | `classify` | `classify`, `next-token` | what the model is trained to do; labels are not used for `next-token` |
/// | `architecture` | `bert` | `bert`, `pre-norm`, `attention-only` | the parts of a model that classifies |
/// | `embeddings` | none | a model's folder of the same `width` | the model whose vocabulary and embeddings are taken over and kept as they are |
/// | `vocabulary` | 8000 | at least 100 | the largest number of tokens in the vocabulary |
/// | `positions` | 128 | at least 8 | the largest number of tokens of a text |
/// | `patch` | 4 | at least 1 | the side of a patch in pixels, for pictures |
/// | `width` | 128 | a multiple of `heads` | features of a hidden state |
/// | `blocks` | 2 | at least 1 | Transformer blocks |
/// | `heads` | 4 | at least 1 | attention heads |
/// | `feed_forward` | 512 | at least 1 | features in the middle of a feed-forward part |
/// | `epochs` | 4 | at least 1 | the largest number of passes over the training texts |
/// | `batch` | 64 | at least 1 | texts in a step |
/// | `learning_rate` | 0.0005 | (0, 1] | the peak learning rate |
/// | `warmup` | 0.1 | [0, 1) | the share of steps in which the learning rate rises |
/// | `weight_decay` | 0.01 | at least 0 | AdamW's weight decay |
/// | `dropout` | 0.3 | [0, 1) | the share of hidden numbers and attention weights dropped; of attention weights alone for `next-token` |
/// | `word_dropout` | 0.2 | [0, 1) | the share of tokens that training replaces by the unknown token |
/// | `label_smoothing` | 0.1 | [0, 1) | how much of each label is spread over all |
/// | `clip` | 1 | above 0 | the largest norm of one parameter's gradient |
/// | `patience` | 2 | at least 1 | epochs without a better accuracy before training stops |
/// | `seed` | 0 | | the seed of all random numbers |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the table above says it once
pub struct TrainConfig {
    pub task: Task,
    pub architecture: Architecture,
    pub embeddings: Option<PathBuf>,
    pub vocabulary: usize,
    pub positions: usize,
    pub patch: usize,
    pub width: usize,
    pub blocks: usize,
    pub heads: usize,
    pub feed_forward: usize,
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    pub warmup: f64,
    pub weight_decay: f32,
    pub dropout: f64,
    pub word_dropout: f64,
    pub label_smoothing: f32,
    pub clip: f32,
    pub patience: usize,
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            task: Task::default(),
            architecture: Architecture::default(),
            embeddings: None,
            vocabulary: 8000,
            positions: 128,
            patch: 4,
            width: 128,
            blocks: 2,
            heads: 4,
            feed_forward: 512,
            epochs: 4,
            batch: 64,
            learning_rate: 5e-4,
            warmup: 0.1,
            weight_decay: 0.01,
            dropout: 0.3,
            word_dropout: 0.2,
            label_smoothing: 0.1,
            clip: 1.0,
            patience: 2,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Settings for a few thousand short texts in plain words, such as the embedded corpus: a BERT
    /// of 2 blocks and width 64, trained for 3 epochs.
    pub fn small() -> Self {
        Self {
            vocabulary: 1000,
            width: 64,
            feed_forward: 256,
            epochs: 3,
            batch: 16,
            learning_rate: 1e-3,
            dropout: 0.1,
            word_dropout: 0.0,
            label_smoothing: 0.0,
            ..Self::default()
        }
    }

    /// Settings for a language model on a few thousand short texts in plain words.
    pub fn small_language_model() -> Self {
        Self {
            task: Task::NextToken,
            epochs: 8,
            ..Self::small()
        }
    }

    /// Settings for tens of thousands of small pictures, such as those of MNIST: a ViT of 3 blocks and
    /// width 64, trained for 5 epochs. `word_dropout` hides patches, and is none.
    pub fn pictures() -> Self {
        Self {
            width: 64,
            blocks: 3,
            feed_forward: 128,
            epochs: 5,
            learning_rate: 2e-3,
            dropout: 0.0,
            word_dropout: 0.0,
            label_smoothing: 0.0,
            ..Self::default()
        }
    }

    /// Reads a configuration from TOML. What is left out is as in `self`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Settings`], with the line, the field and what was expected there; and as
    /// [`TrainConfig::check`].
    pub fn with_toml(&self, text: &str) -> Result<Self, TrainError> {
        let wrong = |error: toml::de::Error| TrainError::Settings(error.to_string());
        // This error has the line of the fault.
        let _: Self = toml::from_str(text).map_err(wrong)?;
        let given: toml::Table = toml::from_str(text).map_err(wrong)?;
        let all = toml::Table::try_from(self);
        let mut all = all.map_err(|error| TrainError::Settings(error.to_string()))?;
        all.extend(given);
        let config: Self = all.try_into().map_err(wrong)?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration from TOML.
    ///
    /// # Errors
    ///
    /// As [`TrainConfig::with_toml`].
    pub fn from_toml(text: &str) -> Result<Self, TrainError> {
        Self::default().with_toml(text)
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`], [`TrainError::NotForTask`] or [`TrainError::Model`]: each names the
    /// field.
    pub fn check(&self) -> Result<(), TrainError> {
        let check = |holds: bool, field, value: f64, range: &str| match holds {
            true => Ok(()),
            false => Err(TrainError::Setting {
                field,
                value,
                range: range.to_owned(),
            }),
        };
        let at_least = |least: usize, field, value: usize| {
            check(
                value >= least,
                field,
                value as f64,
                &format!("at least {least}"),
            )
        };
        let share =
            |field, value: f64| check((0.0..1.0).contains(&value), field, value, "in [0, 1)");
        at_least(100, "vocabulary", self.vocabulary)?;
        at_least(8, "positions", self.positions)?;
        at_least(1, "patch", self.patch)?;
        at_least(1, "blocks", self.blocks)?;
        at_least(1, "epochs", self.epochs)?;
        at_least(1, "batch", self.batch)?;
        at_least(1, "patience", self.patience)?;
        let rate = self.learning_rate;
        check(
            rate > 0.0 && rate <= 1.0,
            "learning_rate",
            rate,
            "in (0, 1]",
        )?;
        share("warmup", self.warmup)?;
        share("word_dropout", self.word_dropout)?;
        share("label_smoothing", self.label_smoothing.into())?;
        let decay = self.weight_decay.into();
        check(decay >= 0.0, "weight_decay", decay, "at least 0")?;
        check(self.clip > 0.0, "clip", self.clip.into(), "above 0")?;
        if self.task == Task::NextToken {
            for (given, field) in [
                (self.architecture != Architecture::default(), "architecture"),
                (self.embeddings.is_some(), "embeddings"),
            ] {
                if given {
                    return Err(TrainError::NotForTask { field });
                }
            }
        }
        let labels = vec![String::new(); 2];
        Ok(self.model(1, self.positions, labels).check()?)
    }

    /// The model to train.
    pub(crate) fn model(
        &self,
        vocabulary: usize,
        positions: usize,
        labels: Vec<String>,
    ) -> TransformerConfig {
        let start = match self.architecture {
            _ if self.task == Task::NextToken => TransformerConfig::llama(vocabulary),
            Architecture::Bert => TransformerConfig::bert(vocabulary, labels),
            Architecture::PreNorm => TransformerConfig {
                embedding_norm: None,
                norm_placement: NormPlacement::Before,
                ..TransformerConfig::bert(vocabulary, labels)
            },
            Architecture::AttentionOnly => TransformerConfig::attention_only(vocabulary, labels),
        };
        TransformerConfig {
            positions,
            ..self.sized(start)
        }
    }

    /// The model to train on pictures.
    pub(crate) fn picture_model(
        &self,
        patches: PatchConfig,
        labels: Vec<String>,
    ) -> TransformerConfig {
        self.sized(TransformerConfig::vit(patches, labels))
    }

    fn sized(&self, start: TransformerConfig) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            blocks: self.blocks,
            heads: self.heads,
            feed_forward: start.feed_forward.map(|part| FeedForwardConfig {
                width: self.feed_forward,
                ..part
            }),
            dropout: match self.task {
                Task::Classify => self.dropout,
                // A Llama has none: its config.json has no key for it.
                Task::NextToken => 0.0,
            },
            attention_dropout: self.dropout,
            ..start
        }
    }
}
