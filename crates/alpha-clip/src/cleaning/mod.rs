//! Text as CLIP cleans it before it is split: repaired, unescaped, one blank between words, lower
//! case.

mod entities;
mod repair;

/// `text` as CLIP's tokenizer sees it: damaged characters repaired as the ftfy library does it,
/// HTML's character references resolved twice, runs of white space made one blank, lower case.
pub(crate) fn clean(text: &str) -> String {
    let text = repair::repair(text);
    let once = entities::unescape(&text);
    let twice = entities::unescape(&once);
    let words: Vec<&str> = twice.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_case_and_references() {
        assert_eq!(clean("  A\u{a0}photo \n of\t&amp;amp; "), "a photo of &");
        assert_eq!(clean("ΟΔΥΣΣΕΥΣ İ"), "οδυσσευς i\u{307}");
        assert_eq!(clean("\u{feff}“a”"), "\"a\"");
        assert_eq!(clean(" \r\n "), "");
    }
}
