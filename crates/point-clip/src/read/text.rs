//! Lines, words and numbers of text formats, straight from bytes.

use crate::error::{Error, Place, Result, quote};

/// A line of text and its number, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a [u8],
}

/// The lines of a text whose ends are `\n`, `\r\n` or (on old Macs) `\r`.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
    end: u8,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let first = memchr::memchr2(b'\n', b'\r', bytes);
        let mac = first
            .is_some_and(|at| bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) != Some(&b'\n'));
        Lines {
            rest: bytes,
            number: 0,
            end: if mac { b'\r' } else { b'\n' },
        }
    }

    /// What follows the lines taken so far.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(self.end, self.rest);
        let (text, rest) = match end.and_then(|at| self.rest.split_at_checked(at)) {
            Some((text, rest)) => (text, rest.get(1..).unwrap_or_default()),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.number += 1;
        Some(Line {
            number: self.number,
            text: text.strip_suffix(b"\r").unwrap_or(text),
        })
    }
}

/// Takes the next word off `text`, if there is one; words are separated by blanks.
#[inline]
pub(super) fn next_word<'a>(text: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = text.iter().position(|b| !b.is_ascii_whitespace())?;
    let rest = text.get(start..)?;
    let end = rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(rest.len());
    let (word, rest) = rest.split_at_checked(end)?;
    *text = rest;
    Some(word)
}

/// The words of a line.
pub(super) fn words(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || next_word(&mut text))
}

/// `text` up to a `#`.
pub(super) fn before_comment(text: &[u8]) -> &[u8] {
    match memchr::memchr(b'#', text) {
        Some(at) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

/// The number that `word` is, `nan` and `inf` included.
pub(super) fn number(word: &[u8]) -> Option<f64> {
    exact_decimal(word).or_else(|| {
        // The rare rest: many digits, large exponents, "nan", "inf".
        std::str::from_utf8(word).ok()?.parse().ok()
    })
}

/// The common decimal, exactly: at most 2⁵³ in all its digits and a power of ten up to 22, both of
/// which doubles hold exactly, so that one rounding remains (Clinger 1990).
fn exact_decimal(word: &[u8]) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    // 18 digits cannot overflow 64 bits.
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut decimals = None;
    let mut seen = 0;
    let mut exponent = 0_i32;
    let mut rest = digits.iter();
    while let Some(&b) = rest.next() {
        match b {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(b - b'0');
                seen += 1;
                decimals = decimals.map(|d: i32| d + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            b'e' | b'E' => {
                exponent = std::str::from_utf8(rest.as_slice()).ok()?.parse().ok()?;
                break;
            }
            _ => return None,
        }
    }
    let power = exponent.checked_sub(decimals.unwrap_or(0))?;
    if seen == 0 || mantissa > 1 << 53 {
        return None;
    }
    let scale = POWERS.get(power.unsigned_abs() as usize)?;
    let value = if power < 0 {
        mantissa as f64 / scale
    } else {
        mantissa as f64 * scale
    };
    Some(if negative { -value } else { value })
}

/// The number that `word` must be.
pub(super) fn expect_number(
    format: &'static str,
    place: Place,
    word: Option<&[u8]>,
) -> Result<f64> {
    let Some(word) = word else {
        return Err(Error::damaged(
            format,
            format!("{place} ends before its last number"),
        ));
    };
    number(word).ok_or_else(|| {
        Error::damaged(
            format,
            format!("{place} has {} where a number belongs", quote(word)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_as_on_any_system() {
        for text in ["a b\nc\n\nd", "a b\r\nc\r\n\r\nd\r\n", "a b\rc\r\rd\r"] {
            let lines: Vec<_> = Lines::new(text.as_bytes())
                .map(|l| (l.number, l.text.to_vec()))
                .collect();
            let expected = [(1, "a b"), (2, "c"), (3, ""), (4, "d")];
            assert_eq!(lines, expected.map(|(n, t)| (n, t.as_bytes().to_vec())));
        }
    }

    #[test]
    fn words_that_are_no_numbers() {
        for word in [
            "", "-", ".", "1e", "1.2.3", "0x10", "1,5", "--1", "e5", "1f", "-.e1",
        ] {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
        assert!(number(b"nan").is_some_and(f64::is_nan));
        assert_eq!(number(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(number(b"+1.e2"), Some(100.0));
        assert_eq!(number(b"-.5"), Some(-0.5));
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(value: f64, digits in 0_usize..20) {
            for word in [format!("{value}"), format!("{value:e}"), format!("{value:.digits$e}"),
                format!("{:.digits$}", value % 1e6)] {
                let expected: f64 = word.parse().unwrap();
                prop_assert_eq!(number(word.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
            }
        }

        #[test]
        fn any_word_is_as_in_the_standard_library(word in "[-+]?[0-9]{0,9}[.]?[0-9]{0,9}([eE][-+]?[0-9]{0,3})?") {
            let expected = word.parse::<f64>().ok();
            prop_assert_eq!(number(word.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits));
        }
    }
}
