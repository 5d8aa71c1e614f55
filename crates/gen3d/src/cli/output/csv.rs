//! CSV (RFC 4180): `input,rank,label,score`, a line for each label.

use std::io::{self, Write};

use super::{Failed, Finding, Writer};

/// The table, with its head before the first line.
#[derive(Default)]
pub(super) struct Csv {
    begun: bool,
}

impl Csv {
    fn head(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            writeln!(out, "input,rank,label,score")?;
        }
        Ok(())
    }
}

impl Writer for Csv {
    fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
        self.head(out)?;
        let input = field(&finding.input);
        for (rank, scored) in (1..).zip(&finding.top) {
            writeln!(
                out,
                "{input},{rank},{},{}",
                field(&scored.label),
                scored.score
            )?;
        }
        Ok(())
    }

    fn failed(&mut self, _: &mut dyn Write, _: &Failed) -> io::Result<()> {
        // It has no label; the line on stderr says why.
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)
    }
}

/// `text` as a field, quoted where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_survive_commas_and_quotes() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
