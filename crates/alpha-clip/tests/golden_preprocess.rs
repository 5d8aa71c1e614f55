//! Pictures and regions prepared as Pillow, PyTorch and the published code prepare them.

mod support;

use alpha_clip::{ColourOrder, Filter, Geometry, Picture, Preprocess, Region, Resampling};
use candle_core::Tensor;
use support::{Golden, bytes, largest_gap};

const FOLDER: &str = "golden/alpha_clip";
/// What the manifest allows; the 8-bit road is exact, so this holds there too.
const TOLERANCE: f64 = 1e-5;

fn picture(name: &str) -> Picture {
    let file = format!("{FOLDER}/images/{name}.png");
    Picture::decode(&bytes(&file), &file).unwrap()
}

fn mask(name: &str) -> Region {
    let file = format!("{FOLDER}/images/{name}.png");
    Region::decode_mask(&bytes(&file), &file).unwrap()
}

fn pixels(preprocess: &Preprocess, name: &str) -> Tensor {
    let input = preprocess.prepare(&picture(name), &Region::Whole).unwrap();
    assert_eq!(input.pixels.dims(), [1, 3, 64, 64]);
    input.pixels
}

fn alpha(preprocess: &Preprocess, name: &str) -> Tensor {
    let input = preprocess.prepare(&picture("photo"), &mask(name)).unwrap();
    let alpha = input.alpha.unwrap();
    assert_eq!(alpha.dims(), [1, 1, 64, 64]);
    alpha
}

fn near(golden: &Golden, made: &Tensor, name: &str) {
    let gap = largest_gap(made, &golden.get(name));
    assert!(gap <= TOLERANCE, "{name}: {gap:e}");
}

/// A setting with and without antialiasing.
fn both(make: fn(usize, bool) -> Preprocess) -> [(&'static str, Preprocess); 2] {
    [("aa", make(64, true)), ("noaa", make(64, false))]
}

#[test]
fn pictures_are_resampled_in_eight_bits_as_pillow_does() {
    let golden = Golden::of(FOLDER);
    let clip = Preprocess::clip(64);
    for name in ["photo", "rgba", "grey", "palette"] {
        near(
            &golden,
            &pixels(&clip, name),
            &format!("pre/clip_rgb_first/{name}"),
        );
    }
    for name in ["photo", "rgba", "grey"] {
        let squash = Preprocess::squash(64);
        near(
            &golden,
            &pixels(&squash, name),
            &format!("pre/squash_8bit/{name}"),
        );
    }
    let file_mode = Preprocess {
        colour: ColourOrder::FileMode,
        ..clip
    };
    for name in ["rgba", "palette"] {
        near(
            &golden,
            &pixels(&file_mode, name),
            &format!("pre/clip_file_mode/{name}"),
        );
    }
}

#[test]
fn pictures_are_resampled_in_floats_as_pytorch_does() {
    let golden = Golden::of(FOLDER);
    for (mode, variation) in both(Preprocess::alpha_clip_variation) {
        for name in ["photo", "rgba", "grey"] {
            let made = pixels(&variation, name);
            near(&golden, &made, &format!("pre/squash_float_{mode}/{name}"));
        }
    }
    for (mode, evaluation) in both(Preprocess::alpha_clip_evaluation) {
        let made = pixels(&evaluation, "photo");
        near(&golden, &made, &format!("pre/evalcrop_float_{mode}/photo"));
    }
    for (mode, training) in both(Preprocess::alpha_clip_training) {
        let made = pixels(&training, "photo");
        near(&golden, &made, &format!("pre/trainpad_float_{mode}/photo"));
    }
}

#[test]
fn regions_become_the_published_alpha_planes() {
    let golden = Golden::of(FOLDER);
    let clip = Preprocess::clip(64);
    near(
        &golden,
        &alpha(&clip, "photo_soft"),
        "pre/alpha_aligned/photo_soft",
    );
    near(
        &golden,
        &alpha(&clip, "photo_whole"),
        "pre/alpha_aligned/photo_whole",
    );
    let whole = clip.prepare(&picture("photo"), &Region::Whole).unwrap();
    near(
        &golden,
        &whole.alpha.unwrap(),
        "pre/alpha_aligned/photo_whole",
    );
    let notebook = Preprocess::alpha_clip_notebook(64);
    near(
        &golden,
        &alpha(&notebook, "photo_mask"),
        "pre/alpha_aligned/photo_mask",
    );
    for (mode, readme) in both(Preprocess::alpha_clip_readme) {
        for name in ["photo_mask", "photo_soft"] {
            let made = alpha(&readme, name);
            near(&golden, &made, &format!("pre/alpha_squash_{mode}/{name}"));
        }
    }
    for (mode, variation) in both(Preprocess::alpha_clip_variation) {
        let made = alpha(&variation, "photo_soft");
        near(
            &golden,
            &made,
            &format!("pre/alpha_squash_{mode}/photo_soft"),
        );
    }
    for (mode, evaluation) in both(Preprocess::alpha_clip_evaluation) {
        let made = alpha(&evaluation, "photo_mask");
        near(
            &golden,
            &made,
            &format!("pre/evalcrop_alpha_{mode}/photo_mask"),
        );
    }
    for (mode, training) in both(Preprocess::alpha_clip_training) {
        let made = alpha(&training, "photo_mask");
        near(
            &golden,
            &made,
            &format!("pre/trainpad_alpha_{mode}/photo_mask"),
        );
    }
}

#[test]
fn open_clip_configurations_mean_what_they_mean_there() {
    let golden = Golden::of(FOLDER);
    for name in ["gelu", "quickgelu"] {
        let config = bytes(&format!(
            "{FOLDER}/open_clip_vit/{name}/open_clip_config.json"
        ));
        let config = serde_json::from_slice(&config).unwrap();
        let preprocess = Preprocess::from_open_clip(&config, 64).unwrap();
        near(
            &golden,
            &pixels(&preprocess, "photo"),
            &format!("open_clip_{name}/pixels"),
        );
    }
}

#[test]
fn what_the_towers_of_the_golden_files_took() {
    let golden = Golden::of(FOLDER);
    let all = ["photo", "rgba", "grey"].map(|name| pixels(&Preprocess::clip(64), name));
    near(&golden, &Tensor::cat(&all, 0).unwrap(), "in/pixels");
}

/// An error in a setting must show: each of them is some way off the others.
#[test]
fn the_settings_differ() {
    let clip = Preprocess::clip(64);
    let golden = Golden::of(FOLDER);
    let right = golden.get("pre/clip_rgb_first/photo");
    for wrong in [
        Preprocess {
            geometry: Geometry::CentreSquare,
            ..clip.clone()
        },
        Preprocess {
            resampling: Resampling::Pillow(Filter::Bilinear),
            ..clip.clone()
        },
        Preprocess {
            resampling: Resampling::Float {
                filter: Filter::Bicubic,
                antialias: true,
            },
            ..clip
        },
    ] {
        assert!(
            largest_gap(&pixels(&wrong, "photo"), &right) > 1e-3,
            "{wrong:?}"
        );
    }
}
