//! `gen3d project`: the views of shapes as pictures, and a contact sheet of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use alpha_clip::Views;
use candle_core::Tensor;
use image::{ImageFormat, RgbImage, RgbaImage};
use point_clip::Shape;
use point_clip::recognize::{UpChoice, draw};
use point_clip::shaded::Up;

use crate::cli::args::Project;
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::files;
use crate::cli::inputs::{self, Input, SHAPES};
use crate::cli::sheet::ContactSheet;

/// Name of the contact sheet in the output folder.
const SHEET: &str = "contact-sheet.png";
/// The most rows of a contact sheet: what a viewer can still open.
const SHEET_ROWS: usize = 100;
/// Side of a picture on the contact sheet.
const THUMBNAIL: u32 = 96;

pub(crate) fn run(args: &Project, context: &Context) -> Result<Outcome, Failure> {
    files::writable_folder(&args.out).map_err(Failure::missing)?;
    let sheet_path = args.out.join(SHEET);
    files::refuse_existing(&sheet_path, args.force).map_err(Failure::missing)?;

    let inputs = with_names(inputs::expand(&args.inputs, SHAPES));
    let bar = context.bar(inputs.len() as u64, "files");
    let mut sheet = ContactSheet::default();
    let mut outcome = Outcome::Done;
    let work = |(input, stem): &(Input, String)| project(input, stem, args);
    bulk::in_order(&inputs, context, work, |(input, _), result| {
        match result {
            Ok(thumbnails) if sheet.len() < SHEET_ROWS => sheet.push(&input.name, thumbnails),
            Ok(_) => {}
            Err(error) => {
                error_line(&bar, &format!("{}: {}", input.name, one_line(&error)));
                outcome = Outcome::SomeFailed;
            }
        }
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    if sheet.len() > 0 {
        let png = encode(&sheet.draw(), ImageFormat::Png).map_err(Failure::missing)?;
        files::write(&sheet_path, &png, args.force).map_err(Failure::missing)?;
    }
    if inputs.len() > SHEET_ROWS {
        context.warn(format!(
            "{SHEET} shows the first {SHEET_ROWS} of {} inputs",
            inputs.len()
        ));
    }
    Ok(outcome)
}

/// Each input with a name for its pictures that no other has.
fn with_names(inputs: Vec<Input>) -> Vec<(Input, String)> {
    let mut taken = HashSet::new();
    let mut named = Vec::with_capacity(inputs.len());
    for input in inputs {
        let stem = input.stem();
        let numbered = (2..).map(|n| format!("{stem}-{n}"));
        let free = std::iter::once(stem.clone())
            .chain(numbered)
            .find(|n| taken.insert(n.clone()));
        named.push((input, free.unwrap_or(stem)));
    }
    named
}

/// Writes the views of one input; what the contact sheet shows of it.
fn project(input: &Input, stem: &str, args: &Project) -> anyhow::Result<Vec<RgbImage>> {
    let shape: Shape = input.shape()?;
    let options = args.views.options();
    let up = match options.up {
        UpChoice::Is(up) => up,
        UpChoice::Auto => Up::default(),
    };
    let views = draw(&shape, &options, up, args.size as usize)?.to_views()?;
    let pictures = pictures(&views)?;
    let paths: Vec<PathBuf> = (0..pictures.len())
        .map(|i| args.out.join(format!("{stem}-{i:02}.png")))
        .collect();
    for path in &paths {
        files::refuse_existing(path, args.force)?;
    }
    let mut thumbnails = Vec::with_capacity(pictures.len());
    for (picture, path) in pictures.iter().zip(&paths) {
        write_picture(picture, path, args.force)?;
        let opaque = image::DynamicImage::ImageRgba8(picture.clone()).into_rgb8();
        let filter = image::imageops::FilterType::Triangle;
        thumbnails.push(image::imageops::resize(
            &opaque, THUMBNAIL, THUMBNAIL, filter,
        ));
    }
    Ok(thumbnails)
}

fn write_picture(picture: &RgbaImage, path: &Path, force: bool) -> anyhow::Result<()> {
    files::write(path, &encode(picture, ImageFormat::Png)?, force)
}

fn encode<P>(
    picture: &image::ImageBuffer<P, Vec<u8>>,
    format: ImageFormat,
) -> anyhow::Result<Vec<u8>>
where
    P: image::PixelWithColorType<Subpixel = u8>,
{
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

/// Views as 8-bit pictures whose alpha is the foreground.
fn pictures(views: &Views) -> anyhow::Result<Vec<RgbaImage>> {
    let (height, width) = views.size()?;
    let planes = Tensor::cat(&[&views.rgb, &views.alpha], 1)?.permute((0, 2, 3, 1))?;
    let planes = (planes.clamp(0f32, 1f32)? * 255.)?
        .round()?
        .to_dtype(candle_core::DType::U8)?;
    let pixels = planes.flatten_all()?.to_vec1::<u8>()?;
    let picture = |bytes: &[u8]| RgbaImage::from_raw(width as u32, height as u32, bytes.to_vec());
    Ok(pixels
        .chunks_exact(height * width * 4)
        .filter_map(picture)
        .collect())
}
