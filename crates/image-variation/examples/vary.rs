//! Variations of one region of a picture.
//!
//! ```sh
//! cargo run --release -p image-variation --example vary -- \
//!     sd-image-variations-diffusers clip_l14_grit20m_fultune_2xe.pth dog.jpg dog-mask.png out
//! ```

use std::error::Error;
use std::io::{Write, stderr};
use std::ops::ControlFlow;
use std::path::Path;

use alpha_clip::{Picture, Region};
use checkpoint::Checkpoint;
use image_variation::noise::Seed;
use image_variation::{Condition, Pipeline, Recipe, Request};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pipeline, alpha_weights, picture, mask, folder] = arguments.as_slice() else {
        return Err("usage: vary PIPELINE ALPHA-WEIGHTS PICTURE MASK FOLDER".into());
    };
    let pipeline = Pipeline::builder(pipeline)
        .alpha_weights(Checkpoint::open(alpha_weights)?)
        .open()?;

    let picture = Picture::open(picture)?;
    let region = Region::read_mask(mask)?;
    let view = pipeline
        .preprocess(Recipe::ModelCard)?
        .prepare(&picture, &region)?;
    let request = Request {
        count: 4,
        seed: Seed::Counter(42),
        ..Request::new(Condition::View(view))
    };

    std::fs::create_dir_all(folder)?;
    let mut run = pipeline.start(&request)?;
    // Each batch is written when it is done, so that nothing is lost if a later one fails.
    while let Some(batch) = run.next_batch(&mut |step| {
        let picture = step.images.start + 1;
        let said = write!(
            stderr(),
            "\rpicture {picture} of {}, step {} of {} ",
            step.count,
            step.step,
            step.total
        );
        said.map_or(ControlFlow::Break(()), ControlFlow::Continue)
    })? {
        for variation in batch {
            let path = Path::new(folder).join(format!("{:03}.png", variation.index));
            variation.to_rgb8()?.save(path)?;
        }
    }
    writeln!(stderr())?;
    Ok(())
}
