//! The command line: arguments in, results on stdout, everything else on stderr.

mod args;
mod bulk;
mod commands;
mod context;
mod failure;
mod features;
mod files;
mod inputs;
mod labels;
mod model;
mod output;
mod pictures;
mod sheet;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use context::Context;
use failure::{Failure, Outcome};

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let context = match Context::new(&cli.global) {
        Ok(context) => context,
        Err(failure) => return context::report(&failure),
    };
    match run(cli.command, &context) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => context::report(&failure),
    }
}

fn run(command: Command, context: &Context) -> Result<Outcome, Failure> {
    match command {
        Command::Recognize(args) => commands::recognize::run(&args, context),
        Command::Project(args) => commands::project::run(&args, context),
        Command::Classify(args) => commands::classify::run(&args, context),
        Command::Embed(args) => commands::embed::run(&args, context),
        Command::Vary(args) => commands::vary::run(&args, context),
        Command::Models(args) => commands::models::run(args, context),
        Command::Bench(args) => commands::bench::run(&args, context),
        Command::Completions(args) => commands::manual::completions(&args, Cli::command()),
        Command::Man => commands::manual::man(Cli::command()),
    }
}

/// What the parser says, without its usage lines and in our words.
fn in_one_line(text: &str) -> String {
    const PLAIN: [(&str, &str); 4] = [
        ("[possible values: ", "give one of "),
        (
            "number would be zero for non-zero type",
            "give a whole number of 1 or more",
        ),
        ("invalid digit found in string", "give a whole number"),
        (
            "cannot parse integer from empty string",
            "give a whole number",
        ),
    ];
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut told = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        let line = line.strip_prefix("tip: ").unwrap_or(line);
        if !told.is_empty() {
            told += if told.ends_with(':') { " " } else { "; " };
        }
        told += match line.starts_with('[') {
            true => line.trim_end_matches(']'),
            false => line,
        };
    }
    PLAIN
        .iter()
        .fold(told, |told, (from, to)| told.replace(from, to))
}

/// Help goes to stdout as it is; a mistake becomes one line on stderr.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(1),
        };
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.render().to_string();
    context::report(&Failure::usage(anyhow::anyhow!(
        "{}; see --help",
        in_one_line(&text)
    )))
}

#[cfg(test)]
mod tests {
    use super::in_one_line;

    #[test]
    fn mistakes_become_one_line() {
        let told = "error: the following required arguments were not provided:\n  <INPUT>...\n\n\
                    Usage: gen3d recognize <INPUT>...\n\nFor more information, try '--help'.\n";
        let expected = "the following required arguments were not provided: <INPUT>...";
        assert_eq!(in_one_line(told), expected);
        let told =
            "error: invalid value 'x' for '--color <WHEN>'\n  [possible values: auto, never]";
        let expected = "invalid value 'x' for '--color <WHEN>'; give one of auto, never";
        assert_eq!(in_one_line(told), expected);
    }
}
