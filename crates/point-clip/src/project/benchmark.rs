//! Class names, templates and view weights of the published evaluations.

use std::fmt;
use std::str::FromStr;

/// The prompt of zero-shot PointCLIP; `{}` is the class.
pub const V1_ZERO_SHOT_TEMPLATE: &str = "point cloud depth map of a {}.";
/// The prompt of few-shot PointCLIP.
pub const V1_FEW_SHOT_TEMPLATE: &str = "point cloud of a big {}.";

/// A data set on which PointCLIP was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Benchmark {
    /// ModelNet40 (Wu et al., CVPR 2015), 40 classes.
    ModelNet40,
    /// Its subset of 10 classes.
    ModelNet10,
    /// ScanObjectNN (Uy et al., ICCV 2019), 15 classes.
    ScanObjectNn,
}

/// A CLIP for which PointCLIP V2 published prompts and view weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backbone {
    /// ResNet-50.
    Rn50,
    /// ResNet-101.
    Rn101,
    /// ViT-B/32.
    VitB32,
    /// ViT-B/16.
    VitB16,
}

impl Benchmark {
    /// All of them.
    pub const ALL: [Benchmark; 3] = [
        Benchmark::ModelNet40,
        Benchmark::ModelNet10,
        Benchmark::ScanObjectNn,
    ];

    /// `modelnet40`, `modelnet10` or `scanobjectnn`.
    pub fn name(self) -> &'static str {
        match self {
            Benchmark::ModelNet40 => "modelnet40",
            Benchmark::ModelNet10 => "modelnet10",
            Benchmark::ScanObjectNn => "scanobjectnn",
        }
    }

    /// Class names in the order of the labels; ScanObjectNN's is not alphabetical. An underscore
    /// stands for a blank.
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Benchmark::ModelNet40 => &MODELNET40,
            Benchmark::ModelNet10 => &MODELNET10,
            Benchmark::ScanObjectNn => &SCANOBJECTNN,
        }
    }

    /// The factors of the ten views that PointCLIP V2 published; none for ModelNet10.
    ///
    /// They were searched for with the labels of the test set: state figures made with them beside
    /// figures with equal weights.
    pub fn view_weights(self, backbone: Backbone) -> Option<[f32; 10]> {
        use Backbone::{Rn50, Rn101, VitB16, VitB32};
        Some(match (self, backbone) {
            (Benchmark::ModelNet40, Rn50) => {
                [0.75, 0.75, 0.75, 0.75, 0.25, 0.5, 1.0, 1.0, 0.25, 0.25]
            }
            (Benchmark::ModelNet40, Rn101) => {
                [0.75, 0.75, 0.75, 0.25, 0.5, 1.0, 0.75, 0.25, 0.25, 0.25]
            }
            (Benchmark::ModelNet40, VitB32) => {
                [0.75, 0.75, 0.75, 0.75, 0.25, 0.5, 0.5, 0.75, 0.5, 0.5]
            }
            (Benchmark::ModelNet40, VitB16) => {
                [0.75, 0.75, 0.75, 0.25, 0.75, 1.0, 0.25, 1.0, 0.75, 0.25]
            }
            (Benchmark::ScanObjectNn, Rn50) => {
                [0.75, 0.75, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 0.25, 0.25]
            }
            (Benchmark::ScanObjectNn, Rn101) => {
                [0.5, 0.5, 0.5, 0.75, 0.5, 1.0, 1.0, 0.75, 0.25, 0.25]
            }
            (Benchmark::ScanObjectNn, VitB32) => {
                [0.75, 0.75, 0.75, 0.5, 0.75, 0.75, 0.5, 1.0, 0.5, 0.75]
            }
            (Benchmark::ScanObjectNn, VitB16) => {
                [0.75, 0.75, 0.75, 0.5, 0.5, 1.0, 0.75, 1.0, 0.25, 0.25]
            }
            (Benchmark::ModelNet10, _) => return None,
        })
    }
}

impl Backbone {
    /// All of them.
    pub const ALL: [Backbone; 4] = [
        Backbone::Rn50,
        Backbone::Rn101,
        Backbone::VitB32,
        Backbone::VitB16,
    ];

    /// The name that CLIP gave it: `RN50`, `RN101`, `ViT-B/32`, `ViT-B/16`.
    pub fn name(self) -> &'static str {
        match self {
            Backbone::Rn50 => "RN50",
            Backbone::Rn101 => "RN101",
            Backbone::VitB32 => "ViT-B/32",
            Backbone::VitB16 => "ViT-B/16",
        }
    }
}

impl fmt::Display for Benchmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Backbone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of those known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not known; choose one of {known}")]
pub struct UnknownName {
    given: String,
    known: String,
}

impl FromStr for Benchmark {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find(&Benchmark::ALL, Benchmark::name, name)
    }
}

impl FromStr for Backbone {
    type Err = UnknownName;

    /// Case and the signs between letters do not matter: `ViT-B/16`, `ViT-B-16`, `vit_b16`.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find(&Backbone::ALL, Backbone::name, name)
    }
}

/// The one of `all` that is called `given`, whatever the case and the signs between letters.
fn find<T: Copy>(all: &[T], name: fn(T) -> &'static str, given: &str) -> Result<T, UnknownName> {
    let letters = |s: &str| -> String {
        s.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let found = all
        .iter()
        .copied()
        .find(|&one| letters(name(one)) == letters(given));
    found.ok_or_else(|| UnknownName {
        given: given.escape_debug().take(40).collect(),
        known: all
            .iter()
            .map(|&one| name(one))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// `template` with its `{}` replaced by `class`, in which underscores become blanks.
pub fn fill(template: &str, class: &str) -> String {
    template.replace("{}", &class.replace('_', " "))
}

#[rustfmt::skip]
const MODELNET40: [&str; 40] = [
    "airplane", "bathtub", "bed", "bench", "bookshelf", "bottle", "bowl", "car", "chair", "cone",
    "cup", "curtain", "desk", "door", "dresser", "flower_pot", "glass_box", "guitar", "keyboard",
    "lamp", "laptop", "mantel", "monitor", "night_stand", "person", "piano", "plant", "radio",
    "range_hood", "sink", "sofa", "stairs", "stool", "table", "tent", "toilet", "tv_stand", "vase",
    "wardrobe", "xbox",
];

#[rustfmt::skip]
const MODELNET10: [&str; 10] = [
    "bathtub", "bed", "chair", "desk", "dresser", "monitor", "night_stand", "sofa", "table", "toilet",
];

#[rustfmt::skip]
const SCANOBJECTNN: [&str; 15] = [
    "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed",
    "pillow", "sink", "sofa", "toilet",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for backbone in Backbone::ALL {
            assert_eq!(backbone.name().parse(), Ok(backbone));
        }
        assert_eq!("vit_b16".parse(), Ok(Backbone::VitB16));
        assert_eq!("ViT-B-32".parse(), Ok(Backbone::VitB32));
        assert_eq!("ScanObjectNN".parse(), Ok(Benchmark::ScanObjectNn));
        assert_eq!(
            "modelnet".parse::<Benchmark>().unwrap_err().to_string(),
            "\"modelnet\" is not known; choose one of modelnet40, modelnet10, scanobjectnn"
        );
    }

    #[test]
    fn modelnet10_is_a_part_of_modelnet40_and_scanobjectnn_keeps_its_order() {
        let classes = Benchmark::ModelNet40.classes();
        assert!(classes.is_sorted());
        assert!(
            Benchmark::ModelNet10
                .classes()
                .iter()
                .all(|c| classes.contains(c))
        );
        assert_eq!(Benchmark::ScanObjectNn.classes()[9..11], ["table", "bed"]);
    }

    #[test]
    fn templates_are_filled_with_blanks() {
        assert_eq!(
            fill(V1_ZERO_SHOT_TEMPLATE, "night_stand"),
            "point cloud depth map of a night stand."
        );
        assert_eq!(
            fill(V1_FEW_SHOT_TEMPLATE, "xbox"),
            "point cloud of a big xbox."
        );
    }
}
