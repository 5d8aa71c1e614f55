//! Attention against the formula as it is written.

use proptest::prelude::*;

use super::*;

fn noise(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7_919 + seed * 104_729) % 2_003) as f32 / 1_001. - 1.;
    (0..count).map(|i| value(i * i + i)).collect()
}

/// The plain twin, in f64: context and weights.
fn plain(all: &Attention<'_>) -> (Vec<f64>, Vec<f64>) {
    let (d, width) = (all.head_width, all.heads * all.head_width);
    let rows = all.sequences.last().map_or(0, |s| s.queries.end);
    let (mut context, mut weights) = (vec![0.; rows * width], Vec::new());
    for (item, sequence) in all.sequences.iter().enumerate() {
        for head in 0..all.heads {
            for (query, row) in sequence.queries.clone().enumerate() {
                let keys = sequence.keys.len();
                let hidden = |key| all.causal && key + sequence.queries.len() > query + keys;
                let at = |h: Heads<'_>, row: usize, i| {
                    f64::from(h.values[row * h.stride + head * d + i])
                };
                let logit = |key: usize| {
                    let dot: f64 = (0..d)
                        .map(|i| at(all.q, row, i) * at(all.k, sequence.keys.start + key, i))
                        .sum();
                    let bias = all.bias.map_or(0., |b| {
                        let [i, h, q, k] = b.strides;
                        f64::from(b.values[item * i + head * h + query * q + key * k])
                    });
                    if hidden(key) {
                        f64::NEG_INFINITY
                    } else {
                        dot / (d as f64).sqrt() + bias
                    }
                };
                let logits: Vec<f64> = (0..keys).map(logit).collect();
                let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
                for (key, x) in logits.iter().enumerate() {
                    let weight = (x - largest).exp() / sum;
                    weights.push(weight);
                    for i in 0..d {
                        context[row * width + head * d + i] +=
                            weight * at(all.v, sequence.keys.start + key, i);
                    }
                }
            }
        }
    }
    (context, weights)
}

fn check(all: &Attention<'_>) {
    let (context, weights) = plain(all);
    for instructions in Instructions::ALL {
        for (precision, tolerance) in [(Precision::F32, 2e-6), (Precision::Bf16, 3e-2)] {
            let mut made = vec![7f32; context.len()];
            let mut made_weights = vec![7f32; weights.len()];
            // Without weights the keys are cut into blocks.
            let mut alone = made.clone();
            all.run_with(instructions, precision, &mut made, Some(&mut made_weights));
            all.run_with(instructions, precision, &mut alone, None);
            for (made, exact) in [
                (&made, &context),
                (&alone, &context),
                (&made_weights, &weights),
            ] {
                for (made, exact) in made.iter().zip(exact) {
                    let error = (f64::from(*made) - exact).abs();
                    assert!(
                        error <= tolerance,
                        "{instructions:?} {precision:?}: {made}, not {exact}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_shape(
        lengths in prop::collection::vec(1usize..80, 1..4),
        heads in 1usize..4,
        d in 1usize..70,
        causal in any::<bool>(),
        shared in prop::array::uniform4(any::<bool>()),
        seed in 0usize..1_000,
    ) {
        let rows: usize = lengths.iter().sum();
        let width = heads * d;
        let qkv = noise(rows * 3 * width, seed);
        let part = |i: usize| Heads { values: &qkv[i * width..], stride: 3 * width };
        let ends = lengths.iter().scan(0, |sum, n| { *sum += n; Some((*sum - n)..*sum) });
        let sequences: Vec<Sequence> = ends.map(|r| Sequence { queries: r.clone(), keys: r }).collect();
        let longest = *lengths.iter().max().unwrap();
        let full = [lengths.len(), heads, longest, longest];
        let shape: Vec<usize> = full.iter().zip(shared).map(|(n, one)| if one { 1 } else { *n }).collect();
        let bias = noise(shape.iter().product(), seed + 1);
        let mut strides = [0; 4];
        let mut step = 1;
        for i in (0..4).rev() {
            strides[i] = if shape[i] == 1 { 0 } else { step };
            step *= shape[i];
        }
        let all = Attention {
            q: part(0), k: part(1), v: part(2), heads, head_width: d, sequences: &sequences,
            bias: Some(LogitBias { values: &bias, strides }), causal,
        };
        check(&all);
        check(&Attention { bias: None, ..all });
    }
}

#[test]
fn several_blocks_of_keys_and_groups_of_queries() {
    several_blocks(501);
}

/// So many that one query is left over whatever the width of a panel.
#[test]
fn several_blocks_of_keys_and_a_single_query() {
    several_blocks(513);
}

fn several_blocks(tokens: usize) {
    let (heads, d) = (2, 41);
    let width = heads * d;
    let qkv = noise(tokens * 3 * width, 3);
    let part = |i: usize| Heads {
        values: &qkv[i * width..],
        stride: 3 * width,
    };
    // One query sees nothing of the first block of keys, another one key of the last.
    let mut bias = noise(tokens * tokens, 4);
    bias[7 * tokens..][..300].fill(f32::NEG_INFINITY);
    bias[140 * tokens..][..tokens - 1].fill(f32::NEG_INFINITY);
    bias[(tokens - 1) * tokens..][..300].fill(f32::NEG_INFINITY);
    let sequences = [Sequence {
        queries: 0..tokens,
        keys: 0..tokens,
    }];
    let all = Attention {
        q: part(0),
        k: part(1),
        v: part(2),
        heads,
        head_width: d,
        sequences: &sequences,
        bias: Some(LogitBias {
            values: &bias,
            strides: [0, 0, tokens, 1],
        }),
        causal: false,
    };
    check(&all);
    let plain = Attention { bias: None, ..all };
    check(&plain);
    check(&Attention {
        causal: true,
        ..plain
    });
}

#[test]
fn one_query_of_each_item() {
    let (heads, d, keys) = (2, 64, 50);
    let (q, kv) = (noise(3 * 128, 1), noise(3 * keys * 256, 2));
    let sequences: Vec<Sequence> = (0..3)
        .map(|i| Sequence {
            queries: i..i + 1,
            keys: i * keys..(i + 1) * keys,
        })
        .collect();
    check(&Attention {
        q: Heads {
            values: &q,
            stride: 128,
        },
        k: Heads {
            values: &kv,
            stride: 256,
        },
        v: Heads {
            values: &kv[128..],
            stride: 256,
        },
        heads,
        head_width: d,
        sequences: &sequences,
        bias: None,
        causal: false,
    });
}

#[test]
fn minus_infinity_hides_a_key_and_nan_is_not_hidden() {
    // Two queries that are taken singly, and a panel of them and more.
    for queries in [2, 30] {
        let run = |bias: [f32; 4]| {
            let mut context = vec![0f32; queries];
            let mut all_biases = vec![0f32; 2 * queries];
            all_biases[..4].copy_from_slice(&bias);
            let heads = |values| Heads { values, stride: 1 };
            let q = noise(queries, 5);
            let all = Attention {
                q: heads(&q),
                k: heads(&[0., 1.]),
                v: heads(&[1., 3.]),
                heads: 1,
                head_width: 1,
                sequences: &[Sequence {
                    queries: 0..queries,
                    keys: 0..2,
                }],
                bias: Some(LogitBias {
                    values: &all_biases,
                    strides: [0, 0, 2, 1],
                }),
                causal: false,
            };
            all.run(Precision::F32, &mut context, None);
            context
        };
        let hidden = run([0., f32::NEG_INFINITY, f32::NEG_INFINITY, 0.]);
        assert_eq!(hidden[..2], [1., 3.]);
        let hit = run([0., f32::NAN, 0., 0.]);
        assert!(hit[0].is_nan() && hit[1..].iter().all(|x| !x.is_nan()));
    }
}
