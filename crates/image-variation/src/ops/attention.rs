//! Attention over queries in tiles: the scores of all queries are never in memory at once.

use candle_core::Tensor;

use super::elementwise::Softmax;
use crate::error::Result;

/// Most scores in memory at once on a CPU (8 MiB, so that they stay in its cache) and elsewhere.
const CPU_SCORES: usize = 2 << 20;
const DEVICE_SCORES: usize = 64 << 20;

/// softmax(q·kᵀ / √d)·v in `heads` heads of width d: queries `q` [B, N, C] over keys and values
/// `k`, `v` [B, M, C], to [B, N, C]. All three may be slices of wider rows.
pub(crate) fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize) -> Result<Tensor> {
    let head_width = q.dim(2)? / heads.max(1);
    let scale = 1. / (head_width as f64).sqrt();
    if q.device().is_cpu() {
        on_cpu([q, k, v], heads, head_width, scale)
    } else {
        on_device([q, k, v], heads, head_width, scale)
    }
}

fn on_cpu([q, k, v]: [&Tensor; 3], heads: usize, width: usize, scale: f64) -> Result<Tensor> {
    let (items, queries, _) = q.dims3()?;
    let keys = k.dim(1)?;
    let tile = (CPU_SCORES / (items * keys).max(1)).max(16);
    let softmax = Softmax {
        scale: scale as f32,
    };
    let mut by_head = Vec::with_capacity(heads);
    for head in 0..heads {
        let of_head = |x: &Tensor| x.narrow(2, head * width, width);
        let (q, k, v) = (of_head(q)?, of_head(k)?.transpose(1, 2)?, of_head(v)?);
        let mut tiles = Vec::new();
        let mut start = 0;
        while start < queries {
            let count = tile.min(queries - start);
            let scores = q.narrow(1, start, count)?.matmul(&k)?;
            scores.inplace_op1(&softmax)?;
            tiles.push(scores.matmul(&v)?);
            start += count;
        }
        by_head.push(joined(tiles, 1)?);
    }
    joined(by_head, 2)
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
        // The path of other devices is plain candle.
        let wanted = on_device([&q, &k, &v], 3, 4, 0.5).unwrap();
        close(&attention(&q, &k, &v, 3).unwrap(), &wanted, 1e-5);
        let (k, v) = (random(&[2, 300_000, 4], 2), random(&[2, 300_000, 4], 3));
        let q = q.narrow(2, 0, 4).unwrap();
        let wanted = on_device([&q, &k, &v], 1, 4, 0.5).unwrap();
        close(&attention(&q, &k, &v, 1).unwrap(), &wanted, 1e-5);
    }
}
