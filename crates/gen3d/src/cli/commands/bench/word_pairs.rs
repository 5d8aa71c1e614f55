//! The words that `gen3d bench words` asks about.

use anyhow::anyhow;

const LABELS: &str = include_str!("../../../../../../assets/gen3d-mini/tests/labels.txt");
const SYNONYMS: &str = include_str!("../../../../../../assets/gen3d-mini/tests/synonyms.txt");
const HYPERNYMS: &str = include_str!("../../../../../../assets/gen3d-mini/tests/hypernyms.txt");

/// Another word for a kind.
#[derive(Debug)]
pub(super) struct Synonym {
    pub(super) word: &'static str,
    /// The kind, as the training labels call it.
    pub(super) kind: &'static str,
}

/// A kind and what it may be a kind of.
#[derive(Debug)]
pub(super) struct Hypernym {
    pub(super) kind: &'static str,
    /// The right hypernym, then the wrong ones.
    pub(super) choices: Vec<&'static str>,
}

/// The labels that the embedded model was trained with.
pub(super) fn training_labels() -> Vec<String> {
    lines(LABELS).map(str::to_owned).collect()
}

/// Lines `word = kind`.
pub(super) fn synonyms() -> anyhow::Result<Vec<Synonym>> {
    let pair = |line: &'static str| {
        let (word, kind) = line.split_once(" = ").ok_or_else(|| malformed(line))?;
        Ok(Synonym { word, kind })
    };
    lines(SYNONYMS).map(pair).collect()
}

/// Lines `kind: right > wrong, wrong, …`.
pub(super) fn hypernyms() -> anyhow::Result<Vec<Hypernym>> {
    let question = |line: &'static str| {
        let (kind, choices) = line.split_once(": ").ok_or_else(|| malformed(line))?;
        let (right, wrong) = choices.split_once(" > ").ok_or_else(|| malformed(line))?;
        let choices = std::iter::once(right).chain(wrong.split(", ")).collect();
        Ok(Hypernym { kind, choices })
    };
    lines(HYPERNYMS).map(question).collect()
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn malformed(line: &str) -> anyhow::Error {
    anyhow!("the words test has a malformed line {line:?}; correct it and build again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_enough_questions_and_none_twice() {
        let labels: HashSet<String> = training_labels().into_iter().collect();
        let synonyms = synonyms().unwrap();
        assert!(synonyms.len() >= 80);
        let words: HashSet<&str> = synonyms.iter().map(|s| s.word).collect();
        assert_eq!(words.len(), synonyms.len());
        for synonym in &synonyms {
            assert!(labels.contains(synonym.kind), "{synonym:?}");
            assert_ne!(synonym.word, synonym.kind);
        }
        let hypernyms = hypernyms().unwrap();
        assert!(hypernyms.len() >= 40);
        let kinds: HashSet<&str> = hypernyms.iter().map(|h| h.kind).collect();
        assert_eq!(kinds.len(), hypernyms.len());
        for hypernym in &hypernyms {
            let choices: HashSet<&str> = hypernym.choices.iter().copied().collect();
            assert_eq!(choices.len(), 6, "{hypernym:?}");
        }
    }
}
