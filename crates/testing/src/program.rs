//! The program as a user runs it, and a small model to run it with.

use std::env;
use std::process::{Command, Output};

use burn::tensor::Device;
use relprop_checkpoints::{Model, Tokenizer};
use relprop_data::corpus::reviews;
use relprop_train::vocabulary::train_wordpiece;
use relprop_transformer::{Transformer, TransformerConfig};

use crate::alone;

/// The program, in its plainest surroundings. Cargo says where it is, to tests of its package alone.
pub fn relprop() -> Command {
    let program = env::var_os("CARGO_BIN_EXE_relprop").expect("cargo runs the test");
    let mut command = Command::new(program);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// What the program printed and how it ended.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
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
    let _alone = alone();
    device.seed(7);
    Model::new(Transformer::new(&config, &device).unwrap(), tokenizer)
}
