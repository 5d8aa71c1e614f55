//! `gen3d bench regions`: whether pointing at one object of a scene of several names that object.

use std::path::Path;
use std::time::Instant;

use alpha_clip::{Views, ZeroShotHead};
use candle_core::Device;
use point_clip::Shape;
use point_clip::recognize::{EncodedShape, Focus, Projection, ShapeEncoder, ShapeViews};
use point_clip::shaded::{SceneViews, Shaded};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::packed::{self, Entry, LabelledSet};
use super::print;
use super::shapes::Clouds;
use crate::cli::args::BenchRegions;
use crate::cli::bulk;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::labels;
use crate::cli::model::Model;

/// Distance of the objects' middles from the middle of the scene, for 2, 3 and 4 objects whose
/// bounding spheres have radius 1: the spheres nearly touch.
const RING: [f32; 3] = [1.0, 1.15, 1.4];
/// A view counts for an object if at least this share of it shows.
const VISIBLE: f32 = 0.5;
/// Radius of the blur of a soft mask, as a share of the picture's side.
const BLUR: f32 = 1. / 48.;

#[derive(Serialize)]
struct Measured<'a> {
    set: &'a str,
    model: &'a str,
    views: usize,
    points: usize,
    seed: u64,
    /// Objects in a scene.
    objects: usize,
    scenes: usize,
    /// Objects pointed at.
    regions: usize,
    labels: usize,
    #[serde(flatten)]
    rates: Rates,
    seconds: f64,
}

/// Shares between 0 and 1.
#[derive(Serialize)]
struct Rates {
    /// Objects that are named right where they fill the picture, as `recognize` draws them.
    filling: f64,
    /// Those that are where they stand alone in the picture, in the place and size of the scene.
    single: f64,
    /// Objects of a scene that are named right with their mask, over `single` and over `filling`;
    /// with a soft mask, and with a box.
    mask: f64,
    of_single: f64,
    of_filling: f64,
    soft: f64,
    r#box: f64,
    /// Moves of the mask to another object that change the answer, and that change it to the other
    /// object's name.
    changed: f64,
    flipped: f64,
    /// The same with the whole picture in place of each mask: right answers, answers that change.
    whole: f64,
    whole_changed: f64,
}

/// Answers about one object of a scene, as indices of labels.
struct Answers {
    class: usize,
    filling: usize,
    single: usize,
    mask: usize,
    soft: usize,
    r#box: usize,
    whole: usize,
}

pub(super) fn run(args: &BenchRegions, context: &Context) -> Result<Outcome, Failure> {
    if args.views.projection != Projection::Shaded || args.views.focus == Focus::None {
        return Err(Failure::usage(anyhow::anyhow!(
            "--projection, --focus: regions are masks of shaded views; \
             leave --projection out, and --focus none"
        )));
    }
    let model = Model::load(&args.model, context)?;
    for path in &args.set {
        let set = packed::open(path).map_err(Failure::missing)?;
        let names = args.labels.beside(&set.classes)?;
        let templates = labels::templates(&args.prompt, &model, Some(Projection::Shaded))?;
        let head =
            ZeroShotHead::build(&model.clip, &names, &templates, None).map_err(Failure::failed)?;
        let clouds = Clouds::clean(&args.views);
        let encoder = model.shape_encoder(clouds.options(&args.views))?;
        let asker = Asker {
            set: &set,
            clouds,
            encoder,
            head,
        };
        for &objects in &args.objects {
            measure(path, &asker, objects.into(), &model, args, context)?;
        }
    }
    Ok(Outcome::Done)
}

fn measure(
    path: &Path,
    asker: &Asker,
    objects: usize,
    model: &Model,
    args: &BenchRegions,
    context: &Context,
) -> Result<(), Failure> {
    let start = Instant::now();
    let scenes: Vec<u64> = (0..args.scenes.into()).collect();
    let bar = context.bar(scenes.len() as u64, "scenes");
    let work = |scene: &u64| asker.ask(objects, args.views.seed.wrapping_add(*scene));
    let mut all = Vec::with_capacity(scenes.len());
    bulk::in_order(&scenes, context, work, |scene, answers| {
        let place = || format!("{}: scene {scene}", path.display());
        all.push(answers.map_err(|error| Failure::failed(error.context(place())))?);
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    let measured = Measured {
        set: &asker.set.name,
        model: &model.name,
        views: asker.encoder.options().views,
        points: asker.clouds.points,
        seed: args.views.seed,
        objects,
        scenes: all.len(),
        regions: all.iter().map(Vec::len).sum(),
        labels: asker.head.labels().len(),
        rates: Rates::of(&all),
        seconds: start.elapsed().as_secs_f64(),
    };
    let int8 = model.clip.vision().int8();
    print("regions", measured, &context.where_int8(int8))
}

/// What scenes are made of, and who is asked about them.
struct Asker<'a> {
    set: &'a LabelledSet,
    clouds: Clouds,
    encoder: ShapeEncoder,
    head: ZeroShotHead,
}

impl Asker<'_> {
    /// Sets up a scene and asks about each object of it.
    fn ask(&self, objects: usize, seed: u64) -> anyhow::Result<Vec<Answers>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let picked = self.pick(objects, &mut rng)?;
        let start = rng.random_range(0.0..std::f32::consts::TAU);
        let mut shapes = Vec::with_capacity(objects);
        for (place, entry) in picked.iter().enumerate() {
            let turn = start + std::f32::consts::TAU * place as f32 / objects as f32;
            let radius = RING[objects - 2];
            let at = [radius * turn.cos(), radius * turn.sin()];
            let spin = rng.random_range(0.0..std::f32::consts::TAU);
            shapes.push(placed(self.clouds.shape(self.set, entry)?, at, spin));
        }
        let filling = shapes
            .iter()
            .map(|shape| self.first(&self.encoder.encode(shape)?));
        let filling = filling.collect::<anyhow::Result<Vec<usize>>>()?;
        let size = self.encoder.clip().preprocess().size;
        let shaded = Shaded::new(size, self.encoder.options().views);
        let scene = shaded.render_scene(&shapes)?;
        let masks = Masks {
            scene: &scene,
            size,
        };
        let answers = picked.iter().enumerate().map(|(object, entry)| {
            let views = masks.visible(object);
            let region = |alpha: &dyn Fn(&[f32]) -> Vec<f32>| -> anyhow::Result<usize> {
                let planes = views.iter().flat_map(|&v| {
                    let mask = masks.mask(object, v);
                    [masks.rgb(v), &alpha(mask)].concat()
                });
                self.answer(planes.collect(), size)
            };
            let alone = views.iter().flat_map(|&v| masks.alone(object, v));
            Ok(Answers {
                class: entry.label,
                filling: filling[object],
                single: self.answer(alone.copied().collect(), size)?,
                mask: region(&|mask| mask.to_vec())?,
                soft: region(&|mask| blurred(mask, size))?,
                r#box: region(&|mask| bounding_box(mask, size))?,
                // All views, as for an object that fills them: which of them show the object is
                // not known without a mask.
                whole: self.answer(masks.whole(), size)?,
            })
        });
        answers.collect()
    }

    /// Meshes of different classes.
    fn pick(&self, objects: usize, rng: &mut ChaCha8Rng) -> anyhow::Result<Vec<&Entry>> {
        let mut picked: Vec<&Entry> = Vec::with_capacity(objects);
        while picked.len() < objects {
            let others = |entry: &&Entry| picked.iter().all(|p| p.label != entry.label);
            let left: Vec<&Entry> = self.set.entries.iter().filter(others).collect();
            let entry = left.choose(rng).ok_or_else(|| {
                anyhow::anyhow!("the set has fewer than {objects} classes; give --objects fewer")
            })?;
            picked.push(entry);
        }
        Ok(picked)
    }

    /// The label that comes first for these views, `[views, 4, size, size]` flattened.
    fn answer(&self, planes: Vec<f32>, size: usize) -> anyhow::Result<usize> {
        let views = Views::from_planes(planes, size, size, &Device::Cpu)?;
        self.first(&self.encoder.encode_drawn(&ShapeViews::Shaded(views))?)
    }

    fn first(&self, encoded: &EncodedShape) -> anyhow::Result<usize> {
        let top = self.head.top(&encoded.feature, 1)?;
        let first = top.first();
        Ok(first
            .ok_or_else(|| anyhow::anyhow!("there is no label"))?
            .index)
    }
}

/// The pictures and masks of a scene, by view.
struct Masks<'a> {
    scene: &'a SceneViews,
    size: usize,
}

impl<'a> Masks<'a> {
    fn plane(&self) -> usize {
        self.size * self.size
    }

    fn rgb(&self, view: usize) -> &'a [f32] {
        let plane = self.plane();
        &self.scene.planes[4 * view * plane..][..3 * plane]
    }

    fn mask(&self, object: usize, view: usize) -> &'a [f32] {
        let plane = self.plane();
        &self.scene.masks[object][view * plane..][..plane]
    }

    /// All four planes of an object alone.
    fn alone(&self, object: usize, view: usize) -> &'a [f32] {
        let plane = self.plane();
        &self.scene.alone[object][4 * view * plane..][..4 * plane]
    }

    /// The views that show enough of an object, or the one that shows most of it.
    fn visible(&self, object: usize) -> Vec<usize> {
        let views = self.scene.masks[object].len() / self.plane();
        let shown = |view: usize| -> f32 {
            let all: f32 = self.alone(object, view)[3 * self.plane()..].iter().sum();
            self.mask(object, view).iter().sum::<f32>() / all.max(1e-6)
        };
        let enough: Vec<usize> = (0..views).filter(|&v| shown(v) >= VISIBLE).collect();
        if enough.is_empty() {
            let most = (0..views).max_by(|&a, &b| shown(a).total_cmp(&shown(b)));
            return most.into_iter().collect();
        }
        enough
    }

    /// All views of the scene, each looked at as a whole.
    fn whole(&self) -> Vec<f32> {
        let mut planes = self.scene.planes.clone();
        let plane = self.plane();
        for view in planes.chunks_exact_mut(4 * plane) {
            view[3 * plane..].fill(1.);
        }
        planes
    }
}

impl Rates {
    fn of(scenes: &[Vec<Answers>]) -> Self {
        let objects: Vec<&Answers> = scenes.iter().flatten().collect();
        let rate = |answer: fn(&Answers) -> usize| {
            let right = objects.iter().filter(|o| answer(o) == o.class).count();
            share(right, objects.len())
        };
        let moves: Vec<(&Answers, &Answers)> = scenes
            .iter()
            .flat_map(|scene| {
                let from = scene.iter().enumerate();
                from.flat_map(move |(i, a)| {
                    let to = scene.iter().enumerate().filter(move |&(j, _)| i != j);
                    to.map(move |(_, b)| (a, b))
                })
            })
            .collect();
        let moved = |is: fn(&Answers, &Answers) -> bool| {
            share(moves.iter().filter(|(a, b)| is(a, b)).count(), moves.len())
        };
        let mask = rate(|o| o.mask);
        let of = |reference: f64| if reference > 0. { mask / reference } else { 0. };
        let (filling, single) = (rate(|o| o.filling), rate(|o| o.single));
        Self {
            filling,
            single,
            mask,
            of_single: of(single),
            of_filling: of(filling),
            soft: rate(|o| o.soft),
            r#box: rate(|o| o.r#box),
            changed: moved(|a, b| a.mask != b.mask),
            flipped: moved(|a, b| a.mask != b.mask && b.mask == b.class),
            whole: rate(|o| o.whole),
            whole_changed: moved(|a, b| a.whole != b.whole),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// `shape` scaled to a bounding sphere of radius 1 about its bounding box, turned about +y by `spin`
/// and stood on the ground y = 0 around `at` (x and z).
fn placed(shape: Shape, at: [f32; 2], spin: f32) -> Shape {
    let Shape::Cloud(mut cloud) = shape else {
        return shape;
    };
    let first = cloud.positions.first().copied().unwrap_or_default();
    let (mut low, mut high) = (first, first);
    for p in &cloud.positions {
        for k in 0..3 {
            low[k] = low[k].min(p[k]);
            high[k] = high[k].max(p[k]);
        }
    }
    let half = [0, 1, 2].map(|k| (high[k] - low[k]) / 2.);
    let radius = half.iter().map(|h| h * h).sum::<f32>().sqrt().max(1e-12);
    let (sin, cos) = spin.sin_cos();
    for p in &mut cloud.positions {
        let x = (p[0] - low[0] - half[0]) / radius;
        let z = (p[2] - low[2] - half[2]) / radius;
        let y = (p[1] - low[1]) / radius;
        *p = [at[0] + x * cos + z * sin, y, at[1] + z * cos - x * sin];
    }
    Shape::Cloud(cloud)
}

/// `mask` under a box blur in both directions, twice: close to a Gaussian.
fn blurred(mask: &[f32], size: usize) -> Vec<f32> {
    let radius = ((size as f32 * BLUR).round() as usize).max(1);
    let along = |plane: &[f32], step: usize, line: usize| -> Vec<f32> {
        let mut out = vec![0.; plane.len()];
        for start in (0..size).map(|i| i * line) {
            for i in 0..size {
                let near = i.saturating_sub(radius)..(i + radius + 1).min(size);
                let sum: f32 = near.map(|j| plane[start + j * step]).sum();
                out[start + i * step] = sum / (2 * radius + 1) as f32;
            }
        }
        out
    };
    let mut plane = mask.to_vec();
    for _ in 0..2 {
        plane = along(&along(&plane, 1, size), size, 1);
    }
    plane
}

/// The smallest box around the mask, all of it looked at.
fn bounding_box(mask: &[f32], size: usize) -> Vec<f32> {
    let inside = |i: usize| mask[i] >= 0.5;
    let rows: Vec<usize> = (0..size)
        .filter(|y| (0..size).any(|x| inside(y * size + x)))
        .collect();
    let columns: Vec<usize> = (0..size)
        .filter(|x| (0..size).any(|y| inside(y * size + x)))
        .collect();
    let mut plane = mask.to_vec();
    if let (Some(top), Some(bottom), Some(left), Some(right)) =
        (rows.first(), rows.last(), columns.first(), columns.last())
    {
        plane.fill(0.);
        for y in *top..=*bottom {
            plane[y * size + left..=y * size + right].fill(1.);
        }
    }
    plane
}

#[cfg(test)]
mod tests {
    use super::*;
    use point_clip::PointCloud;

    #[test]
    fn rates_are_counted_by_object_and_by_move() {
        let object = |class, mask| Answers {
            class,
            filling: class,
            single: class,
            mask,
            soft: 9,
            r#box: class,
            whole: 0,
        };
        let rates = Rates::of(&[
            vec![object(0, 0), object(1, 1)],
            vec![object(2, 2), object(3, 2)],
        ]);
        assert_eq!(
            (rates.single, rates.mask, rates.of_single),
            (1., 0.75, 0.75)
        );
        assert_eq!((rates.soft, rates.r#box), (0., 1.));
        assert_eq!((rates.changed, rates.flipped), (0.5, 0.5));
        assert_eq!((rates.whole, rates.whole_changed), (0.25, 0.));
    }

    #[test]
    fn masks_become_soft_and_boxes() {
        // A line and a point: a box of 5 rows and 4 columns.
        let mut mask = vec![0.; 24 * 24];
        for y in 8..12 {
            mask[y * 24 + 10] = 1.;
        }
        mask[12 * 24 + 13] = 1.;
        let filled = bounding_box(&mask, 24);
        assert_eq!(filled.iter().sum::<f32>(), 5. * 4.);
        assert_eq!(bounding_box(&[0.; 576], 24), [0.; 576]);
        let soft = blurred(&mask, 24);
        assert!((soft.iter().sum::<f32>() - 5.).abs() < 1e-4);
        assert!(soft[10 * 24 + 9] > 0.1 && soft.iter().all(|v| *v < 0.5));
    }

    #[test]
    fn objects_stand_on_the_ground_at_their_places() {
        let cloud = Shape::Cloud(PointCloud {
            positions: vec![[5., 5., 5.], [7., 9., 5.]],
            ..PointCloud::default()
        });
        let Shape::Cloud(cloud) = placed(cloud, [3., -2.], std::f32::consts::PI) else {
            panic!("a cloud");
        };
        let [low, high] = [cloud.positions[0], cloud.positions[1]];
        assert_eq!(low[1], 0.);
        assert!((low[0] - (3. + 1. / 5f32.sqrt())).abs() < 1e-5, "{low:?}");
        assert!((high[1] - 4. / 5f32.sqrt()).abs() < 1e-5 && (high[2] + 2.).abs() < 1e-5);
    }
}
