//! Whole runs against diffusers.

use std::ops::ControlFlow;

use alpha_clip::{Picture, Region, VisionInput};
use candle_core::{Device, Tensor};
use checkpoint::Checkpoint;
use serde_json::{Value, json};

use super::*;
use crate::noise::Seed;
use crate::scheduler::SchedulerKind;
use crate::testing::fixture::Fixture;
use crate::testing::golden::{self, assert_relative, assert_within, flat, tensor, values};

fn view(name: &str) -> Condition {
    Condition::View(VisionInput {
        pixels: tensor(name),
        alpha: None,
    })
}

/// The condition of most runs.
fn readme() -> Condition {
    view("prep/readme_noantialias")
}

/// A request as the reference runs were made.
fn request(steps: usize, guidance: f64) -> Request {
    Request {
        steps,
        guidance,
        latents: Some(tensor("pipe/init_latents")),
        ..Request::new(readme())
    }
}

fn ddim() -> Pipeline {
    let config = json!({
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "clip_sample": false, "set_alpha_to_one": false, "steps_offset": 1,
    });
    let fixture = Fixture::folder().with_scheduler("DDIMScheduler", &config);
    Pipeline::open(fixture.path()).unwrap()
}

fn manifest() -> Value {
    golden::json("manifest.json.gz")
}

/// Within the manifest's tolerance, and the design's for latents.
fn check(got: &Tensor, name: &str) {
    let tolerance = &manifest()["tolerance"][name][0];
    let tolerance = tolerance
        .as_f64()
        .unwrap_or_else(|| panic!("{name} has no tolerance"));
    assert_within(&flat(got), &values(name), tolerance as f32, name);
    assert_relative(got, name, 1e-3);
}

fn only(variations: Vec<Variation>) -> Variation {
    let [one] = <[Variation; 1]>::try_from(variations).unwrap();
    one
}

fn go_on(_: Step<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn latents(pipeline: &Pipeline, request: &Request) -> Tensor {
    let all = pipeline.generate(request, &mut go_on).unwrap();
    Tensor::stack(&all.iter().map(|v| &v.latents).collect::<Vec<_>>(), 0).unwrap()
}

/// Runs with all latents along the way, [steps, 1, 4, h, w].
fn with_steps(pipeline: &Pipeline, request: &Request) -> (Variation, Tensor) {
    let mut steps = Vec::new();
    let mut keep = |step: Step<'_>| {
        assert_eq!(step.step, steps.len() + 1);
        steps.push(step.latents.clone());
        ControlFlow::Continue(())
    };
    let done = only(pipeline.generate(request, &mut keep).unwrap());
    (done, Tensor::stack(&steps, 0).unwrap())
}

fn check_picture(done: &Variation, name: &str) {
    let image_u8 = format!("{name}/image_u8");
    let picture = done.to_rgb8().unwrap().into_raw();
    let wanted = values(&image_u8);
    assert_eq!(picture.len(), wanted.len());
    let gaps = || {
        picture
            .iter()
            .zip(&wanted)
            .map(|(&got, want)| (f32::from(got) - want).abs())
    };
    assert!(gaps().all(|gap| gap <= 1.), "{name}");
    assert!(gaps().sum::<f32>() / wanted.len() as f32 <= 1., "{name}");
    let image = format!("{name}/image");
    if golden::has(&image) {
        assert_within(&flat(&done.image), &values(&image), 0.002, &image);
    }
}

#[test]
fn preprocessing_equals_the_reference() {
    let pipeline = Pipeline::open(Fixture::folder().path()).unwrap();
    let picture = Picture::open(golden::path("input.png")).unwrap();
    let mask = Region::read_mask(golden::path("mask.png")).unwrap();
    let card = pipeline.preprocess(Recipe::ModelCard).unwrap();
    let input = card.prepare(&picture, &mask).unwrap();
    let check = |got: &Tensor, name: &str, tolerance| {
        assert_within(&flat(got), &values(name), tolerance, name);
    };
    check(&input.pixels, "prep/readme_noantialias", 1e-5);
    check(&input.alpha.unwrap(), "alpha/map_antialias", 1e-5);
    let stated = pipeline.preprocess(Recipe::FeatureExtractor).unwrap();
    let input = stated.prepare(&picture, &mask).unwrap();
    check(&input.pixels, "prep/feature_extractor_pil", 1e-5);
    let sharp = Preprocess::alpha_clip_variation(64, false);
    let input = sharp.prepare(&picture, &mask).unwrap();
    check(&input.alpha.unwrap(), "alpha/map_noantialias", 1e-5);
    let large = Preprocess::alpha_clip_variation(224, false);
    let pixels = large.prepare(&picture, &mask).unwrap().pixels;
    let rows = Tensor::new(&[0u32, 1, 111, 222, 223], &Device::Cpu).unwrap();
    let rows = pixels.index_select(&rows, 2).unwrap();
    check(&rows, "prep/readme_224_rows", 5e-5);
}

#[test]
fn image_embeddings_equal_the_reference() {
    let pipeline = Pipeline::open(Fixture::folder().path()).unwrap();
    for (input, name, tolerance) in [
        ("prep/readme_noantialias", "embed/readme", 4e-5),
        ("prep/feature_extractor_pil", "embed/pil", 4e-5),
        ("prep/training_align_corners", "embed/training", 6e-5),
    ] {
        let got = pipeline.embed(&view(input)).unwrap();
        assert_within(&flat(&got), &values(name), tolerance, name);
        assert_relative(&got, name, 1e-5);
    }
}

#[test]
fn every_run_of_the_manifest() {
    let manifest = manifest();
    for (name, run) in manifest["pipeline_runs"].as_object().unwrap() {
        let class = run["scheduler"].as_str().unwrap();
        let fixture = Fixture::folder().with_scheduler(class, &run["config"]);
        let pipeline = Pipeline::open(fixture.path()).unwrap();
        let steps = run["steps"].as_u64().unwrap() as usize;
        let request = request(steps, run["guidance_scale"].as_f64().unwrap());
        let (done, along) = with_steps(&pipeline, &request);
        check(&done.latents, &format!("{name}/latents"));
        check_picture(&done, name);
        let wanted = format!("{name}/steps");
        if golden::has(&wanted) {
            // diffusers does not report PNDM's first call.
            let calls = along.dim(0).unwrap();
            check(&along.narrow(0, calls - steps, steps).unwrap(), &wanted);
        }
    }
}

#[test]
fn every_form_of_storage_gives_the_same_run() {
    let folder = Fixture::folder();
    let encoder = folder.path().join("image_encoder");
    let old = Fixture::old_folder();
    let single = Fixture::single_file();
    for (form, builder) in [
        ("folder", Pipeline::builder(folder.path())),
        (
            "old names",
            Pipeline::builder(old.path()).image_encoder(encoder),
        ),
        (
            "single file",
            Pipeline::builder(single.path()).configs(single.configs()),
        ),
    ] {
        let pipeline = builder.open().unwrap_or_else(|e| panic!("{form}: {e}"));
        let done = only(pipeline.generate(&request(10, 3.), &mut go_on).unwrap());
        check(&done.latents, "pipe/pndm_s10_g3/latents");
        check_picture(&done, "pipe/pndm_s10_g3");
    }
}

#[test]
fn sizes_seeds_and_batches_equal_the_reference() {
    let pipeline = ddim();
    let drawn = |seed| Request {
        seed: Seed::Torch(seed),
        latents: None,
        ..request(5, 3.)
    };
    let plain = latents(&pipeline, &drawn(1234));
    check(&plain, "pipe/ddim_s5_g3_seed1234/latents");
    let eta = Request {
        eta: 0.5,
        ..drawn(78)
    };
    check(
        &latents(&pipeline, &eta),
        "pipe/ddim_eta05_s5_g3_seed78/latents",
    );
    let extracted = Request {
        latents: Some(tensor("pipe/init_latents")),
        steps: 5,
        ..Request::new(view("prep/feature_extractor_pil"))
    };
    check(
        &latents(&pipeline, &extracted),
        "pipe/ddim_s5_g3_pil/latents",
    );

    let wide = Request {
        latents: Some(tensor("pipe/init_latents_8x12")),
        ..request(5, 3.)
    };
    let done = only(pipeline.generate(&wide, &mut go_on).unwrap());
    check(&done.latents, "pipe/ddim_s5_g3_64x96/latents");
    let image = "pipe/ddim_s5_g3_64x96/image";
    assert_within(&flat(&done.image), &values(image), 0.002, image);

    // Two conditions, two pictures of each.
    let starts = tensor("pipe/init_latents4");
    let pixels = tensor("prep/readme_noantialias");
    let mirror: Vec<u32> = (0..64).rev().collect();
    let mirror = Tensor::new(mirror, &Device::Cpu).unwrap();
    let mirrored = pixels.index_select(&mirror, 3).unwrap();
    let both = [pixels, mirrored]
        .into_iter()
        .enumerate()
        .map(|(i, pixels)| {
            let request = Request {
                count: 2,
                steps: 5,
                latents: Some(starts.narrow(0, 2 * i, 2).unwrap()),
                ..Request::new(Condition::View(VisionInput {
                    pixels,
                    alpha: None,
                }))
            };
            latents(&pipeline, &request)
        });
    let both = Tensor::cat(&both.collect::<Vec<_>>(), 0).unwrap();
    check(&both, "pipe/ddim_s5_g3_batch2x2/latents");
}

#[test]
fn a_scheduler_chosen_at_run_time_draws_as_the_reference() {
    let config = json!({
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "timestep_spacing": "leading", "steps_offset": 1,
    });
    let fixture = Fixture::folder().with_scheduler("PNDMScheduler", &config);
    let pipeline = Pipeline::open(fixture.path()).unwrap();
    let request = Request {
        scheduler: Some(SchedulerKind::EulerAncestral.into()),
        seed: Seed::Torch(77),
        latents: None,
        ..request(5, 3.)
    };
    check(
        &latents(&pipeline, &request),
        "pipe/euler_a_s5_g3_seed77/latents",
    );
}

/// The picture whose latents are the reference's start, and a mask of what is kept.
fn start(strength: f64, mask: Option<&str>) -> Option<Start> {
    let keep = mask.map(|mask| Keep {
        mask: tensor(mask),
        feather: 0.,
    });
    let picture = tensor("vae/image_64x64").affine(0.5, 0.5).unwrap();
    Some(Start {
        picture,
        strength,
        keep,
    })
}

#[test]
fn changing_a_picture_equals_the_reference() {
    let manifest = manifest();
    let mut compared = 0;
    for run in manifest["img2img"].as_array().unwrap() {
        let name = run["name"].as_str().unwrap();
        if !golden::has(&format!("{name}/final")) {
            continue;
        }
        let class = run["scheduler"].as_str().unwrap();
        let runs = manifest["pipeline_runs"].as_object().unwrap();
        let config = runs.values().find(|run| run["scheduler"] == class).unwrap();
        let fixture = Fixture::folder().with_scheduler(class, &config["config"]);
        let request = Request {
            start: start(run["strength"].as_f64().unwrap(), None),
            latents: Some(tensor("i2i/noise")),
            ..request(run["steps"].as_u64().unwrap() as usize, 3.)
        };
        let pipeline = Pipeline::open(fixture.path()).unwrap();
        let (done, along) = with_steps(&pipeline, &request);
        assert_eq!(along.dim(0).unwrap() as u64, run["n_run"].as_u64().unwrap());
        check(&done.latents, &format!("{name}/final"));
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn keeping_what_lies_outside_a_mask_equals_the_reference() {
    let pipeline = ddim();
    for (strength, name) in [(1., "blend/ddim_s10_st1.0"), (0.6, "blend/ddim_s10_st0.6")] {
        let request = Request {
            start: start(strength, Some("blend/mask64")),
            latents: Some(tensor("i2i/noise")),
            ..request(10, 3.)
        };
        let (done, along) = with_steps(&pipeline, &request);
        check(&along, &format!("{name}/steps"));
        let (mask, picture) = (values("blend/mask64"), request.start.unwrap().picture);
        let (image, picture) = (flat(&done.image), flat(&picture));
        let kept = (0..3 * 64 * 64).filter(|i| mask[i % (64 * 64)] == 0.);
        assert!(kept.into_iter().all(|i| image[i] == picture[i]), "{name}");
    }
}

#[test]
fn alpha_weights_give_the_reference_condition() {
    let data = golden::weights("alpha/visual_alpha.safetensors");
    let alpha = Checkpoint::from_bytes(data, "visual_alpha.safetensors").unwrap();
    let config = json!({
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "clip_sample": false, "set_alpha_to_one": false, "steps_offset": 1,
    });
    let fixture = Fixture::folder().with_scheduler("DDIMScheduler", &config);
    let pipeline = Pipeline::builder(fixture.path())
        .alpha_weights(alpha)
        .open()
        .unwrap();
    let picture = Picture::open(golden::path("input.png")).unwrap();
    let mask = Region::read_mask(golden::path("mask.png")).unwrap();
    let card = pipeline.preprocess(Recipe::ModelCard).unwrap();
    let region = card.prepare(&picture, &mask).unwrap();
    let embedding = |condition| pipeline.embed(&condition).unwrap();
    let at_region = embedding(Condition::View(region.clone()));
    check(&at_region, "alpha/embed_region_pipe_projection");
    check(&embedding(readme()), "alpha/embed_ones_pipe_projection");
    let plain = embedding(Condition::Plain(region.clone()));
    assert_relative(&plain, "embed/readme", 1e-5);
    let request = Request {
        subjects: Request::new(Condition::View(region)).subjects,
        ..request(5, 3.)
    };
    check(
        &latents(&pipeline, &request),
        "alpha/ddim_s5_g3_region/latents",
    );
}
