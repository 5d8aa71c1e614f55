//! Splitting a cleaned text into the pieces within which bytes are merged.

use unicode_normalization::char::is_combining_mark;

/// One piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// `<|startoftext|>`.
    Start,
    /// `<|endoftext|>`.
    End,
    /// Letters, one digit, a contraction, or other signs.
    Word(&'a str),
}

/// The pieces of a text: special names, the contractions 's 't 're 've 'm 'll 'd, runs of letters,
/// single number signs, runs of anything else that is not white space.
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

/// In the order in which they are tried; an apostrophe before anything else is a sign.
const FIRST: [&str; 9] = [
    "<|startoftext|>",
    "<|endoftext|>",
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
];

impl<'a> Pieces<'a> {
    /// `text` is in lower case.
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        self.rest = self.rest.trim_start();
        let class = Class::of(self.rest.chars().next()?);
        let length = FIRST
            .iter()
            .find_map(|name| prefix(self.rest, name))
            .unwrap_or_else(|| {
                let most = if class == Class::Number {
                    1
                } else {
                    usize::MAX
                };
                self.rest
                    .chars()
                    .take_while(|&c| Class::of(c) == class)
                    .take(most)
                    .map(char::len_utf8)
                    .sum()
            });
        let (piece, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(match piece {
            "<|startoftext|>" => Piece::Start,
            "<|endoftext|>" => Piece::End,
            word => Piece::Word(word),
        })
    }
}

/// The bytes of `text` that are `name` whatever the case. The long s is the one letter whose
/// lower case is not that of the name.
fn prefix(text: &str, name: &str) -> Option<usize> {
    let mut letters = text.chars();
    let mut length = 0;
    for wanted in name.chars() {
        let letter = letters.next()?;
        if letter != wanted && (letter, wanted) != ('ſ', 's') {
            return None;
        }
        length += letter.len_utf8();
    }
    Some(length)
}

/// What a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Number,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        if c.is_ascii_lowercase() {
            Self::Letter
        } else if c.is_whitespace() {
            Self::Space
        } else if c.is_numeric() {
            Self::Number
        } else if is_letter(c) {
            Self::Letter
        } else {
            Self::Other
        }
    }
}

/// The Unicode category L. The property Alphabetic has vowel signs, letter numbers and circled
/// letters besides.
fn is_letter(c: char) -> bool {
    let circled = matches!(c,
        '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}'
        | '\u{1f170}'..='\u{1f189}');
    c.is_alphabetic() && !c.is_numeric() && !is_combining_mark(c) && !circled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Pieces::new(text)
            .map(|piece| match piece {
                Piece::Start => "START",
                Piece::End => "END",
                Piece::Word(word) => word,
            })
            .collect()
    }

    #[test]
    fn pieces_are_words_digits_signs_and_contractions() {
        assert_eq!(
            words("it's 42%, don't!"),
            ["it", "'s", "4", "2", "%,", "don", "'t", "!"]
        );
        assert_eq!(
            words("they'll we've i'm x'y !'s"),
            [
                "they", "'ll", "we", "'ve", "i", "'m", "x", "'", "y", "!'", "s"
            ]
        );
        assert_eq!(
            words("a<|endoftext|>b <|startoftext|>"),
            ["a", "END", "b", "START"]
        );
        assert_eq!(words(".<|endoftext|>"), [".<|", "endoftext", "|>"]);
        assert_eq!(
            words("it'ſ <|ſtartoftext|>"),
            ["it", "'ſ", "<|ſtartoftext|>"]
        );
        assert_eq!(words("½ x² ⅷ"), ["½", "x", "²", "ⅷ"]);
        assert_eq!(words(""), [""; 0]);
    }

    /// The oracle is another table of Unicode, of another version perhaps: signs that either of
    /// them does not know yet may differ.
    #[test]
    fn classes_are_those_of_unicode() {
        let pattern = |text| regex::Regex::new(text).unwrap();
        let (letter, number, space) = (pattern(r"\pL"), pattern(r"\pN"), pattern(r"\s"));
        let unknown = pattern(r"\p{Cn}");
        let mut differing = 0;
        for c in ('\0'..=char::MAX).filter(|&c| !c.is_uppercase()) {
            let mut bytes = [0; 4];
            let text = &*c.encode_utf8(&mut bytes);
            let expected = if letter.is_match(text) {
                Class::Letter
            } else if number.is_match(text) {
                Class::Number
            } else if space.is_match(text) {
                Class::Space
            } else {
                Class::Other
            };
            if Class::of(c) != expected && !unknown.is_match(text) {
                differing += 1;
            }
        }
        assert_eq!(differing, 0);
    }
}
