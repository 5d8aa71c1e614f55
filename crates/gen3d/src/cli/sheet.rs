//! Contact sheets: rows of small pictures with a caption each.

use font8x8::UnicodeFonts;
use image::{Rgb, RgbImage};

/// Between pictures and around the sheet, in pixels.
const GAP: u32 = 6;
/// Height of a caption: the font's eight pixels and some air.
const CAPTION: u32 = 14;
const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb<u8> = Rgb([40, 40, 46]);

/// Rows of pictures, each row under its caption.
#[derive(Default)]
pub(crate) struct ContactSheet {
    rows: Vec<(String, Vec<RgbImage>)>,
}

impl ContactSheet {
    pub(crate) fn push(&mut self, caption: impl Into<String>, pictures: Vec<RgbImage>) {
        self.rows.push((caption.into(), pictures));
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The sheet as one picture.
    pub(crate) fn draw(&self) -> RgbImage {
        let row_width = |p: &Vec<RgbImage>| p.iter().map(|p| p.width() + GAP).sum::<u32>();
        let row_height = |p: &Vec<RgbImage>| p.iter().map(RgbImage::height).max().unwrap_or(0);
        let width = self
            .rows
            .iter()
            .map(|(_, p)| row_width(p))
            .max()
            .unwrap_or(0)
            + GAP;
        let height: u32 = self
            .rows
            .iter()
            .map(|(_, p)| CAPTION + row_height(p) + GAP)
            .sum();
        let mut sheet = RgbImage::from_pixel(width.max(1), (height + GAP).max(1), PAPER);
        let mut top = GAP;
        for (caption, pictures) in &self.rows {
            write_text(&mut sheet, GAP, top, caption);
            top += CAPTION;
            let mut left = GAP;
            for picture in pictures {
                image::imageops::replace(&mut sheet, picture, left.into(), top.into());
                left += picture.width() + GAP;
            }
            top += row_height(pictures) + GAP;
        }
        sheet
    }
}

/// One line of 8-pixel letters, cut at the right edge.
fn write_text(sheet: &mut RgbImage, left: u32, top: u32, text: &str) {
    let fits = (sheet.width().saturating_sub(left) / 8) as usize;
    for (column, letter) in (0u32..).zip(text.chars().take(fits)) {
        let glyph = font8x8::BASIC_FONTS
            .get(letter)
            .or_else(|| font8x8::LATIN_FONTS.get(letter));
        let Some(glyph) = glyph.or_else(|| font8x8::BASIC_FONTS.get('?')) else {
            continue;
        };
        for (y, bits) in (0u32..).zip(glyph) {
            for x in (0..8).filter(|x| bits >> x & 1 == 1) {
                let (px, py) = (left + 8 * column + x, top + y);
                if px < sheet.width() && py < sheet.height() {
                    sheet.put_pixel(px, py, INK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_side_by_side_under_their_caption() {
        let red = RgbImage::from_pixel(40, 30, Rgb([255, 0, 0]));
        let mut sheet = ContactSheet::default();
        sheet.push("chair: 91 %", vec![red.clone(), red]);
        let drawn = sheet.draw();
        assert_eq!(drawn.dimensions(), (2 * 46 + 6, 6 + 14 + 30 + 6));
        assert_eq!(drawn.get_pixel(GAP, GAP + CAPTION), &Rgb([255, 0, 0]));
        let inked = |y: u32| (0..drawn.width()).any(|x| drawn.get_pixel(x, y) == &INK);
        assert!((GAP..GAP + 8).any(inked));
    }
}
