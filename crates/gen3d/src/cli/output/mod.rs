//! Results of recognition as text, JSON or CSV.

mod csv;
mod json;
mod text;

use std::io::{self, Write};

use alpha_clip::Scored;
use serde::Serialize;

use super::args::{Format, Results};
use super::failure::Failure;
use super::files::Sink;

/// What was found in one input.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) input: String,
    /// Likeliest first.
    pub(crate) top: Vec<Scored>,
    pub(crate) model: String,
    /// What else is known, in the order of the fields.
    #[serde(flatten)]
    pub(crate) details: Details,
}

/// What belongs to some kinds of input only.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) projection: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) triangles: Option<usize>,
    /// The likeliest label of each view.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) votes: Vec<Scored>,
}

/// An input that failed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failed {
    pub(crate) input: String,
    pub(crate) error: String,
}

/// One way to write results.
trait Writer {
    fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()>;
    fn failed(&mut self, out: &mut dyn Write, failed: &Failed) -> io::Result<()>;
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes results as they come.
pub(crate) struct Report {
    out: Sink,
    writer: Box<dyn Writer>,
}

impl Report {
    /// A report where `results` says; `several` inputs are told apart by their names.
    pub(crate) fn new(results: &Results, several: bool) -> Result<Self, Failure> {
        let out = Sink::new(results.out.as_deref(), results.force, anstream::stdout())
            .map_err(Failure::missing)?;
        let writer: Box<dyn Writer> = match results.format {
            Format::Text => Box::new(text::Text::new(several)),
            Format::Json => Box::new(json::Array::default()),
            Format::Jsonl => Box::new(json::Lines),
            Format::Csv => Box::new(csv::Csv::default()),
        };
        Ok(Self { out, writer })
    }

    /// Writes what one input gave.
    pub(crate) fn add(&mut self, result: &Result<Finding, Failed>) -> Result<(), Failure> {
        let mut out = plain(&mut self.out);
        match result {
            Ok(finding) => self.writer.finding(&mut out, finding),
            Err(failed) => self.writer.failed(&mut out, failed),
        }
        // A pipe sees each result when it is there.
        .and_then(|()| out.flush())
        .map_err(Failure::output)
    }

    /// Ends the report.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.writer
            .end(&mut plain(&mut self.out))
            .map_err(Failure::output)?;
        self.out.finish()
    }
}

/// `out` without colours where it is a file; stdout decides for itself.
fn plain(out: &mut Sink) -> Box<dyn Write + '_> {
    match out {
        Sink::Stdout(out) => Box::new(out),
        Sink::File(out) => {
            let out: &mut (dyn Write + 'static) = out;
            Box::new(anstream::StripStream::new(out))
        }
    }
}
