//! The folder of pictures: names, contact sheet, `run.json`.

use std::path::{Path, PathBuf};

use alpha_clip::{Picture, Plane};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::Serialize;

use super::record::Record;
use crate::cli::files;
use crate::cli::sheet::ContactSheet;

const SHEET: &str = "contact-sheet.png";
const RUN: &str = "run.json";
/// Longest side of a picture on the contact sheet.
const THUMBNAIL: u32 = 192;
/// Pictures in a row of the contact sheet.
const ROW: usize = 4;
/// Most pictures on the contact sheet: what a viewer can still open.
const ON_SHEET: usize = 200;
/// Share of its light that a picture keeps outside the region.
const OUTSIDE: f32 = 0.25;

/// Where the pictures of one run go.
pub(super) struct Folder {
    path: PathBuf,
    force: bool,
    made: Vec<Made>,
    thumbnails: Vec<RgbImage>,
}

/// A finished picture.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Made {
    pub(super) index: usize,
    /// Its name in the folder.
    pub(super) file: String,
    /// What the safety checker said, if one looked at it.
    pub(super) flagged: Option<bool>,
}

/// What `run.json` holds.
#[derive(Serialize)]
struct Run<'a> {
    #[serde(flatten)]
    record: &'a Record,
    pictures: &'a [Made],
}

/// What a picture's metadata hold.
#[derive(Serialize)]
struct Metadata<'a> {
    index: usize,
    #[serde(flatten)]
    record: &'a Record,
}

impl Folder {
    /// Makes the folder if need be, and refuses files that the run would replace.
    pub(super) fn open(
        path: &Path,
        count: usize,
        preview: bool,
        force: bool,
    ) -> anyhow::Result<Self> {
        let folder = Self {
            path: path.to_owned(),
            force,
            made: Vec::new(),
            thumbnails: Vec::new(),
        };
        for name in [RUN, SHEET] {
            files::refuse_existing(&path.join(name), force)?;
        }
        for index in 0..count {
            files::refuse_existing(&path.join(picture_name(index)), force)?;
            if preview {
                files::refuse_existing(&path.join(preview_name(index)), force)?;
            }
        }
        files::writable_folder(path)?;
        Ok(folder)
    }

    pub(super) fn made(&self) -> &[Made] {
        &self.made
    }

    /// The path of a file in it.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a finished picture with the record in its metadata.
    pub(super) fn add(
        &mut self,
        index: usize,
        picture: &RgbImage,
        flagged: Option<bool>,
        record: &Record,
    ) -> anyhow::Result<Made> {
        let file = picture_name(index);
        let metadata = serde_json::to_string(&Metadata { index, record })?;
        let png = png(picture, Some((record.program, &metadata)))?;
        files::write(&self.path.join(&file), &png, self.force)?;
        if self.thumbnails.len() < ON_SHEET {
            self.thumbnails.push(thumbnail(picture));
        }
        let made = Made {
            index,
            file,
            flagged,
        };
        self.made.push(made.clone());
        // It has done its duty; that it stays would be no harm.
        let _ = std::fs::remove_file(self.path.join(preview_name(index)));
        Ok(made)
    }

    /// Writes what picture `index` looks like so far, [3, h, w], at `size`; its name.
    pub(super) fn preview(
        &self,
        index: usize,
        colours: &Tensor,
        size: (u32, u32),
    ) -> anyhow::Result<String> {
        let (_, height, width) = colours.dims3()?;
        let bytes = (colours.permute((1, 2, 0))?.to_dtype(DType::F32)? * 255.)?
            .round()?
            .to_dtype(DType::U8)?
            .to_device(&Device::Cpu)?
            .flatten_all()?
            .to_vec1::<u8>()?;
        let small = RgbImage::from_raw(width as u32, height as u32, bytes)
            .ok_or_else(|| anyhow::anyhow!("a preview has {width}x{height} pixels"))?;
        let large = imageops::resize(&small, size.0, size.1, FilterType::Triangle);
        let name = preview_name(index);
        // The one before it is its own.
        files::write(&self.path.join(&name), &png(&large, None)?, true)?;
        Ok(name)
    }

    /// Writes the contact sheet and `run.json`.
    pub(super) fn finish(
        &self,
        picture: &Picture,
        regions: &[Plane],
        record: &Record,
    ) -> anyhow::Result<()> {
        let mut sheet = ContactSheet::default();
        let input = thumbnail(&rgb(picture)?);
        let mut shown = vec![input];
        for region in regions.iter().take(ROW - 1) {
            shown.push(thumbnail(&overlaid(picture, region)?));
        }
        sheet.push("input and region", shown);
        for (row, thumbnails) in self.thumbnails.chunks(ROW).enumerate() {
            let made = self.made.get(row * ROW..).unwrap_or_default();
            let name = |made: Option<&Made>| made.map_or(String::new(), |made| made.file.clone());
            let (first, last) = (made.first(), made.get(thumbnails.len().wrapping_sub(1)));
            let caption = match thumbnails.len() {
                1 => name(first),
                _ => format!("{} to {}", name(first), name(last)),
            };
            sheet.push(caption, thumbnails.to_vec());
        }
        let sheet = png(&sheet.draw(), None)?;
        files::write(&self.path.join(SHEET), &sheet, self.force)?;
        let run = Run {
            record,
            pictures: &self.made,
        };
        let run = serde_json::to_string_pretty(&run)? + "\n";
        files::write(&self.path.join(RUN), run.as_bytes(), self.force)
    }
}

fn picture_name(index: usize) -> String {
    format!("{index:03}.png")
}

fn preview_name(index: usize) -> String {
    format!("{index:03}-preview.png")
}

fn rgb(picture: &Picture) -> anyhow::Result<RgbImage> {
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let bytes = picture.to_rgb8().into_owned();
    RgbImage::from_raw(side(picture.width()), side(picture.height()), bytes)
        .ok_or_else(|| anyhow::anyhow!("the picture has other than three bytes a pixel"))
}

/// The picture, dark outside the region.
fn overlaid(picture: &Picture, region: &Plane) -> anyhow::Result<RgbImage> {
    let mut shown = rgb(picture)?;
    for (pixel, inside) in shown.pixels_mut().zip(region.values()) {
        let light = OUTSIDE + (1. - OUTSIDE) * inside;
        pixel.0 = pixel.0.map(|v| (f32::from(v) * light).round() as u8);
    }
    Ok(shown)
}

fn thumbnail(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height).max(1);
    let side = |n: u32| {
        let scaled = u64::from(n) * u64::from(THUMBNAIL) / u64::from(longest);
        u32::try_from(scaled).unwrap_or(THUMBNAIL).max(1)
    };
    imageops::resize(picture, side(width), side(height), FilterType::Triangle)
}

/// A PNG file; `about` is the program and what is said as tEXt under the keyword `gen3d`.
fn png(picture: &RgbImage, about: Option<(&str, &str)>) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some((program, json)) = about {
        encoder.add_text_chunk("Software".into(), program.into())?;
        encoder.add_text_chunk("gen3d".into(), ascii(json))?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture)?;
    writer.finish()?;
    Ok(bytes)
}

/// JSON with what is not ASCII escaped, for tEXt chunks hold Latin-1 alone.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_ascii_and_mean_the_same() {
        let json = serde_json::to_string("Hündin 🐕 €").unwrap();
        let escaped = ascii(&json);
        assert!(escaped.is_ascii());
        let back: String = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back, "Hündin 🐕 €");
        let picture = RgbImage::new(3, 2);
        let file = png(&picture, Some(("gen3d", &json))).unwrap();
        let decoded = image::load_from_memory(&file).unwrap();
        assert_eq!(decoded.into_rgb8(), picture);
        let has = |text: &str| file.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(has("tEXtgen3d\0") && has(&escaped));
    }

    #[test]
    fn what_is_outside_is_dark() {
        let picture = Picture::from_rgb8(2, 1, vec![200; 6]).unwrap();
        let region = Plane::new(2, 1, vec![1., 0.]).unwrap();
        let shown = overlaid(&picture, &region).unwrap();
        assert_eq!(shown.into_raw(), [200, 200, 200, 50, 50, 50]);
        assert_eq!(thumbnail(&RgbImage::new(1000, 1)).dimensions(), (192, 1));
    }
}
