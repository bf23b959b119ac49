//! The `relprop` program. Its code is in the crate `relprop-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    relprop_cli::main()
}
