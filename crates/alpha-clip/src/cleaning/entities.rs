//! HTML's character references.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// The named references of HTML5, sorted. `assets/html_entities.py` makes the file.
static NAMES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    include_str!("../../assets/html_entities.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// The longest name that is looked for, in characters, without the semicolon.
const LONGEST: usize = 32;

/// Resolves references as HTML5 tells a reader of pages to: numbers and names, those of old that
/// need no semicolon too, where the longest name that fits counts.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    replace(text, |rest| {
        if let Some(digits) = rest.strip_prefix('#') {
            let (number, length) = number(digits)?;
            let semicolon = digits.get(length..).is_some_and(|r| r.starts_with(';'));
            return Some((numbered(number), 1 + length + usize::from(semicolon)));
        }
        let stops = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
        let length: usize = rest
            .chars()
            .take(LONGEST)
            .take_while(|&c| !stops(c))
            .map(char::len_utf8)
            .sum();
        let whole = length + usize::from(rest.get(length..)?.starts_with(';'));
        (2..=whole)
            .rev()
            .find_map(|length| Some((named(rest.get(..length)?)?, length)))
    })
}

/// Resolves what can be nothing but a reference: with a semicolon, and one whole name. Names of
/// small letters are known in capitals too, where HTML gives these no meaning of their own.
pub(super) fn unescape_plain(text: &str) -> Cow<'_, str> {
    replace(text, |rest| {
        let digits = rest.strip_prefix('#');
        let name = digits.unwrap_or(rest);
        let length = name
            .bytes()
            .take(25)
            .take_while(u8::is_ascii_alphanumeric)
            .count();
        if !(1..=24).contains(&length) || !name.get(length..)?.starts_with(';') {
            return None;
        }
        if let Some(digits) = digits {
            let (number, taken) = number(digits)?;
            return (taken == length).then(|| (numbered(number), length + 2));
        }
        let whole = rest.get(..=length)?;
        let text = named(whole).or_else(|| capital(whole))?;
        Some((text, length + 1))
    })
}

/// `NTILDE;` for `ntilde;`, in capitals.
fn capital(name: &str) -> Option<String> {
    let small = name.to_ascii_lowercase();
    let known = |name: &str| named(name).is_some();
    if name != name.to_ascii_uppercase() || (2..name.len()).any(|n| known(&name[..n])) {
        return None;
    }
    Some(named(&small)?.to_uppercase())
}

/// Replaces references; `find` gets what follows an ampersand and says what stands for how many
/// bytes of it.
fn replace(text: &str, find: impl Fn(&str) -> Option<(String, usize)>) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        result.push_str(before);
        rest = after;
        match find(after).and_then(|(text, length)| Some((text, after.get(length..)?))) {
            Some((text, left)) => {
                result.push_str(&text);
                rest = left;
            }
            None => result.push('&'),
        }
    }
    result.push_str(rest);
    Cow::Owned(result)
}

fn named(name: &str) -> Option<String> {
    let at = NAMES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    let (_, characters) = NAMES.get(at)?;
    characters
        .split(' ')
        .map(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?))
        .collect()
}

/// The number at the start of `digits`, decimal or after an x hexadecimal, and its length. What
/// is too large counts as the largest number.
fn number(digits: &str) -> Option<(u32, usize)> {
    let (radix, start) = if digits.starts_with(['x', 'X']) {
        (16, 1)
    } else {
        (10, 0)
    };
    let mut value = 0u32;
    let mut length = start;
    for digit in digits
        .get(start..)?
        .chars()
        .map_while(|c| c.to_digit(radix))
    {
        value = value.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    (length > start).then_some((value, length))
}

/// What a numbered reference stands for: numbers of Windows-1252 mean its characters, controls
/// mean nothing, what is no character is the replacement character.
fn numbered(number: u32) -> String {
    const NONCHARACTERS: Range<u32> = 0xfdd0..0xfdf0;
    let c = match number {
        0 => '\u{fffd}',
        0x80..=0x9f => windows_1252(number),
        _ => char::from_u32(number).unwrap_or('\u{fffd}'),
    };
    let nothing = matches!(number, 1..=8 | 0xb | 0xe..=0x1f | 0x7f)
        || NONCHARACTERS.contains(&number)
        || (number & 0xfffe == 0xfffe && number <= 0x10_ffff);
    if nothing {
        String::new()
    } else {
        c.to_string()
    }
}

/// The character of Windows-1252 for a byte from 0x80 to 0x9f; the five bytes that have none stay
/// the control characters that they are in Latin-1.
pub(super) fn windows_1252(byte: u32) -> char {
    const CHARACTERS: [u16; 32] = [
        0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
        0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
    ];
    byte.checked_sub(0x80)
        .and_then(|at| CHARACTERS.get(at as usize))
        .and_then(|&c| char::from_u32(c.into()))
        .or(char::from_u32(byte))
        .unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_in_a_page() {
        for (text, expected) in [
            ("&lt;b&gt; &eacute; &#39;&#x2764;&#X41", "<b> é '❤A"),
            (
                "&amp &copy2020 &notanentity; &notin;",
                "& ©2020 ¬anentity; ∉",
            ),
            (
                "&; & &# &#; &#x; &nosuchname; a&b",
                "&; & &# &#; &#x; &nosuchname; a&b",
            ),
            (
                "&#0;&#128;&#x9f;&#xd800;&#x110000;&#99999999999;",
                "\u{fffd}€Ÿ\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("&#1;&#x7f;&#xfffe;&#xfdd0;&#13;", "\r"),
            ("&ThickSpace;|&NotEqualTilde;", "\u{205f}\u{200a}|≂̸"),
            ("&amp;amp;", "&amp;"),
            ("&é&lt", "&é<"),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
    }

    #[test]
    fn only_whole_names_with_a_semicolon_are_beyond_doubt() {
        for (text, expected) in [
            (
                "&amp &copy2020; &notit; &eacute;",
                "&amp &copy2020; &notit; é",
            ),
            (
                "P&EACUTE;REZ &NTILDE;&nTILDE; STRA&SZLIG;E",
                "PÉREZ Ñ&nTILDE; STRASSE",
            ),
            ("&#233; &#xe9; &#12a; &#x;", "é é &#12a; &#x;"),
            ("&AMP; &LTE;", "& &LTE;"),
        ] {
            assert_eq!(unescape_plain(text), expected, "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert_eq!(NAMES.len(), 2231);
        assert!(NAMES.is_sorted());
        for (name, _) in NAMES.iter() {
            assert!(named(name).is_some(), "{name}");
            assert!(name.trim_end_matches(';').len() <= LONGEST);
        }
    }
}
