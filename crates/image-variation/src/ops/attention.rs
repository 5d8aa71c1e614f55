//! Attention over queries in tiles: the scores of all queries are never in memory at once.

use candle_core::Tensor;
use kernels::Precision;
use kernels::attention::{Attention, Heads, Sequence};

use super::values::{Values, tensor};
use crate::error::Result;

/// Most scores in memory at once on devices other than a CPU.
const DEVICE_SCORES: usize = 64 << 20;

/// softmax(q·kᵀ / √d)·v in `heads` heads of width d: queries `q` [B, N, C] over keys and values
/// `k`, `v` [B, M, C], to [B, N, C]. All three may be slices of wider rows. On a CPU products are
/// in `precision`.
pub(crate) fn attention(
    [q, k, v]: [&Tensor; 3],
    heads: usize,
    precision: Precision,
) -> Result<Tensor> {
    if q.device().is_cpu() {
        return on_cpu([q, k, v], heads, precision);
    }
    let head_width = q.dim(2)? / heads.max(1);
    on_device(
        [q, k, v],
        heads,
        head_width,
        1. / (head_width as f64).sqrt(),
    )
}

fn on_cpu([q, k, v]: [&Tensor; 3], heads: usize, precision: Precision) -> Result<Tensor> {
    let (items, queries, width) = q.dims3()?;
    let (_, keys, _) = k.dims3()?;
    let read = [q, k, v].map(Values::of);
    let [q_rows, k_rows, v_rows] = [read[0].strided()?, read[1].strided()?, read[2].strided()?];
    let fits = k.dims() == [items, keys, width] && v.dims() == k.dims() && k_rows.2 == v_rows.2;
    // The rows of the result are those of the queries.
    if !fits || heads == 0 || !width.is_multiple_of(heads) || (items > 1 && q_rows.2 != queries) {
        let said = format!(
            "{:?} does not attend to {:?}, {:?}",
            q.dims(),
            k.dims(),
            v.dims()
        );
        return Err(candle_core::Error::msg(said).into());
    }
    let sequences: Vec<Sequence> = (0..items)
        .map(|item| Sequence {
            queries: item * queries..(item + 1) * queries,
            keys: item * k_rows.2..item * k_rows.2 + keys,
        })
        .collect();
    let rows = |(values, stride, _)| Heads { values, stride };
    let attention = Attention {
        q: rows(q_rows),
        k: rows(k_rows),
        v: rows(v_rows),
        heads,
        head_width: width / heads,
        sequences: &sequences,
        bias: None,
        causal: false,
    };
    let mut context = vec![0f32; items * queries * width];
    attention.run(precision, &mut context, None);
    tensor(context, (items, queries, width))
}

fn on_device([q, k, v]: [&Tensor; 3], heads: usize, width: usize, scale: f64) -> Result<Tensor> {
    let (items, queries, _) = q.dims3()?;
    let split = |x: &Tensor| -> Result<Tensor> {
        let tokens = x.dim(1)?;
        let x = x
            .contiguous()?
            .reshape((items, tokens, heads, width))?
            .transpose(1, 2)?;
        Ok(x.contiguous()?)
    };
    let (q, k, v) = ((split(q)? * scale)?, split(k)?, split(v)?);
    let k = k.transpose(2, 3)?.contiguous()?;
    let tile = (DEVICE_SCORES / (items * heads * k.dim(3)?).max(1)).max(16);
    let mut tiles = Vec::new();
    let mut start = 0;
    while start < queries {
        let count = tile.min(queries - start);
        let scores = q.narrow(2, start, count)?.contiguous()?.matmul(&k)?;
        tiles.push(candle_nn::ops::softmax_last_dim(&scores)?.matmul(&v)?);
        start += count;
    }
    Ok(joined(tiles, 2)?
        .transpose(1, 2)?
        .reshape((items, queries, heads * width))?)
}

fn joined(parts: Vec<Tensor>, axis: usize) -> Result<Tensor> {
    match parts.as_slice() {
        [one] => Ok(one.clone()),
        _ => Ok(Tensor::cat(&parts, axis)?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    #[test]
    fn tiles_and_heads_equal_the_formula() {
        let qkv = random(&[2, 70, 36], 1);
        let [q, k, v] = [0, 12, 24].map(|start| qkv.narrow(2, start, 12).unwrap());
        let check = |qkv: [&Tensor; 3], heads, scale| {
            let head_width = qkv[0].dim(2).unwrap() / heads;
            let wanted = on_device(qkv, heads, head_width, scale).unwrap();
            let got = attention(qkv, heads, Precision::F32).unwrap();
            close(&got, &wanted, 1e-5);
        };
        // The path of other devices is plain candle.
        check([&q, &k, &v], 3, 0.5);
        // Other keys, and one for each item.
        for keys in [5, 1] {
            let (k, v) = (random(&[2, keys, 12], 2), random(&[2, keys, 12], 3));
            check([&q, &k, &v], 3, 0.5);
        }
        // Many keys; heads wider than any block of them.
        let (k, v) = (random(&[2, 3_000, 4], 2), random(&[2, 3_000, 4], 3));
        check([&q.narrow(2, 0, 4).unwrap(), &k, &v], 1, 0.5);
        let [q, k, v] = [4, 5, 6].map(|seed| random(&[1, 90, 256], seed));
        check([&q, &k, &v], 1, 1. / 16.);
        let odd = random(&[2, 7, 36], 8);
        assert!(attention([&q, &odd, &odd], 3, Precision::F32).is_err());
    }
}
