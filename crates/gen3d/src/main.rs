//! The program: see `gen3d help`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
