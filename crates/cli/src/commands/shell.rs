//! `relprop completions` and `relprop man`: both are made from the arguments.

use std::fs;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::output::Output;

/// Prints what a shell needs to complete this program's arguments.
pub(crate) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<()> {
    let mut text = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "relprop", &mut text);
    Output::open(None)?.write(text)
}

/// Writes the manual pages.
pub(crate) fn man(arguments: &ManArguments) -> anyhow::Result<()> {
    let out = &arguments.out;
    let place = || out.display().to_string();
    fs::create_dir_all(out).with_context(place)?;
    clap_mangen::generate_to(Arguments::command(), out).with_context(place)
}
