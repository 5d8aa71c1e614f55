//! What can be chosen about the views of a shape.

use crate::shaded::Up;
use std::fmt;
use std::str::FromStr;

/// How a shape is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Projection {
    /// Closed, shaded surfaces ([`crate::shaded`]).
    #[default]
    Shaded,
    /// PointCLIP's zero-shot depth maps, 6 views.
    V1,
    /// PointCLIP's few-shot depth maps, 10 views.
    V1FewShot,
    /// PointCLIP V2's dense maps, 10 views.
    V2,
}

/// What the foreground of a view is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Nothing: the tower looks at whole pictures.
    None,
    /// It is the alpha plane (Alpha-CLIP).
    #[default]
    Alpha,
    /// It biases the attention (FALIP's foveal attention).
    Foveal,
}

/// Which direction of the file is taken for up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpChoice {
    /// The one of six under which the shape is recognised most clearly.
    #[default]
    Auto,
    /// This one.
    Is(Up),
}

/// How shapes become features.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeOptions {
    /// How a shape is drawn.
    pub projection: Projection,
    /// The number of `shaded` views; the other projections have their own.
    pub views: usize,
    /// What the foreground is used for.
    pub focus: Focus,
    /// Which direction is up.
    pub up: UpChoice,
    /// The number of points that is drawn from a shape's surface or its points; none takes a mesh
    /// as a surface and a cloud as it is. The projections of PointCLIP sample a mesh in any case.
    pub points: Option<usize>,
    /// Seed of that draw.
    pub seed: u64,
}

impl Default for ShapeOptions {
    fn default() -> Self {
        Self {
            projection: Projection::default(),
            views: 10,
            focus: Focus::default(),
            up: UpChoice::default(),
            points: None,
            seed: 0,
        }
    }
}

/// A name that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{given}'; give one of {known}")]
pub struct UnknownOption {
    what: &'static str,
    given: String,
    known: &'static str,
}

impl Projection {
    /// All of them.
    pub const ALL: [Projection; 4] = [Self::Shaded, Self::V1, Self::V1FewShot, Self::V2];

    /// `shaded`, `v1`, `v1-fewshot` or `v2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shaded => "shaded",
            Self::V1 => "v1",
            Self::V1FewShot => "v1-fewshot",
            Self::V2 => "v2",
        }
    }
}

impl Focus {
    /// All of them.
    pub const ALL: [Focus; 3] = [Self::None, Self::Alpha, Self::Foveal];

    /// `none`, `alpha` or `foveal`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Alpha => "alpha",
            Self::Foveal => "foveal",
        }
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Projection {
    type Err = UnknownOption;

    fn from_str(s: &str) -> Result<Self, UnknownOption> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == s)
            .ok_or_else(|| UnknownOption {
                what: "projection",
                given: s.into(),
                known: "shaded, v1, v1-fewshot, v2",
            })
    }
}

impl FromStr for Focus {
    type Err = UnknownOption;

    fn from_str(s: &str) -> Result<Self, UnknownOption> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == s)
            .ok_or_else(|| UnknownOption {
                what: "focus",
                given: s.into(),
                known: "none, alpha, foveal",
            })
    }
}

impl FromStr for UpChoice {
    type Err = UnknownOption;

    fn from_str(s: &str) -> Result<Self, UnknownOption> {
        if s == "auto" {
            return Ok(Self::Auto);
        }
        s.parse().map(Self::Is).map_err(|_| UnknownOption {
            what: "axis",
            given: s.into(),
            known: "auto, +x, -x, +y, -y, +z, -z",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for projection in Projection::ALL {
            assert_eq!(projection.name().parse(), Ok(projection));
        }
        for focus in Focus::ALL {
            assert_eq!(focus.name().parse(), Ok(focus));
        }
        assert_eq!("auto".parse(), Ok(UpChoice::Auto));
        assert_eq!("-z".parse(), Ok(UpChoice::Is(Up::NegZ)));
        let error = "v3".parse::<Projection>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown projection 'v3'; give one of shaded, v1, v1-fewshot, v2"
        );
    }
}
