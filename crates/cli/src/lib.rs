#![doc = include_str!("../README.md")]

mod args;
mod commands;
mod destination;
mod input;
mod opened;
mod output;
mod parts;
mod plan;
mod progress;
mod say;
mod usage;
mod way_out;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use relprop_engine::caught;

use args::{Arguments, Command};
use usage::UsageError;

/// Runs the program on the process's arguments.
///
/// Exit code 0: done. 1: failed. 2: wrong usage.
pub fn main() -> ExitCode {
    run(std::env::args_os()).into()
}

/// Runs the program on these arguments, the first of which is its name, and returns its exit code, as
/// [`main`] does. Help and wrong arguments end the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = Arguments::parse_from(arguments);
    relprop_engine::prepare_process();
    let result = caught(|| match arguments.command {
        Command::Demo(arguments) => commands::demo(&arguments),
        Command::Train(arguments) => commands::train(&arguments),
        Command::Explain(arguments) => commands::explain(*arguments),
        Command::Similar(arguments) => commands::similar(&arguments),
        Command::Serve(arguments) => commands::serve(&arguments),
        Command::Evaluate(arguments) => commands::evaluate(&arguments),
        Command::Tune(arguments) => commands::tune(&arguments),
        Command::Rules(arguments) => commands::rules(&arguments),
        Command::Inspect(arguments) => commands::inspect(&arguments),
        Command::Devices => commands::devices(),
        Command::Completions(arguments) => commands::completions(&arguments),
        Command::Man(arguments) => commands::man(&arguments),
    });
    let result = result.unwrap_or_else(|fault| Err(fault.into()));
    match result {
        Ok(()) => 0,
        // The reader of the output has closed the pipe: `relprop ... | head`.
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            let way_out = error.chain().find_map(way_out::way_out);
            let way_out = way_out.map_or(String::new(), |way_out| format!("; {way_out}"));
            anstream::eprintln!(
                "{}error:{} {}",
                style().render(),
                style().render_reset(),
                relprop_render::printable(&format!("{error:#}{way_out}"))
            );
            if error.is::<UsageError>() { 2 } else { 1 }
        }
    }
}

fn style() -> anstyle::Style {
    anstyle::AnsiColor::Red.on_default().bold()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
