//! [`LabelSet`]: words to choose from.

use std::collections::HashSet;

use crate::error::{Error, Result};

/// The most labels that a set may hold.
const MOST: usize = 100_000;

/// Labels in order, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSet(Vec<String>);

impl LabelSet {
    /// Names of the sets that come with this crate.
    pub const NAMES: [&'static str; 4] = ["objects", "modelnet40", "modelnet10", "scanobjectnn"];

    /// These labels, in their order; blanks around them are taken off.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none, one is empty, or one is there twice.
    pub fn new(labels: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let labels: Vec<String> = labels
            .into_iter()
            .map(|l| l.as_ref().trim().into())
            .collect();
        let mut seen = HashSet::new();
        if labels.is_empty() {
            return Err(Error::input("there is no label", "give at least one"));
        }
        if labels.len() > MOST {
            return Err(Error::input(
                format!("{} labels are too many", labels.len()),
                format!("give {MOST} at most"),
            ));
        }
        for label in &labels {
            if label.is_empty() {
                return Err(Error::input(
                    "a label is empty",
                    "separate labels by single commas",
                ));
            }
            if !seen.insert(label) {
                return Err(Error::input(
                    format!("the label {label:?} is there twice"),
                    "give each label once",
                ));
            }
        }
        Ok(Self(labels))
    }

    /// The labels in a text, one a line. Empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_lines(text: &str) -> Result<Self> {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        Self::new(lines.filter(|l| !l.is_empty() && !l.starts_with('#')))
    }

    /// A set that comes with this crate.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none of this name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "objects" => Ok(Self::objects()),
            "modelnet40" => Ok(Self::modelnet40()),
            "modelnet10" => Ok(Self::modelnet10()),
            "scanobjectnn" => Ok(Self::scanobjectnn()),
            _ => Err(Error::input(
                format!("unknown label set {name:?}"),
                format!("give one of {}", Self::NAMES.join(", ")),
            )),
        }
    }

    /// A few hundred everyday kinds of things.
    pub fn objects() -> Self {
        Self::listed(include_str!("../assets/objects.txt"))
    }

    /// The 40 classes of ModelNet40 (Wu et al., CVPR 2015), in the order of its labels.
    pub fn modelnet40() -> Self {
        Self::listed(include_str!("../assets/modelnet40.txt"))
    }

    /// The 10 classes of ModelNet10, in the order of its labels.
    pub fn modelnet10() -> Self {
        Self::listed(include_str!("../assets/modelnet10.txt"))
    }

    /// The 15 classes of ScanObjectNN (Uy et al., ICCV 2019), in the order of its labels.
    pub fn scanobjectnn() -> Self {
        Self::listed(include_str!("../assets/scanobjectnn.txt"))
    }

    fn listed(lines: &str) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }

    /// The labels.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_that_come_along_are_sound() {
        let sizes = [40, 10, 15];
        for (name, size) in LabelSet::NAMES[1..].iter().zip(sizes) {
            assert_eq!(
                LabelSet::by_name(name).unwrap().names().len(),
                size,
                "{name}"
            );
        }
        let objects = LabelSet::objects();
        assert!((300..500).contains(&objects.names().len()));
        for name in LabelSet::NAMES {
            let set = LabelSet::by_name(name).unwrap();
            assert_eq!(LabelSet::new(set.names()).unwrap(), set, "{name}");
        }
        assert!(
            LabelSet::by_name("imagenet")
                .unwrap_err()
                .to_string()
                .contains("objects")
        );
    }

    #[test]
    fn lines_become_labels() {
        let set = LabelSet::from_lines("\u{feff}# kinds\nchair\r\n\n  arm chair \n").unwrap();
        assert_eq!(set.names(), ["chair", "arm chair"]);
        for wrong in ["", "#", "a\na"] {
            assert!(LabelSet::from_lines(wrong).is_err(), "{wrong:?}");
        }
    }
}
