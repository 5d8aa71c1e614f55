//! What a pipeline keeps to beyond the reference.

use std::ops::ControlFlow;

use alpha_clip::VisionInput;
use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

use super::*;
use crate::noise::Seed;
use crate::scheduler::SchedulerKind;
use crate::testing::fixture::{Fixture, alpha_weights_of_zeros};
use crate::testing::golden::{self, cosine, flat, tensor};

fn embedding() -> Condition {
    Condition::Embedding(tensor("embed/readme"))
}

fn short() -> Request {
    Request {
        steps: 3,
        seed: Seed::Counter(7),
        ..Request::new(embedding())
    }
}

fn open() -> Pipeline {
    Pipeline::open(Fixture::folder().path()).unwrap()
}

fn go_on(_: Step<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn made(pipeline: &Pipeline, request: &Request) -> Vec<Variation> {
    pipeline.generate(request, &mut go_on).unwrap()
}

/// Pictures and latents of all, to the last bit.
fn bits(all: &[Variation]) -> Vec<(usize, Vec<f32>, Vec<f32>)> {
    all.iter()
        .map(|v| (v.index, flat(&v.image), flat(&v.latents)))
        .collect()
}

#[test]
fn the_same_request_gives_the_same_bits_in_any_batch() {
    let pipeline = open();
    let four = |batch| Request {
        count: 4,
        batch: Some(batch),
        ..short()
    };
    let wanted = bits(&made(&pipeline, &four(1)));
    assert_eq!(wanted.len(), 4);
    assert_ne!(wanted[0].2, wanted[1].2);
    for batch in [1, 4, 3] {
        assert!(
            bits(&made(&pipeline, &four(batch))) == wanted,
            "batch {batch}"
        );
    }
    let two = Request {
        count: 2,
        ..short()
    };
    assert!(bits(&made(&pipeline, &two)) == wanted[..2]);
    let other = Request {
        seed: Seed::Counter(8),
        ..short()
    };
    assert_ne!(bits(&made(&pipeline, &other))[0].2, wanted[0].2);
    // Noise of later steps is each picture's own too.
    let drawing = |batch| Request {
        scheduler: Some(SchedulerKind::EulerAncestral.into()),
        ..four(batch)
    };
    assert!(bits(&made(&pipeline, &drawing(4))) == bits(&made(&pipeline, &drawing(1))));
}

#[test]
fn a_batch_gives_what_single_pictures_do() {
    let pipeline = open();
    let request = Request {
        count: 5,
        scheduler: Some(SchedulerKind::EulerAncestral.into()),
        ..short()
    };
    let single = made(&pipeline, &request);
    let mut run = pipeline.start(&request).unwrap();
    run.batch = 3;
    let mut sizes = Vec::new();
    let mut all = Vec::new();
    while let Some(batch) = run.next_batch(&mut go_on).unwrap() {
        sizes.push(batch.len());
        all.extend(batch);
    }
    assert_eq!(sizes, [3, 2]);
    for (one, other) in single.iter().zip(&all) {
        assert_eq!(one.index, other.index);
        assert!(golden::relative(&flat(&one.latents), &flat(&other.latents)) < 1e-5);
        assert!(golden::relative(&flat(&one.image), &flat(&other.image)) < 1e-5);
    }
}

#[test]
fn low_memory_and_tiles_change_nothing() {
    let wanted = bits(&made(
        &open(),
        &Request {
            count: 2,
            ..short()
        },
    ));
    let fixture = Fixture::folder();
    let pipeline = Pipeline::builder(fixture.path())
        .low_memory(true)
        .vae_tiling(true)
        .open()
        .unwrap();
    assert!(
        bits(&made(
            &pipeline,
            &Request {
                count: 2,
                ..short()
            }
        )) == wanted
    );
}

#[test]
fn half_precision_gives_nearly_the_same() {
    let wanted = &made(&open(), &short())[0];
    for dtype in [DType::F16, DType::BF16] {
        let fixture = Fixture::folder();
        let pipeline = Pipeline::builder(fixture.path())
            .dtype(dtype)
            .open()
            .unwrap();
        assert_eq!(pipeline.dtype(), dtype);
        let got = &made(&pipeline, &short())[0];
        for (got, wanted) in [(&got.latents, &wanted.latents), (&got.image, &wanted.image)] {
            assert!(cosine(&flat(got), &flat(wanted)) > 0.999, "{dtype:?}");
        }
    }
    let fixture = Fixture::folder();
    let odd = Pipeline::builder(fixture.path()).dtype(DType::U8).open();
    assert!(odd.unwrap_err().to_string().contains("f32, f16 or bf16"));
}

#[test]
fn latents_that_are_not_finite_are_an_error() {
    let latents = (tensor("pipe/init_latents") * f64::INFINITY).unwrap();
    let request = Request {
        latents: Some(latents),
        ..short()
    };
    let said = open()
        .generate(&request, &mut go_on)
        .unwrap_err()
        .to_string();
    assert!(said.contains("no longer finite"), "{said}");
}

#[test]
fn breaking_off_keeps_what_is_finished() {
    let pipeline = open();
    let request = Request {
        count: 3,
        ..short()
    };
    let wanted = bits(&made(&pipeline, &request));
    let mut seen = Vec::new();
    let mut stop = |step: Step<'_>| {
        seen.push((step.images.start, step.step, step.total, step.count));
        if step.images.start == 2 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let some = pipeline.generate(&request, &mut stop).unwrap();
    assert!(bits(&some) == wanted[..2]);
    // Three steps are four calls of PNDM.
    assert_eq!(
        seen[..5],
        [
            (0, 1, 4, 3),
            (0, 2, 4, 3),
            (0, 3, 4, 3),
            (0, 4, 4, 3),
            (1, 1, 4, 3)
        ]
    );
    assert_eq!(seen.len(), 9);
}

#[test]
fn previews_are_small_pictures() {
    let mut count = 0;
    let mut look = |step: Step<'_>| {
        let preview = step.preview().unwrap();
        assert_eq!(preview.dims(), [1, 3, 8, 8]);
        assert!(flat(&preview).iter().all(|v| (0. ..=1.).contains(v)));
        count += 1;
        ControlFlow::Continue(())
    };
    open().generate(&short(), &mut look).unwrap();
    assert_eq!(count, 4);
}

#[test]
fn conditions_mix_by_their_weights() {
    let pipeline = open();
    let (a, b) = (tensor("embed/readme"), tensor("embed/pil"));
    let subject = |embedding: &Tensor, weight| Subject {
        condition: Condition::Embedding(embedding.clone()),
        weight,
    };
    let run = |subjects| {
        flat(
            &made(
                &pipeline,
                &Request {
                    subjects,
                    ..short()
                },
            )[0]
            .latents,
        )
    };
    let mixed = ((&a * 0.75).unwrap() + (&b * 0.25).unwrap()).unwrap();
    let wanted = run(vec![subject(&mixed, 1.)]);
    let got = run(vec![subject(&a, 3.), subject(&b, 1.)]);
    assert!(golden::relative(&got, &wanted) < 1e-5);
    let only = run(vec![subject(&a, 1.), subject(&b, 0.)]);
    assert_eq!(only, run(vec![subject(&a, 0.2)]));
    assert!(golden::relative(&only, &wanted) > 1e-3);
}

#[test]
fn a_negative_takes_the_place_of_zeros() {
    let pipeline = open();
    let run = |negative: Option<Tensor>, guidance| {
        let negative = negative.map(Condition::Embedding);
        flat(
            &made(
                &pipeline,
                &Request {
                    negative,
                    guidance,
                    ..short()
                },
            )[0]
            .latents,
        )
    };
    let zeros = tensor("embed/readme").zeros_like().unwrap();
    assert_eq!(run(Some(zeros), 3.), run(None, 3.));
    assert_ne!(run(Some(tensor("embed/pil")), 3.), run(None, 3.));
    assert_eq!(run(Some(tensor("embed/pil")), 1.), run(None, 0.));
    // The condition itself as the negative is guidance by nothing.
    let same = run(Some(tensor("embed/readme")), 3.);
    assert!(golden::relative(&same, &run(None, 1.)) < 1e-4);
}

fn region(mask: impl Fn(usize, usize) -> bool) -> Condition {
    let value = |i: usize| if mask(i / 64, i % 64) { 1f32 } else { 0. };
    let plane: Vec<f32> = (0..64 * 64).map(value).collect();
    let alpha = Tensor::from_vec(plane, (1, 1, 64, 64), &Device::Cpu).unwrap();
    let alpha = alpha.affine(1. / 0.26, -0.5 / 0.26).unwrap();
    let pixels = tensor("prep/readme_noantialias");
    Condition::View(VisionInput {
        pixels,
        alpha: Some(alpha),
    })
}

#[test]
fn the_condition_moves_with_the_region() {
    let alpha = golden::weights("alpha/visual_alpha.safetensors");
    let alpha = Checkpoint::from_bytes(alpha, "alpha").unwrap();
    let fixture = Fixture::folder();
    let pipeline = Pipeline::builder(fixture.path())
        .alpha_weights(alpha)
        .open()
        .unwrap();
    assert!(pipeline.has_alpha_weights());
    let embed = |condition: &Condition| flat(&pipeline.embed(condition).unwrap());
    let (left, right) = (
        embed(&region(|_, x| x < 32)),
        embed(&region(|_, x| x >= 32)),
    );
    assert!(cosine(&left, &right) < 0.99, "{}", cosine(&left, &right));
    let whole = embed(&region(|_, _| true));
    let unset = VisionInput {
        pixels: tensor("prep/readme_noantialias"),
        alpha: None,
    };
    assert!(golden::relative(&whole, &embed(&Condition::View(unset))) < 1e-5);
}

#[test]
fn alpha_weights_of_zero_are_plain_clip() {
    let fixture = Fixture::folder();
    let zeros = alpha_weights_of_zeros();
    let pipeline = Pipeline::builder(fixture.path())
        .alpha_weights(zeros)
        .open()
        .unwrap();
    let plain = flat(&tensor("embed/readme"));
    for condition in [region(|_, _| true), region(|_, x| x < 20)] {
        let got = flat(&pipeline.embed(&condition).unwrap());
        assert!(golden::relative(&got, &plain) < 1e-5);
    }
    // Nor does a region count without alpha weights.
    let got = flat(&open().embed(&region(|_, x| x < 20)).unwrap());
    assert!(golden::relative(&got, &plain) < 1e-5);
}

#[test]
fn conditions_that_do_not_fit_are_refused() {
    let pipeline = open();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let said = |condition| pipeline.embed(&condition).unwrap_err().to_string();
    assert!(said(Condition::Embedding(zeros(&[1, 768]))).contains("[1, 48]"));
    let two = VisionInput {
        pixels: zeros(&[2, 3, 64, 64]),
        alpha: None,
    };
    assert!(said(Condition::View(two)).contains("one picture"));
    let large = VisionInput {
        pixels: zeros(&[1, 3, 224, 224]),
        alpha: None,
    };
    assert!(said(Condition::View(large)).contains("224"));
    let nan = (tensor("embed/readme") * f64::NAN).unwrap();
    assert!(said(Condition::Embedding(nan)).contains("not finite"));
    for shape in [&[48][..], &[1, 48], &[1, 1, 48]] {
        assert!(pipeline.embed(&Condition::Embedding(zeros(shape))).is_ok());
    }
}

#[test]
fn strengths_without_a_step_are_refused_but_for_zero() {
    let pipeline = open();
    let picture = tensor("vae/image_64x64").affine(0.5, 0.5).unwrap();
    let start = |strength| {
        Some(Start {
            picture: picture.clone(),
            strength,
            keep: None,
        })
    };
    let none = Request {
        start: start(0.1),
        ..short()
    };
    let said = pipeline
        .generate(&none, &mut go_on)
        .unwrap_err()
        .to_string();
    assert!(said.contains("none of 3 steps"), "{said}");
    let zero = made(
        &pipeline,
        &Request {
            start: start(0.),
            ..short()
        },
    );
    assert!(golden::relative(&flat(&zero[0].latents), &flat(&tensor("i2i/z0"))) < 1e-4);
    let bright = Some(Start {
        picture: (picture * 255.).unwrap(),
        strength: 0.5,
        keep: None,
    });
    let said = pipeline.generate(
        &Request {
            start: bright,
            ..short()
        },
        &mut go_on,
    );
    assert!(said.unwrap_err().to_string().contains("0..=1"));
}

#[test]
fn a_safety_checker_flags_and_blackens() {
    let fixture = Fixture::folder().with_safety_checker();
    let pipeline = Pipeline::open(fixture.path()).unwrap();
    assert!(pipeline.has_safety_checker());
    let request = Request {
        count: 6,
        steps: 1,
        ..short()
    };
    let checked = made(&pipeline, &request);
    let off = Pipeline::builder(fixture.path())
        .safety_check(false)
        .open()
        .unwrap();
    assert!(!off.has_safety_checker());
    for (with, without) in checked.iter().zip(made(&off, &request)) {
        assert_eq!(without.flagged, None);
        match with.flagged {
            Some(true) => assert!(flat(&with.image).iter().all(|v| *v == 0.)),
            Some(false) => assert_eq!(flat(&with.image), flat(&without.image)),
            None => panic!("the checker did not run"),
        }
    }
    // A checker for which everything is too close to something.
    let mut strict = golden::weights("safety_checker/model.safetensors");
    lower_thresholds(&mut strict);
    fixture.put("safety_checker/model.safetensors", &strict);
    let pipeline = Pipeline::open(fixture.path()).unwrap();
    let flagged = &made(
        &pipeline,
        &Request {
            steps: 1,
            ..short()
        },
    )[0];
    assert_eq!(flagged.flagged, Some(true));
    assert!(flat(&flagged.image).iter().all(|v| *v == 0.));
    assert!(flat(&flagged.latents).iter().any(|v| *v != 0.));
}

/// Sets `concept_embeds_weights` to -2 (f16 0xc000) in a safetensors file.
fn lower_thresholds(file: &mut [u8]) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let offsets = &header["concept_embeds_weights"]["data_offsets"];
    let at = |i: usize| 8 + length + offsets[i].as_u64().unwrap() as usize;
    for value in file[at(0)..at(1)].chunks_exact_mut(2) {
        value.copy_from_slice(&[0x00, 0xc0]);
    }
}

#[test]
fn preprocessing_is_that_of_the_model_card_unless_asked() {
    let pipeline = open();
    let card = pipeline.preprocess(Recipe::ModelCard).unwrap();
    let published = Preprocess::alpha_clip_variation(64, false);
    assert_eq!(card.resampling, published.resampling);
    assert_eq!(card.geometry, published.geometry);
    let stated = pipeline.preprocess(Recipe::FeatureExtractor).unwrap();
    assert_eq!(stated, Preprocess::clip(64));
    assert_eq!(pipeline.default_size(), (64, 64));
}
