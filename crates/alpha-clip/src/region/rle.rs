//! Run-length encoded masks of COCO (Lin et al., 2014).

use serde_json::Value;

use crate::error::{Error, Result};
use crate::plane::{Plane, check_size};

/// A mask of COCO: lengths of runs of 0 and 1 in turn, starting with 0, down the columns from the
/// left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rle {
    width: usize,
    height: usize,
    runs: Vec<u32>,
}

impl Rle {
    /// A mask of `width` x `height` pixels from its runs.
    ///
    /// # Errors
    /// [`Error::Input`] if the runs have not as many pixels together.
    pub fn new(width: usize, height: usize, runs: Vec<u32>) -> Result<Self> {
        check_size(width, height)?;
        let pixels: u64 = runs.iter().map(|run| u64::from(*run)).sum();
        if pixels != (width * height) as u64 {
            return Err(Error::input(
                format!(
                    "the runs have {pixels} pixels, the mask of {width}x{height} has {}",
                    width * height
                ),
                "give all runs of the mask; COCO's size is [height, width]",
            ));
        }
        Ok(Self {
            width,
            height,
            runs,
        })
    }

    /// From COCO's compressed string: groups of five bits from the lowest on, the sixth telling
    /// whether more follow, each as the character 48 + value; from the fourth run on, the
    /// difference to the run before the last.
    ///
    /// # Errors
    /// [`Error::Input`] if it is no such string, or as [`new`](Self::new).
    pub fn from_compressed(width: usize, height: usize, counts: &str) -> Result<Self> {
        let broken = || {
            Error::input(
                "the compressed runs are damaged",
                "give COCO's string as it is",
            )
        };
        let mut runs: Vec<u32> = Vec::with_capacity(counts.len() / 2);
        let mut bytes = counts.bytes();
        while let Some(first) = bytes.next() {
            let mut byte = first;
            let mut number = 0i64;
            let mut bits = 0;
            loop {
                let group = byte
                    .checked_sub(48)
                    .filter(|group| *group < 64)
                    .ok_or_else(broken)?;
                // 35 bits hold every number that a mask can have.
                if bits >= 35 {
                    return Err(broken());
                }
                number |= i64::from(group & 31) << bits;
                bits += 5;
                if group & 32 == 0 {
                    if group & 16 != 0 {
                        number |= -1 << bits;
                    }
                    break;
                }
                byte = bytes.next().ok_or_else(broken)?;
            }
            if let [_, .., before, _] = runs.as_slice() {
                number += i64::from(*before);
            }
            runs.push(u32::try_from(number).map_err(|_| broken())?);
        }
        Self::new(width, height, runs)
    }

    /// From JSON: `{"size": [height, width], "counts": …}` with a list of runs or a compressed
    /// string, or an annotation that has this as its `segmentation`.
    ///
    /// # Errors
    /// [`Error::Input`] if it is nothing of this kind.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|e| {
            Error::input(
                format!("the run-length encoding is not valid JSON ({e})"),
                r#"give {"size": [height, width], "counts": …}"#,
            )
        })?;
        Self::from_value(value.get("segmentation").unwrap_or(&value))
    }

    fn from_value(value: &Value) -> Result<Self> {
        let odd = || {
            Error::input(
                "the JSON is no run-length encoding",
                r#"give {"size": [height, width], "counts": …}"#,
            )
        };
        let number = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        let (height, width) = match value
            .get("size")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([height, width]) => (
                number(height).ok_or_else(odd)?,
                number(width).ok_or_else(odd)?,
            ),
            _ => return Err(odd()),
        };
        match value.get("counts") {
            Some(Value::String(counts)) => Self::from_compressed(width, height, counts),
            Some(Value::Array(runs)) => {
                let run = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
                let runs: Option<Vec<u32>> = runs.iter().map(run).collect();
                Self::new(width, height, runs.ok_or_else(odd)?)
            }
            _ => Err(odd()),
        }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    pub(super) fn plane(&self) -> Plane {
        let mut values = vec![0.; self.width * self.height];
        let mut start = 0;
        for (at, run) in self.runs.iter().enumerate() {
            let end = start + *run as usize;
            if at % 2 == 1 {
                for place in start..end {
                    let (column, row) = (place / self.height, place % self.height);
                    if let Some(value) = values.get_mut(row * self.width + column) {
                        *value = 1.;
                    }
                }
            }
            start = end;
        }
        Plane::trusted(self.width, self.height, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// COCO's writer.
    fn compress(runs: &[u32]) -> String {
        let mut text = String::new();
        for (at, run) in runs.iter().enumerate() {
            let before = if at > 2 { i64::from(runs[at - 2]) } else { 0 };
            let mut number = i64::from(*run) - before;
            loop {
                let group = (number & 31) as u8;
                number >>= 5;
                let more = number != if group & 16 != 0 { -1 } else { 0 };
                text.push(char::from(48 + group + if more { 32 } else { 0 }));
                if !more {
                    break;
                }
            }
        }
        text
    }

    #[test]
    fn runs_go_down_the_columns() {
        let plane = Rle::new(3, 2, vec![1, 2, 3]).unwrap().plane();
        assert_eq!(plane.values(), [0., 1., 0., 1., 0., 0.]);
        let plane = Rle::new(3, 2, vec![0, 6]).unwrap().plane();
        assert_eq!(plane.values(), [1.; 6]);
    }

    #[test]
    fn the_published_form_is_read() {
        // What pycocotools writes for a 3 x 4 rectangle in a picture of 10 x 8.
        let runs = vec![18, 4, 4, 4, 4, 4, 42];
        let text = "b044000V1";
        assert_eq!(compress(&runs), text);
        let json = format!(r#"{{"size": [8, 10], "counts": "{text}"}}"#);
        let expected = Rle::new(10, 8, runs).unwrap();
        assert_eq!(Rle::from_json(&json).unwrap(), expected);
        let listed = r#"{"segmentation": {"counts": [18,4,4,4,4,4,42], "size": [8, 10]}, "id": 1}"#;
        assert_eq!(Rle::from_json(listed).unwrap(), expected);
    }

    #[test]
    fn pycocotools_is_understood() {
        let text = "`28X23M3M1O2N1O2N1O1O1O1O001O1O001O1O00001O00001O0000000000000000000000000000O\
                    10000O10000O1O100O1O100O1O1O1O1N2O1N2O1M3MY]22hbM00000000000000000";
        let plane = Rle::from_compressed(100, 80, text).unwrap().plane();
        for (at, value) in plane.values().iter().enumerate() {
            let (x, y) = (at % 100, at / 100);
            let inside = x.abs_diff(30).pow(2) + y * y < 900 || (x >= 90 && y >= 70);
            assert_eq!(*value == 1., inside, "{x},{y}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (json, words) in [
            ("{", "not valid JSON"),
            ("[]", "no run-length encoding"),
            (r#"{"size": [8], "counts": []}"#, "no run-length encoding"),
            (
                r#"{"size": [8, -1], "counts": []}"#,
                "no run-length encoding",
            ),
            (
                r#"{"size": [8, 10], "counts": [1.5]}"#,
                "no run-length encoding",
            ),
            (r#"{"size": [8, 10], "counts": [79]}"#, "79 pixels"),
            (
                r#"{"size": [8, 10], "counts": [4294967295, 4294967295]}"#,
                "8589934590 pixels",
            ),
            (r#"{"size": [0, 10], "counts": []}"#, "no pixel"),
            (
                r#"{"size": [4294967295, 4294967295], "counts": []}"#,
                "128 megapixels",
            ),
            (r#"{"size": [8, 10], "counts": "o"}"#, "damaged"),
            (r#"{"size": [8, 10], "counts": ""}"#, "0 pixels"),
            (r#"{"size": [8, 10], "counts": "`````"}"#, "damaged"),
            (r#"{"size": [8, 10], "counts": "\u0001"}"#, "damaged"),
            (
                r#"{"size": [8, 10], "counts": "ppppppppppppppp0"}"#,
                "damaged",
            ),
        ] {
            let said = Rle::from_json(json).unwrap_err().to_string();
            assert!(said.contains(words), "{json}: {said}");
        }
    }

    proptest! {
        #[test]
        fn both_forms_say_the_same(runs in prop::collection::vec(0u32..5000, 1..60)) {
            let pixels: u32 = runs.iter().sum();
            prop_assume!(pixels > 0);
            let listed = Rle::new(pixels as usize, 1, runs.clone()).unwrap();
            let read = Rle::from_compressed(pixels as usize, 1, &compress(&runs)).unwrap();
            prop_assert_eq!(&read, &listed);
            let covered: u32 = runs.iter().skip(1).step_by(2).sum();
            prop_assert!((read.plane().mean() * f64::from(pixels) - f64::from(covered)).abs() < 0.5);
        }

        #[test]
        fn no_text_breaks_it(text in "[ -~]{0,40}", counts in "[0-o]{0,40}") {
            let _ = Rle::from_json(&text);
            let _ = Rle::from_compressed(10, 10, &text);
            let _ = Rle::from_compressed(10, 10, &counts);
        }
    }
}
