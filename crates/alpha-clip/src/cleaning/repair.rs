//! Damaged text repaired as the ftfy library does it with its default settings.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::entities::{unescape_plain, windows_1252};

/// A text can be damaged over and over; every pass undoes one layer.
const PASSES: usize = 64;

/// Repairs `text` line by line: references of HTML, unless the text has a tag; UTF-8 that was
/// read as Latin-1 or Windows-1252; ligatures, full and half widths, curly quotes, line ends,
/// terminal escapes and control characters. The result is in Unicode's form NFC.
///
/// Mojibake is repaired where a whole line is Latin-1 or Windows-1252 and becomes valid UTF-8;
/// ftfy has a table of suspicious sequences and knows more encodings.
pub(super) fn repair(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut references = true;
    for line in text.split_inclusive('\n') {
        references &= !line.contains('<');
        let mut line = Cow::Borrowed(line);
        for _ in 0..PASSES {
            let repaired = pass(&line, references);
            if repaired == line {
                break;
            }
            line = Cow::Owned(repaired);
        }
        result.push_str(&line);
    }
    result
}

fn pass(line: &str, references: bool) -> String {
    let mut line = if references {
        unescape_plain(line)
    } else {
        Cow::Borrowed(line)
    };
    while let Some(read) = misread(&line) {
        line = Cow::Owned(read);
    }
    let line: Cow<str> = if line.is_ascii() {
        line
    } else {
        let mut plain = String::with_capacity(line.len());
        line.chars().for_each(|c| push_plain(c, &mut plain));
        Cow::Owned(plain)
    };
    let line = line.replace("\r\n", "\n").replace('\r', "\n");
    let line: String = without_escapes(&line)
        .chars()
        .filter(|&c| !is_control(c))
        .collect();
    if is_nfc(&line) {
        line
    } else {
        line.nfc().collect()
    }
}

/// The line as UTF-8, where its characters are bytes in Latin-1 or Windows-1252.
fn misread(line: &str) -> Option<String> {
    if line.is_ascii() {
        return None;
    }
    [latin_1, sloppy_windows_1252]
        .into_iter()
        .find_map(|byte: fn(char) -> Option<u8>| {
            String::from_utf8(line.chars().map(byte).collect::<Option<_>>()?).ok()
        })
}

fn latin_1(c: char) -> Option<u8> {
    u8::try_from(u32::from(c)).ok()
}

/// Bytes that Windows-1252 leaves undefined stand for themselves.
fn sloppy_windows_1252(c: char) -> Option<u8> {
    (0x80..=0x9f)
        .find(|&byte| windows_1252(byte.into()) == c)
        .or_else(|| latin_1(c).filter(|byte| !(0x80..=0x9f).contains(byte)))
}

/// Appends what an unusual form of a character stands for.
fn push_plain(c: char, plain: &mut String) {
    let c = match c {
        '\u{80}'..='\u{9f}' => windows_1252(c.into()),
        c => c,
    };
    match c {
        'Ĳ' => plain.push_str("IJ"),
        'ĳ' => plain.push_str("ij"),
        'ŉ' => plain.push_str("'n"),
        'Ǆ' => plain.push_str("DŽ"),
        'ǅ' => plain.push_str("Dž"),
        'ǆ' => plain.push_str("dž"),
        'Ǉ' => plain.push_str("LJ"),
        'ǈ' => plain.push_str("Lj"),
        'ǉ' => plain.push_str("lj"),
        'Ǌ' => plain.push_str("NJ"),
        'ǋ' => plain.push_str("Nj"),
        'ǌ' => plain.push_str("nj"),
        'Ǳ' => plain.push_str("DZ"),
        'ǲ' => plain.push_str("Dz"),
        'ǳ' => plain.push_str("dz"),
        'ﬀ' => plain.push_str("ff"),
        'ﬁ' => plain.push_str("fi"),
        'ﬂ' => plain.push_str("fl"),
        'ﬃ' => plain.push_str("ffi"),
        'ﬄ' => plain.push_str("ffl"),
        'ﬅ' => plain.push_str("ſt"),
        'ﬆ' => plain.push_str("st"),
        '\u{3000}' | '\u{ff01}'..='\u{ffef}' => plain.extend([c].into_iter().nfkc()),
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => plain.push('\''),
        '\u{201c}'..='\u{201f}' => plain.push('"'),
        '\u{2028}' | '\u{2029}' => plain.push('\n'),
        c => plain.push(c),
    }
}

/// Without the sequences that colour a terminal: escape, bracket, numbers, a letter.
fn without_escapes(line: &str) -> Cow<'_, str> {
    if !line.contains("\u{1b}[") {
        return Cow::Borrowed(line);
    }
    let mut result = String::with_capacity(line.len());
    let mut parts = line.split("\u{1b}[");
    result.extend(parts.next());
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match after.strip_prefix(|c: char| c.is_ascii_alphabetic()) {
            Some(rest) => result.push_str(rest),
            None => {
                result.push_str("\u{1b}[");
                result.push_str(part);
            }
        }
    }
    Cow::Owned(result)
}

/// Control characters that make no white space and shape no letters.
fn is_control(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mojibake_is_read_again() {
        assert_eq!(repair("cafÃ© âœ” itâ€™s"), "café ✔ it's");
        // Twice.
        assert_eq!(repair("cafÃƒÂ© Ã¢Å“â€\u{9d}"), "café ✔");
        // Nothing that is right already is touched.
        for right in [
            "café",
            "naïve façade",
            "Ærøskøbing",
            "10 °C ± 2 µm",
            "Привет",
        ] {
            assert_eq!(repair(right), right);
        }
    }

    #[test]
    fn odd_forms_become_plain() {
        assert_eq!(
            repair("oﬃce ŉ ǆ ＣＬＩＰ\u{3000}ﾊﾟ “‘q’”"),
            "office 'n dž CLIP パ \"'q'\""
        );
        assert_eq!(repair("a\u{85}b\u{91}c\r\nd\re\u{2028}f"), "a…b'c\nd\ne\nf");
        assert_eq!(repair("e\u{301}"), "é");
        assert_eq!(
            repair("\u{1b}[36;44mblue\u{1b}[0m \u{1b}[;é\u{feff}\0"),
            "blue [;é"
        );
    }

    #[test]
    fn references_are_left_alone_after_a_tag() {
        assert_eq!(repair("&lt;a&gt; &amp;"), "<a> &");
        assert_eq!(repair("&amp;\n<a> &amp;\n&amp;"), "&\n<a> &amp;\n&amp;");
        assert_eq!(repair("&amp;amp;amp;"), "&");
    }

    #[test]
    fn a_megabyte_of_layers_is_no_trouble() {
        let text = "&amp;".to_owned() + &"amp;".repeat(1 << 18);
        assert!(repair(&text).len() < text.len());
    }
}
