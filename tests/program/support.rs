//! A folder with a small model, and the program run in it.

use std::path::PathBuf;

use relprop_testing::program::{Ran, relprop, review_model};
use serde_json::Value;
use tempfile::TempDir;

pub fn run(arguments: &[&str]) -> Ran {
    relprop().args(arguments).output().unwrap().into()
}

/// Runs the program, which must be content.
pub fn done(arguments: &[&str]) -> Ran {
    run(arguments).done()
}

/// Runs the program, which must end with `code` and say each of `words`.
pub fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    run(arguments).failed(code, words);
}

/// A small model with fresh weights, saved to a folder. It reads at most 12 tokens.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        review_model(12).save(folder.path()).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn explain(&self, arguments: &[&str]) -> Ran {
        done(&[&["explain", "--model", self.path()], arguments].concat())
    }

    pub fn explain_fails(&self, arguments: &[&str], code: i32, words: &[&str]) {
        fails(
            &[&["explain", "--model", self.path()], arguments].concat(),
            code,
            words,
        );
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.explain(&[&["--format", "json"], arguments].concat());
        serde_json::from_str(&ran.stdout).unwrap()
    }
}
