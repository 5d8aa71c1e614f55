//! The projections against the output of the published code, all maps of all clouds.
//!
//! Maps agree to 1e-5, but for at most 0.01 % of the pixels of a cloud (ties in rounding).

use point_clip::project::{INPUT_SIZE, Maps, PointClipV1, PointClipV2, unit_sphere};
use rayon::prelude::*;
use safetensors::SafeTensors;
use std::io::Read;

const CLOUDS: [&str; 6] = ["airplane", "torus", "chair", "spiral", "blob", "chair_raw"];
const TOLERANCE: f32 = 1e-5;
/// One pixel in this many may differ.
const TIES: usize = 10_000;

struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/pointclip");
        let file = std::fs::File::open(format!("{folder}/{name}.safetensors.gz")).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut bytes)
            .unwrap();
        Golden(bytes)
    }

    fn words(&self, name: &str) -> Vec<[u8; 4]> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.tensor(name).unwrap().data().as_chunks().0.to_vec()
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        self.words(name)
            .into_iter()
            .map(f32::from_le_bytes)
            .collect()
    }

    fn u32(&self, name: &str) -> Vec<u32> {
        self.words(name)
            .into_iter()
            .map(u32::from_le_bytes)
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.names().into_iter().map(str::to_owned).collect()
    }
}

fn cloud(name: &str) -> Vec<[f32; 3]> {
    Golden::open("clouds").f32(name).as_chunks().0.to_vec()
}

/// Asserts the tolerance, and returns the largest difference.
fn compare(what: &str, ours: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(ours.len(), reference.len(), "{what}");
    let differences = || ours.iter().zip(reference).map(|(a, b)| (a - b).abs());
    assert!(ours.iter().all(|v| v.is_finite()), "{what}");
    let off = differences().filter(|d| *d > TOLERANCE).count();
    let worst = differences().fold(0.0, f32::max);
    assert!(
        off * TIES <= ours.len(),
        "{what}: {off} of {} pixels differ, by up to {worst}",
        ours.len()
    );
    worst
}

#[test]
fn v1_maps() {
    let golden = Golden::open("v1_depth_sparse");
    let settings = [
        ("zs", PointClipV1::zero_shot(), 6, 128),
        ("fs", PointClipV1::few_shot(), 10, 224),
    ];
    for (setting, v1, views, size) in settings {
        for name in CLOUDS {
            let what = format!("{setting}.{name}");
            let maps = v1.project(&cloud(name)).unwrap();
            assert_eq!(
                (maps.views(), maps.size(), maps.background()),
                (views, size, 0.0)
            );
            let mut reference = vec![0.0; views * size * size];
            let index = golden.u32(&format!("{what}.index"));
            for (&i, v) in index.iter().zip(golden.f32(&format!("{what}.value"))) {
                reference[i as usize] = v;
            }
            compare(&what, maps.values(), &reference);
            // Sparse: which pixels are hit is compared as well.
            let hit: Vec<u32> = (0_u32..)
                .zip(maps.values())
                .filter(|(_, v)| **v != 0.0)
                .map(|(i, _)| i)
                .collect();
            assert_eq!(hit, index, "{what}");
        }
    }
}

#[test]
fn v2_maps() {
    let golden = Golden::open("v2_maps110");
    for name in CLOUDS {
        let maps = PointClipV2::default().project(&cloud(name)).unwrap();
        assert_eq!(
            (maps.views(), maps.size(), maps.background()),
            (10, 110, 1.0)
        );
        compare(name, maps.values(), &golden.f32(name));
    }
}

#[test]
fn input_maps() {
    let v2 = |cloud: &[[f32; 3]]| PointClipV2::default().input_maps(cloud).unwrap();
    let v1 = |cloud: &[[f32; 3]]| PointClipV1::zero_shot().input_maps(cloud).unwrap();
    compare_views("v2_up224", 8, v2);
    compare_views("v1_zs_up224", 2, v1);
}

/// Compares the maps stored as `{cloud}.view{number}`.
fn compare_views(file: &str, count: usize, maps: impl Fn(&[[f32; 3]]) -> Maps) {
    let golden = Golden::open(file);
    let names = golden.names();
    assert_eq!(names.len(), count);
    for name in names {
        let (of, view) = name.split_once(".view").unwrap();
        let maps = maps(&cloud(of));
        assert_eq!(maps.size(), INPUT_SIZE);
        compare(
            &name,
            maps.view(view.parse().unwrap()).unwrap(),
            &golden.f32(&name),
        );
    }
}

#[test]
fn few_shot_maps_are_not_resized() {
    let v1 = PointClipV1::few_shot();
    let chair = cloud("chair");
    assert_eq!(v1.input_maps(&chair), v1.project(&chair));
}

/// Clouds in turn, at once on all cores, and on one: threads keep their room from one to the next,
/// and nothing of a cloud may show in another.
#[test]
fn batches_are_bit_identical() {
    let clouds = CLOUDS.map(cloud);
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let v2 = PointClipV2::default();
    let v1 = PointClipV1::few_shot();
    let both = |cloud: &Vec<[f32; 3]>| {
        let bits = |maps: Maps| {
            maps.values()
                .iter()
                .map(|v| v.to_bits())
                .collect::<Vec<_>>()
        };
        [
            bits(v2.project(cloud).unwrap()),
            bits(v1.project(cloud).unwrap()),
        ]
    };
    let single: Vec<_> = clouds.iter().map(|c| alone.install(|| both(c))).collect();
    let batched: Vec<_> = clouds.par_iter().map(both).collect();
    let reversed: Vec<_> = clouds
        .iter()
        .rev()
        .map(|c| alone.install(|| both(c)))
        .collect();
    assert!(single == batched);
    assert!(single.into_iter().eq(reversed.into_iter().rev()));
}

/// The signatures of known mistakes: each must be far outside the tolerance, so that the tests
/// above would see it.
#[test]
fn mistakes_would_show() {
    let reference = Golden::open("v2_maps110").f32("airplane");
    let airplane = cloud("airplane");
    let maps = PointClipV2::default().project(&airplane).unwrap();
    let (side, map) = (maps.size(), maps.view(4).unwrap());
    let reference = &reference[4 * side * side..][..side * side];
    let mean = |f: &dyn Fn(usize, usize) -> f32| {
        let off = |i: usize| (f(i / side, i % side) - reference[i]).abs();
        (0..side * side).map(off).sum::<f32>() / (side * side) as f32
    };
    let near = |a: f32, b: f32| (a - b).abs() < 0.01 * b;
    assert!(near(mean(&|i, j| map[j * side + i]), 0.169), "transposed");
    assert!(
        near(mean(&|i, j| map[(side - 1 - i) * side + j]), 0.206),
        "rows flipped"
    );
    assert!(
        near(mean(&|i, j| 1.0 - map[i * side + j]), 0.862),
        "not inverted"
    );
}

#[test]
fn scale_and_place_do_not_matter_to_v2() {
    let raw = cloud("chair_raw");
    let unit = unit_sphere(&raw).unwrap();
    let v2 = PointClipV2::default();
    let (raw, unit) = (v2.project(&raw).unwrap(), v2.project(&unit).unwrap());
    let off = raw
        .values()
        .iter()
        .zip(unit.values())
        .filter(|(a, b)| (*a - *b).abs() > 1e-3)
        .count();
    // Only points on the edge of a cell or a layer move.
    assert!(off * 200 < raw.values().len(), "{off}");
}
