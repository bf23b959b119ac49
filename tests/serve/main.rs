//! `relprop serve`: what it answers, what it refuses, and how it bears many at once.

mod answers;
mod client;
mod described;
mod refusals;
mod towers;
mod waiting;
