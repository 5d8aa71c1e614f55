//! Columns for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Failed, Finding, Writer};

/// Width of a bar for 100 %, in characters.
const BAR: f32 = 20.;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Text: the input's name if there are several, then one line a label.
pub(super) struct Text {
    several: bool,
    begun: bool,
}

impl Text {
    pub(super) fn new(several: bool) -> Self {
        Self {
            several,
            begun: false,
        }
    }
}

impl Writer for Text {
    fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            writeln!(out)?;
        }
        if self.several {
            let bold = Style::new().bold();
            writeln!(out, "{bold}{}{bold:#}", finding.input)?;
        }
        let indent = if self.several { "  " } else { "" };
        let width = finding
            .top
            .iter()
            .map(|s| s.label.chars().count())
            .max()
            .unwrap_or(0);
        for scored in &finding.top {
            let color = Style::new().fg_color(Some(AnsiColor::Green.into()));
            let label = &scored.label;
            let percent = 100. * scored.score;
            let bar = bar(scored.score);
            let line = format!("{indent}{label:width$}  {percent:5.1} %  {color}{bar}{color:#}");
            writeln!(out, "{}", line.trim_end())?;
        }
        let details = &finding.details;
        if !details.votes.is_empty() {
            let up = details.up.as_deref().unwrap_or("+y");
            writeln!(out, "{indent}up {up}, by {}", finding.model)?;
            for (view, vote) in details.votes.iter().enumerate() {
                let percent = 100. * vote.score;
                writeln!(
                    out,
                    "{indent}view {view:2}  {percent:5.1} %  {}",
                    vote.label
                )?;
            }
        }
        Ok(())
    }

    fn failed(&mut self, _: &mut dyn Write, _: &Failed) -> io::Result<()> {
        // The line on stderr says it.
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn bar(score: f32) -> String {
    let eighths = (score.clamp(0., 1.) * BAR * 8.).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_the_share() {
        assert_eq!(bar(1.).chars().count(), 20);
        assert_eq!(bar(0.), "");
        assert_eq!(bar(0.5 + 1. / 160.), "██████████▏");
    }
}
