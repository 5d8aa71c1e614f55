//! What stdout says while pictures are made.

use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

use super::args::EventFormat;
use super::record::Record;
use crate::cli::failure::Failure;

/// Something that happened. Documented in `docs/vary.md`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event<'a> {
    /// Everything is loaded and checked.
    Start { run: &'a Record },
    /// A step of these pictures was taken.
    Step {
        index: usize,
        pictures: usize,
        step: usize,
        steps: usize,
    },
    /// A preview was written.
    Preview {
        index: usize,
        step: usize,
        file: &'a str,
    },
    /// A picture is finished.
    Picture {
        index: usize,
        file: &'a str,
        flagged: Option<bool>,
    },
    /// The run has come to its end.
    Done { pictures: usize, interrupted: bool },
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: &'a Event<'a>,
    /// Since the program began to compute.
    seconds: f64,
}

/// Writes events as they come.
pub(super) struct Events {
    format: EventFormat,
    began: Instant,
}

impl Events {
    pub(super) fn new(format: EventFormat) -> Self {
        Self {
            format,
            began: Instant::now(),
        }
    }

    pub(super) fn say(&self, event: &Event<'_>) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let said = match (self.format, event) {
            (EventFormat::Jsonl, event) => {
                let seconds = (self.began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
                serde_json::to_writer(&mut out, &Line { event, seconds })
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(out))
            }
            (EventFormat::Text, Event::Picture { file, flagged, .. }) => {
                let note = match flagged {
                    Some(true) => "  (black: the safety checker flagged it)",
                    _ => "",
                };
                writeln!(out, "{file}{note}")
            }
            (EventFormat::Text, _) => Ok(()),
        };
        said.and_then(|()| out.flush()).map_err(Failure::output)
    }
}
