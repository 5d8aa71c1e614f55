//! JSON: one object an input, a line each or in one array.

use std::io::{self, Write};

use serde::Serialize;

use super::{Failed, Finding, Writer};

/// One object a line.
pub(super) struct Lines;

/// One array.
#[derive(Default)]
pub(super) struct Array {
    begun: bool,
}

impl Lines {
    fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    }
}

impl Writer for Lines {
    fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
        Self::line(out, finding)
    }

    fn failed(&mut self, out: &mut dyn Write, failed: &Failed) -> io::Result<()> {
        Self::line(out, failed)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

impl Array {
    fn item(&mut self, out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
        let before = if std::mem::replace(&mut self.begun, true) {
            ",\n "
        } else {
            "["
        };
        out.write_all(before.as_bytes())?;
        Ok(serde_json::to_writer(&mut *out, value)?)
    }
}

impl Writer for Array {
    fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
        self.item(out, finding)
    }

    fn failed(&mut self, out: &mut dyn Write, failed: &Failed) -> io::Result<()> {
        self.item(out, failed)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let end = if self.begun { "]\n" } else { "[]\n" };
        out.write_all(end.as_bytes())
    }
}
