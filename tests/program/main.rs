//! The program as a user runs it: what it prints, what it writes, and what it says of every mistake.

mod bulk;
mod choices;
mod cli;
mod evaluate;
mod language;
mod mistakes;
#[cfg(unix)]
mod pages;
mod pictures;
mod segments;
mod support;
mod towers;
mod training;
mod tune;

use relprop_testing::program::{Ran, relprop};
