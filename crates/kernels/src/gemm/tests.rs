//! Every kernel against the sum as it is written.

use proptest::prelude::*;

use super::*;
use crate::instructions::Instructions;
use crate::kernel::Precision;

/// Values in −1..1 that a seed gives.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.
    };
    (0..count).map(next).collect()
}

/// Rows of `k` values as they are multiplied.
fn rounded(values: &[f32], k: usize, precision: Precision) -> Vec<f64> {
    let exact = |x: &f32| f64::from(*x);
    match precision {
        Precision::F32 => values.iter().map(exact).collect(),
        Precision::Bf16 => values
            .iter()
            .map(|x| half::bf16::from_f32(*x).to_f64())
            .collect(),
        Precision::Int8 => as_bytes(values, k, crate::simd::GROUP),
    }
}

/// Rows of `k` values as bytes with a scale for each group.
fn as_bytes(values: &[f32], k: usize, group: usize) -> Vec<f64> {
    let groups = values.chunks(k).flat_map(|row| row.chunks(group));
    let rounded = groups.flat_map(|group| {
        let largest = group.iter().fold(0f32, |most, x| most.max(x.abs()));
        let inverse = if largest > 0. { 127. / largest } else { 0. };
        let scale = f64::from(largest / 127.);
        let round = move |x: &f32| f64::from((x * inverse).round_ties_even()) * scale;
        group.iter().map(round)
    });
    rounded.collect()
}

/// The plain twin of [`multiply`], in f64.
fn plain(x: &[f64], w: &[f64], k: usize, y: &[f32], epilogue: Epilogue<'_>) -> Vec<f32> {
    let (m, n) = (x.len() / k, w.len() / k);
    let at = |i: usize| {
        let (row, column) = (i / n, i % n);
        let products = (0..k).map(|j| x[row * k + j] * w[column * k + j]);
        let before = if epilogue.add { f64::from(y[i]) } else { 0. };
        let bias = epilogue.bias.map_or(0., |b| f64::from(b[column]));
        let mut value = [(before + products.sum::<f64>() + bias) as f32];
        epilogue.activation.apply(&mut value, |a, b, c| a * b + c);
        value[0]
    };
    (0..m * n).map(at).collect()
}

fn kernels() -> impl Iterator<Item = (Instructions, Precision)> {
    Instructions::ALL
        .into_iter()
        .filter(|i| i.are_there())
        .flat_map(|i| [Precision::F32, Precision::Bf16, Precision::Int8].map(|p| (i, p)))
}

fn check([m, n, k]: [usize; 3], seed: u64, add: bool, bias: bool, activation: Activation) {
    let (x, w) = (noise(m * k, seed), noise(n * k, seed + 1));
    let (before, b) = (noise(m * n, seed + 2), noise(n, seed + 3));
    let epilogue = Epilogue {
        bias: bias.then_some(&b[..]),
        add,
        activation,
    };
    for (instructions, precision) in kernels() {
        let packed = PackedMatrix::for_instructions(instructions, n, k, precision, |i, row| {
            row.copy_from_slice(&w[i * k..][..k]);
        });
        let mut y = before.clone();
        multiply(&Matrix::new(&x, k), &packed, epilogue, &mut y);
        let expected = plain(
            &rounded(&x, k, precision),
            &rounded(&w, k, precision),
            k,
            &before,
            epilogue,
        );
        let tolerance = 1e-6 * (k as f32).sqrt().max(4.);
        for (i, (y, expected)) in y.iter().zip(&expected).enumerate() {
            assert!(
                (y - expected).abs() <= tolerance,
                "{instructions:?} {precision:?} [{m}, {n}, {k}] at {i}: {y}, not {expected}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_shape_and_epilogue(
        m in 1usize..70,
        n in 1usize..90,
        k in 1usize..150,
        seed in any::<u32>(),
        add in any::<bool>(),
        bias in any::<bool>(),
        activation in prop::sample::select(vec![
            Activation::Identity, Activation::QuickGelu, Activation::Gelu, Activation::Relu,
        ]),
    ) {
        check([m, n, k], seed.into(), add, bias, activation);
    }

    #[test]
    fn nan_and_infinity_reach_their_row_and_no_other(
        m in 1usize..40,
        n in 1usize..40,
        k in 1usize..40,
        place in any::<prop::sample::Index>(),
        odd in prop::sample::select(vec![f32::NAN, f32::INFINITY]),
    ) {
        let mut x = vec![1f32; m * k];
        let place = place.index(m * k);
        x[place] = odd;
        for (instructions, precision) in kernels() {
            let packed = PackedMatrix::for_instructions(instructions, n, k, precision, |_, row| {
                row.fill(1.);
            });
            let mut y = vec![0f32; m * n];
            multiply(&Matrix::new(&x, k), &packed, Epilogue::default(), &mut y);
            for (row, y) in y.chunks(n).enumerate() {
                let hit = row == place / k;
                // A group of bytes has one scale: what is infinite in it may come out as NaN.
                let nan = |y: &f32| precision == Precision::Int8 || y.is_nan() == (hit && odd.is_nan());
                prop_assert!(y.iter().all(|y| y.is_finite() != hit && nan(y)));
            }
        }
    }
}

#[test]
fn many_blocks_and_pieces() {
    check([1, 1, 1], 1, false, false, Activation::Identity);
    check([250, 100, 1030], 2, true, true, Activation::QuickGelu);
    check([113, 33, 2051], 3, false, true, Activation::Identity);
    check([3, 70, 4100], 4, true, false, Activation::Relu);
}

#[test]
fn values_that_stand_out_cost_their_group_alone_its_precision() {
    let (m, n, k) = (20, 40, 768);
    let (mut x, w) = (noise(m * k, 1), noise(n * k, 2));
    for row in x.chunks_mut(k) {
        row[3] *= 100.;
        row[500] *= 30.;
    }
    let exact = |values: &[f32]| rounded(values, k, Precision::F32);
    let product = |x: &[f64], w: &[f64]| plain(x, w, k, &vec![0.; m * n], Epilogue::default());
    let expected = product(&exact(&x), &exact(&w));
    let by_row = product(&as_bytes(&x, k, k), &as_bytes(&w, k, k));
    let packed = PackedMatrix::of_rows(&w, k, Precision::Int8);
    let mut y = vec![0f32; m * n];
    multiply(&Matrix::new(&x, k), &packed, Epilogue::default(), &mut y);
    let error = |y: &[f32]| -> f32 { y.iter().zip(&expected).map(|(y, e)| (y - e).powi(2)).sum() };
    let (ours, by_row) = (error(&y), error(&by_row));
    assert!(ours < 0.3 * by_row, "{ours} of {by_row}");
}

#[test]
fn a_pool_of_the_caller_is_used() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap();
    pool.install(|| check([300, 200, 130], 5, false, true, Activation::Gelu));
}

#[test]
fn nothing_gives_nothing() {
    let packed = PackedMatrix::new(0, 5, Precision::F32, |_, _| unreachable!("there is no row"));
    multiply(
        &Matrix::new(&[0.; 10], 5),
        &packed,
        Epilogue::default(),
        &mut [],
    );
    let packed = PackedMatrix::of_rows(&[1.; 10], 5, Precision::F32);
    multiply(&Matrix::new(&[], 5), &packed, Epilogue::default(), &mut []);
}

#[test]
fn rows_are_normalised_as_they_are_packed() {
    let (m, k) = (37, 50);
    let x: Vec<f32> = noise(m * k, 9).iter().map(|x| x + 100.).collect();
    let (weight, bias) = (noise(k, 10), noise(k, 11));
    let identity = PackedMatrix::new(k, k, Precision::F32, |n, row| {
        row.fill(0.);
        row[n] = 1.;
    });
    let mut y = vec![0f32; m * k];
    let rows = Normalised::new(Matrix::new(&x, k), &weight, &bias, 1e-5);
    multiply(&rows, &identity, Epilogue::default(), &mut y);
    for (x, y) in x.chunks(k).zip(y.chunks(k)) {
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / k as f64;
        let square = |x: &f32| (f64::from(*x) - mean).powi(2);
        let deviation = (x.iter().map(square).sum::<f64>() / k as f64 + 1e-5).sqrt();
        for (i, (x, y)) in x.iter().zip(y).enumerate() {
            let exact =
                (f64::from(*x) - mean) / deviation * f64::from(weight[i]) + f64::from(bias[i]);
            assert!((f64::from(*y) - exact).abs() < 1e-4, "{y}, not {exact}");
        }
    }
}
