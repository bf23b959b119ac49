//! The program as a user runs it, and a small model to run it with.

use std::process::{Command, Output};
use std::sync::Mutex;

use burn::tensor::Device;
use relprop_checkpoints::{Model, Tokenizer};
use relprop_data::corpus::reviews;
use relprop_train::vocabulary::train_wordpiece;
use relprop_transformer::{Transformer, TransformerConfig};

/// The program, in its plainest surroundings.
pub fn relprop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relprop"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// What the program printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self {
            code: output.status.code().expect("the program ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// The program must have been content.
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The program must have ended with `code` and said each of `words`.
    pub fn failed(self, code: i32, words: &[&str]) {
        let error = self.stderr;
        assert_eq!(self.code, code, "{error}");
        for word in words {
            assert!(error.contains(word), "`{word}` is not in:\n{error}");
        }
        assert!(!error.contains("panicked"), "{error}");
    }
}

/// A small model with fresh weights for the embedded corpus. It reads at most `positions` tokens.
pub fn review_model(positions: usize) -> Model {
    let corpus = reviews(200, 0);
    let texts = corpus.train.iter().map(|example| example.text.as_str());
    let tokenizer = Tokenizer::new(train_wordpiece(texts, 400).unwrap());
    let config = TransformerConfig {
        positions,
        width: 16,
        ..TransformerConfig::bert(tokenizer.vocabulary_size(), corpus.labels)
    };
    let device = Device::flex();
    // The seed is the whole process's, and tests run side by side.
    static SEEDED: Mutex<()> = Mutex::new(());
    let _alone = SEEDED.lock().unwrap();
    device.seed(7);
    Model::new(Transformer::new(&config, &device).unwrap(), tokenizer)
}
