//! Which part of a picture a tower sees, and how it is brought to the tower's square.

use serde::{Deserialize, Serialize};

use crate::resize::{Resampling, Taps};

/// How a picture of any shape becomes a square of R x R pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// The shorter side is resampled to R, then the middle is cut out (CLIP).
    #[default]
    Clip,
    /// The whole picture is squeezed to the square (FALIP, ReCLIP, Alpha-CLIP's variations).
    Squash,
    /// The middle square is cut out, then resampled (Alpha-CLIP's ImageNet-S evaluation).
    CentreSquare,
    /// Black is added on both sides of the shorter side up to a square, which is then resampled
    /// (Alpha-CLIP's training).
    Pad,
}

/// A geometry worked out for one size of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Framing {
    /// The part of the picture that is resampled; it may reach beyond the picture.
    pub(crate) window: Window,
    /// Width and height that it is resampled to.
    pub(crate) scaled: (usize, usize),
    /// Left and top of the square that is cut out of the result.
    pub(crate) offset: (usize, usize),
}

/// A rectangle in a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) left: isize,
    pub(crate) top: isize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Geometry {
    /// For a picture of `width` x `height` pixels, none of them 0, and a tower of `size`.
    pub(crate) fn framing(self, width: usize, height: usize, size: usize) -> Framing {
        let whole = Window {
            left: 0,
            top: 0,
            width,
            height,
        };
        let square = |window| Framing {
            window,
            scaled: (size, size),
            offset: (0, 0),
        };
        match self {
            Self::Clip => {
                let shorter = width.min(height) as u128;
                let scaled = |side: usize| (size as u128 * side as u128 / shorter) as usize;
                let (w, h) = (scaled(width), scaled(height));
                Framing {
                    window: whole,
                    scaled: (w, h),
                    offset: (half_to_even(w - size), half_to_even(h - size)),
                }
            }
            Self::Squash => square(whole),
            Self::CentreSquare => {
                let side = width.min(height);
                let start = |length: usize| (length / 2).saturating_sub(side / 2) as isize;
                square(Window {
                    left: start(width),
                    top: start(height),
                    width: side,
                    height: side,
                })
            }
            Self::Pad => {
                let side = width.max(height);
                let start = |length: usize| -(((side - length) / 2) as isize);
                square(Window {
                    left: start(width),
                    top: start(height),
                    width: side,
                    height: side,
                })
            }
        }
    }
}

impl Framing {
    /// The weights of the resampling of a picture of `width` x `height` pixels to the square of
    /// `size`: columns and rows.
    pub(crate) fn taps(
        self,
        resampling: Resampling,
        (width, height): (usize, usize),
        size: usize,
    ) -> (Taps, Taps) {
        let axis = |from, to, offset, start, length| {
            resampling
                .taps(from, to, offset..offset + size)
                .within(start, length)
        };
        let Window {
            left,
            top,
            width: across,
            height: down,
        } = self.window;
        (
            axis(across, self.scaled.0, self.offset.0, left, width),
            axis(down, self.scaled.1, self.offset.1, top, height),
        )
    }
}

/// Half of `n`, rounded to the even neighbour where it ends in .5.
fn half_to_even(n: usize) -> usize {
    let half = n / 2;
    if n % 2 == 1 && half % 2 == 1 {
        half + 1
    } else {
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_scales_the_shorter_side_and_cuts_the_middle() {
        let framing = Geometry::Clip.framing(201, 137, 64);
        assert_eq!((framing.scaled, framing.offset), ((93, 64), (14, 0)));
        let framing = Geometry::Clip.framing(96, 121, 64);
        assert_eq!((framing.scaled, framing.offset), ((64, 80), (0, 8)));
        // 3 px too many: 1.5 rounds to 2; 1 px: 0.5 rounds to 0.
        assert_eq!(
            (half_to_even(3), half_to_even(1), half_to_even(5)),
            (2, 0, 2)
        );
    }

    #[test]
    fn squares_are_cut_and_padded_as_the_reference_does() {
        let window = |g: Geometry| g.framing(201, 137, 64).window;
        let side = |left, top, side| Window {
            left,
            top,
            width: side,
            height: side,
        };
        assert_eq!(window(Geometry::CentreSquare), side(32, 0, 137));
        assert_eq!(window(Geometry::Pad), side(0, -32, 201));
    }
}
