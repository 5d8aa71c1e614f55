//! Completions and the manual page, from the definition of the command line.

use std::io::{self, Write};

use crate::cli::args::Completions;
use crate::cli::failure::{Failure, Outcome};

pub(crate) fn completions(
    args: &Completions,
    mut command: clap::Command,
) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "gen3d", &mut script);
    print(&script)
}

pub(crate) fn man(command: clap::Command) -> Result<Outcome, Failure> {
    let mut page = Vec::new();
    let mut command = command.disable_help_subcommand(true);
    command.build();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(Failure::output)?;
    for sub in command.get_subcommands() {
        let man = clap_mangen::Man::new(sub.clone());
        man.render_name_section(&mut page)
            .and_then(|()| man.render_synopsis_section(&mut page))
            .and_then(|()| man.render_description_section(&mut page))
            .and_then(|()| man.render_options_section(&mut page))
            .map_err(Failure::output)?;
    }
    print(&page)
}

fn print(bytes: &[u8]) -> Result<Outcome, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::output)?;
    Ok(Outcome::Done)
}
