//! Where a view is taken from.

use nalgebra::{Matrix3, Rotation3, Vector3};
use std::fmt;
use std::str::FromStr;

/// Which axis of the file points up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Up {
    /// +x
    PosX,
    /// −x
    NegX,
    /// +y, the convention of glTF and of most graphics formats.
    #[default]
    PosY,
    /// −y
    NegY,
    /// +z, the convention of scanners, CAD and robotics.
    PosZ,
    /// −z
    NegZ,
}

impl Up {
    /// All six directions.
    pub const ALL: [Up; 6] = [Up::PosY, Up::PosZ, Up::PosX, Up::NegY, Up::NegZ, Up::NegX];

    /// The rotation that brings this direction to +y.
    pub fn to_y(self) -> Matrix3<f32> {
        match self {
            Up::PosY => Matrix3::identity(),
            Up::NegY => Matrix3::new(1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0),
            Up::PosZ => Matrix3::new(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0),
            Up::NegZ => Matrix3::new(1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0),
            Up::PosX => Matrix3::new(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0),
            Up::NegX => Matrix3::new(0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        }
    }

    /// The other direction of the same axis.
    pub fn opposite(self) -> Self {
        match self {
            Up::PosX => Up::NegX,
            Up::NegX => Up::PosX,
            Up::PosY => Up::NegY,
            Up::NegY => Up::PosY,
            Up::PosZ => Up::NegZ,
            Up::NegZ => Up::PosZ,
        }
    }
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Up::PosX => "+x",
            Up::NegX => "-x",
            Up::PosY => "+y",
            Up::NegY => "-y",
            Up::PosZ => "+z",
            Up::NegZ => "-z",
        })
    }
}

impl FromStr for Up {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "+x" | "x" => Ok(Up::PosX),
            "-x" => Ok(Up::NegX),
            "+y" | "y" => Ok(Up::PosY),
            "-y" => Ok(Up::NegY),
            "+z" | "z" => Ok(Up::PosZ),
            "-z" => Ok(Up::NegZ),
            _ => Err(format!(
                "unknown axis '{s}'; give one of +x, -x, +y, -y, +z, -z"
            )),
        }
    }
}

/// A direction to look from: the camera stands on a circle around the object, looks at its
/// middle, and keeps +y up in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewpoint {
    /// Turn about +y in radians; 0 looks from +z, a quarter turn from +x.
    pub azimuth: f32,
    /// Height above the horizon in radians, -π/2..=π/2.
    pub elevation: f32,
}

impl Viewpoint {
    /// `count` viewpoints spread evenly in azimuth, alternating between a low and a high
    /// elevation (10° and 35°), so that sides and top both show.
    pub fn orbit(count: usize) -> Vec<Viewpoint> {
        let step = std::f32::consts::TAU / count.max(1) as f32;
        (0..count)
            .map(|i| Viewpoint {
                azimuth: (i as f32 + 0.25) * step,
                elevation: if i % 2 == 0 { 10f32 } else { 35f32 }.to_radians(),
            })
            .collect()
    }

    /// Object space → camera space: x to the right, y up, z toward the camera.
    pub(super) fn rotation(self) -> Matrix3<f32> {
        let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), -self.azimuth);
        let tilt = Rotation3::from_axis_angle(&Vector3::x_axis(), self.elevation);
        (tilt * turn).into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_axis_is_brought_up_without_mirroring() {
        let axes = [
            (Up::PosX, Vector3::x()),
            (Up::NegX, -Vector3::x()),
            (Up::PosY, Vector3::y()),
            (Up::NegY, -Vector3::y()),
            (Up::PosZ, Vector3::z()),
            (Up::NegZ, -Vector3::z()),
        ];
        for (up, axis) in axes {
            assert_eq!(up.to_y() * axis, Vector3::y(), "{up}");
            assert!((up.to_y().determinant() - 1.0).abs() < 1e-6, "{up} mirrors");
            assert_eq!(up.to_string().parse::<Up>(), Ok(up));
        }
        assert!("up".parse::<Up>().is_err());
    }

    #[test]
    fn viewpoints_look_from_where_they_say() {
        let quarter = std::f32::consts::FRAC_PI_2;
        let from_x = Viewpoint {
            azimuth: quarter,
            elevation: 0.0,
        }
        .rotation();
        assert!(
            (from_x * Vector3::x() - Vector3::z()).norm() < 1e-6,
            "+x faces the camera"
        );
        assert!(
            (from_x * Vector3::z() + Vector3::x()).norm() < 1e-6,
            "+z lies to the left"
        );
        let from_above = Viewpoint {
            azimuth: 0.0,
            elevation: quarter,
        }
        .rotation();
        assert!((from_above * Vector3::y() - Vector3::z()).norm() < 1e-6);
    }
}
