//! Features as files: NPY, safetensors, JSON lines.

use std::io::{self, IsTerminal, Write};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::json;

use super::args::{FeatureFormat, FeatureOutput};
use super::failure::Failure;
use super::files::Sink;
use super::output::Failed;

/// Writes one feature an input, in their order.
pub(crate) struct FeatureWriter {
    out: Sink,
    format: FeatureFormat,
    model: String,
    raw: bool,
    /// What the formats of one array hold back until all rows are there.
    names: Vec<String>,
    values: Vec<f32>,
    width: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    input: &'a str,
    feature: &'a [f32],
    model: &'a str,
}

impl FeatureWriter {
    /// A writer of features of `width` values from the model called `model`.
    pub(crate) fn new(args: &FeatureOutput, model: &str, width: usize) -> Result<Self, Failure> {
        let format = args.form();
        let binary = format != FeatureFormat::Jsonl;
        if binary && args.out.is_none() && io::stdout().is_terminal() {
            return Err(Failure::usage(anyhow!(
                "this form is not for a terminal; give a file with --out, or --format jsonl"
            )));
        }
        Ok(Self {
            out: Sink::new(args.out.as_deref(), args.force, io::stdout())
                .map_err(Failure::missing)?,
            format,
            model: model.to_owned(),
            raw: args.raw,
            names: Vec::new(),
            values: Vec::new(),
            width,
        })
    }

    /// The next input's feature, or why there is none.
    pub(crate) fn add(
        &mut self,
        input: &str,
        feature: Result<&[f32], &str>,
    ) -> Result<(), Failure> {
        let written = match (self.format, feature) {
            (FeatureFormat::Jsonl, Ok(feature)) => line(
                &mut self.out,
                &Line {
                    input,
                    feature,
                    model: &self.model,
                },
            ),
            (FeatureFormat::Jsonl, Err(error)) => line(
                &mut self.out,
                &Failed {
                    input: input.to_owned(),
                    error: error.to_owned(),
                },
            ),
            (_, Ok(feature)) => {
                self.names.push(input.to_owned());
                self.values.extend_from_slice(feature);
                Ok(())
            }
            (_, Err(_)) => Ok(()),
        };
        written.map_err(Failure::output)
    }

    /// Writes what was held back. Where no input gave a feature there is no array to write.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        if self.format == FeatureFormat::Jsonl {
            return self.out.finish();
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let head = match self.format {
            FeatureFormat::Npy => npy_head(&[self.names.len(), self.width]),
            _ => self.safetensors_head(),
        };
        let values = self
            .values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>();
        self.out
            .write_all(&head)
            .and_then(|()| self.out.write_all(&values))
            .map_err(Failure::output)?;
        self.out.finish()
    }

    /// Length and header of a safetensors file with the one tensor `features`. The inputs' names
    /// are its metadata, a JSON list, for safetensors holds strings only.
    fn safetensors_head(&self) -> Vec<u8> {
        let header = json!({
            "__metadata__": {
                "inputs": json!(self.names).to_string(),
                "model": self.model,
                "normalised": (!self.raw).to_string(),
            },
            "features": {
                "dtype": "F32",
                "shape": [self.names.len(), self.width],
                "data_offsets": [0, 4 * self.values.len()],
            },
        });
        let mut header = header.to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        [&(header.len() as u64).to_le_bytes(), header.as_slice()].concat()
    }
}

/// One JSON object on a line.
fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)?;
    // A pipe sees each result when it is there.
    out.flush()
}

impl FeatureOutput {
    /// The form that was asked for, or that the file's name promises.
    fn form(&self) -> FeatureFormat {
        let extension = self
            .out
            .as_ref()
            .and_then(|path| path.extension()?.to_str());
        self.format.unwrap_or(match extension {
            Some("npy") => FeatureFormat::Npy,
            Some("safetensors") => FeatureFormat::Safetensors,
            _ => FeatureFormat::Jsonl,
        })
    }
}

/// Header of NPY 1.0 for f32 values of this shape.
pub(crate) fn npy_head(shape: &[usize]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    // A tuple of one is written with a comma.
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", sides.join(", "));
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take ten bytes; the values begin at a multiple of 64.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    head.extend((text.len() as u16).to_le_bytes());
    head.extend(text.as_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_npy_header_is_aligned_and_says_the_shape() {
        let head = npy_head(&[3, 384]);
        assert_eq!(head.len() % 64, 0);
        assert_eq!(&head[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(
            usize::from(u16::from_le_bytes([head[8], head[9]])),
            head.len() - 10
        );
        assert!(String::from_utf8_lossy(&head[10..]).contains("(3, 384)"));
        assert_eq!(head.last(), Some(&b'\n'));
    }

    #[test]
    fn the_name_of_the_file_tells_the_form() {
        let form = |out: Option<&str>, format| {
            let out = out.map(PathBuf::from);
            FeatureOutput {
                out,
                format,
                raw: false,
                force: false,
            }
            .form()
        };
        assert_eq!(form(Some("a.npy"), None), FeatureFormat::Npy);
        assert_eq!(
            form(Some("a.safetensors"), None),
            FeatureFormat::Safetensors
        );
        assert_eq!(form(Some("a"), None), FeatureFormat::Jsonl);
        assert_eq!(form(None, None), FeatureFormat::Jsonl);
        assert_eq!(
            form(Some("a.npy"), Some(FeatureFormat::Jsonl)),
            FeatureFormat::Jsonl
        );
    }
}
