//! CLIP's modified ResNet on a CPU: maps with the channels innermost, every convolution a product.

use candle_core::{DType, Device, Tensor};
use kernels::attention::{Attention, Heads, Sequence};
use kernels::gemm::{Epilogue, Matrix, PackedMatrix, Rows, multiply};
use kernels::{Activation, Precision, rows};

use super::linear::{Linear, pack};
use super::values;
use crate::config::VisionConfig;
use crate::error::Result;
use crate::positions;
use crate::resnet::{EXPANSION, Folded, no_bias};
use crate::source::Weights;
use crate::vision::{AttentionTap, VisionOptions, VisionOutput};

/// A batch of square maps [B, S, S, C].
struct Map {
    values: Vec<f32>,
    items: usize,
    side: usize,
    channels: usize,
}

impl Map {
    fn zeros(items: usize, side: usize, channels: usize) -> Self {
        Self {
            values: vec![0.; items * side * side * channels],
            items,
            side,
            channels,
        }
    }

    /// From pictures [B, 3, S, S] and, if there are, alpha planes [B, 1, S, S].
    fn of_pictures(pixels: &Tensor, alpha: Option<&Tensor>) -> Result<Self> {
        let (items, colours, side, _) = pixels.dims4()?;
        let channels = colours + usize::from(alpha.is_some());
        let mut map = Self::zeros(items, side, channels);
        let plane = side * side;
        let (pixels, alpha) = (values(pixels)?, alpha.map(values).transpose()?);
        for (item, to) in map.values.chunks_exact_mut(plane * channels).enumerate() {
            let colours = pixels[item * colours * plane..]
                .chunks_exact(plane)
                .take(colours);
            let alpha = alpha.iter().map(|alpha| &alpha[item * plane..][..plane]);
            for (channel, from) in colours.chain(alpha).enumerate() {
                for (to, x) in to[channel..].iter_mut().step_by(channels).zip(from) {
                    *to = *x;
                }
            }
        }
        Ok(map)
    }

    /// Planes [B, C, S, S].
    fn planes(&self, dtype: DType) -> Result<Tensor> {
        let shape = (self.items, self.side, self.side, self.channels);
        let map = Tensor::from_slice(&self.values, shape, &Device::Cpu)?;
        Ok(map.permute((0, 3, 1, 2))?.contiguous()?.to_dtype(dtype)?)
    }

    /// The means of squares of two by two.
    fn halved(&self) -> Self {
        let (side, channels) = (self.side / 2, self.channels);
        let mut to = Self::zeros(self.items, side, channels);
        let below = self.side * channels;
        rows::for_each(&mut to.values, channels, |cell, to| {
            let (row, x) = (cell / side.max(1), cell % side.max(1));
            let (item, y) = (row / side.max(1), row % side.max(1));
            let start = ((item * self.side + 2 * y) * self.side + 2 * x) * channels;
            let [a, b] = [start, start + channels].map(|i| &self.values[i..][..channels]);
            let [c, d] =
                [start + below, start + below + channels].map(|i| &self.values[i..][..channels]);
            for ((((to, a), b), c), d) in to.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *to = (a + b + c + d) * 0.25;
            }
        });
        to
    }
}

/// The squares of three by three around the cells of a map, zeros beyond its edges, as rows
/// [B·S'·S', 9·C]: made as they are packed.
struct Squares<'a> {
    map: &'a Map,
    stride: usize,
    /// S'.
    side: usize,
}

impl Rows for Squares<'_> {
    fn count(&self) -> usize {
        self.map.items * self.side * self.side
    }

    fn width(&self) -> usize {
        9 * self.map.channels
    }

    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        let (channels, side) = (self.map.channels, self.map.side);
        let (cell, item) = (row % (self.side * self.side), row / (self.side * self.side));
        let corner = [cell / self.side, cell % self.side].map(|i| i * self.stride);
        let (mut at, mut to) = (start, to);
        while !to.is_empty() {
            let (tap, channel) = (at / channels, at % channels);
            // One more than the cell, so that the row and column above the map are 0.
            let (y, x) = (corner[0] + tap / 3, corner[1] + tap % 3);
            let inside = (1..=side).contains(&y) && (1..=side).contains(&x);
            // What follows in the square's row follows in the map too.
            let taps = if inside {
                (3 - tap % 3).min(side + 1 - x)
            } else {
                1
            };
            let count = to.len().min(taps * channels - channel);
            let (now, later) = to.split_at_mut(count);
            if inside {
                let from = ((item * side + y - 1) * side + x - 1) * channels + channel;
                now.copy_from_slice(&self.map.values[from..][..count]);
            } else {
                now.fill(0.);
            }
            (at, to) = (at + count, later);
        }
    }
}

/// A convolution of one by one or three by three and the BatchNorm after it.
struct Convolution {
    weight: PackedMatrix,
    bias: Vec<f32>,
    three: bool,
    stride: usize,
}

impl Convolution {
    /// `names` of the convolution and of its BatchNorm, `shape` [O, I, k, k].
    fn load(
        weights: &Weights<'_>,
        [conv, norm]: [&str; 2],
        shape: [usize; 4],
        stride: usize,
    ) -> Result<Self> {
        let kernel = weights.get_f32(&format!("{conv}.weight"), &shape)?;
        Self::fold(weights, &kernel, norm, shape, stride)
    }

    fn fold(
        weights: &Weights<'_>,
        kernel: &Tensor,
        norm: &str,
        [outputs, inputs, side, _]: [usize; 4],
        stride: usize,
    ) -> Result<Self> {
        let folded = Folded::new(weights, kernel, norm, outputs)?;
        let area = side * side;
        Ok(Self {
            // From [O, I, k, k] to [O, k, k, I].
            weight: pack(weights, &folded.weight, [outputs, inputs * area], |n, k| {
                (n * inputs + k % inputs) * area + k / inputs
            })?,
            bias: values(&folded.bias)?,
            three: side == 3,
            stride,
        })
    }

    /// The convolution of a map.
    fn of(&self, x: &Map, activation: Activation) -> Map {
        let side = x.side.div_ceil(self.stride);
        let mut y = Map::zeros(x.items, side, self.weight.outputs());
        self.run(x, false, activation, &mut y);
        y
    }

    fn run(&self, x: &Map, add: bool, activation: Activation, y: &mut Map) {
        let epilogue = Epilogue {
            bias: Some(&self.bias),
            add,
            activation,
        };
        if self.three {
            let squares = Squares {
                map: x,
                stride: self.stride,
                side: y.side,
            };
            multiply(&squares, &self.weight, epilogue, &mut y.values);
        } else {
            let cells = Matrix::new(&x.values, x.channels);
            multiply(&cells, &self.weight, epilogue, &mut y.values);
        }
    }
}

/// Three convolutions and an average pool.
struct Stem([Convolution; 3]);

impl Stem {
    fn load(weights: &Weights<'_>, width: usize, alpha: bool) -> Result<Self> {
        let half = width / 2;
        let rgb = weights.get_f32("conv1.weight", &[half, 3, 3, 3])?;
        let first = if alpha {
            let alpha = weights.get_f32("conv1_alpha.weight", &[half, 1, 3, 3])?;
            weights.derive(|| Ok(Tensor::cat(&[&rgb, &alpha], 1)?))?
        } else {
            rgb
        };
        let channels = if alpha { 4 } else { 3 };
        Ok(Self([
            Convolution::fold(weights, &first, "bn1", [half, channels, 3, 3], 2)?,
            Convolution::load(weights, ["conv2", "bn2"], [half, half, 3, 3], 1)?,
            Convolution::load(weights, ["conv3", "bn3"], [width, half, 3, 3], 1)?,
        ]))
    }

    fn forward(&self, x: &Map) -> Map {
        let [first, second, third] = &self.0;
        let x = second.of(&first.of(x, Activation::Relu), Activation::Relu);
        third.of(&x, Activation::Relu).halved()
    }
}

struct Bottleneck {
    narrow: Convolution,
    middle: Convolution,
    widen: Convolution,
    /// The path of the identity where the width or the size changes.
    shortcut: Option<Convolution>,
    halve: bool,
}

impl Bottleneck {
    fn load(weights: &Weights<'_>, inputs: usize, planes: usize, stride: usize) -> Result<Self> {
        let outputs = planes * EXPANSION;
        let shortcut = match stride > 1 || inputs != outputs {
            true => {
                let names = ["downsample.0", "downsample.1"];
                let shape = [outputs, inputs, 1, 1];
                Some(Convolution::load(weights, names, shape, 1)?)
            }
            false => None,
        };
        Ok(Self {
            narrow: Convolution::load(weights, ["conv1", "bn1"], [planes, inputs, 1, 1], 1)?,
            middle: Convolution::load(weights, ["conv2", "bn2"], [planes, planes, 3, 3], 1)?,
            widen: Convolution::load(weights, ["conv3", "bn3"], [outputs, planes, 1, 1], 1)?,
            shortcut,
            halve: stride > 1,
        })
    }

    fn forward(&self, x: Map) -> Map {
        let mut y = self
            .middle
            .of(&self.narrow.of(&x, Activation::Relu), Activation::Relu);
        if self.halve {
            y = y.halved();
        }
        let mut sum = match &self.shortcut {
            Some(shortcut) if self.halve => shortcut.of(&x.halved(), Activation::Identity),
            Some(shortcut) => shortcut.of(&x, Activation::Identity),
            None => x,
        };
        self.widen.run(&y, true, Activation::Relu, &mut sum);
        sum
    }
}

/// Attention with the mean of the map as the query.
struct AttentionPool {
    /// [1 + S·S, C].
    positions: Vec<f32>,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    heads: usize,
    precision: Precision,
}

impl AttentionPool {
    fn load(
        weights: &Weights<'_>,
        [stored_grid, grid]: [usize; 2],
        channels: usize,
        embed_dim: usize,
        heads: usize,
        precision: Precision,
    ) -> Result<Self> {
        let rows = stored_grid * stored_grid + 1;
        let table = weights.get_f32("positional_embedding", &[rows, channels])?;
        let square = |name| Linear::load(&weights.at(name), channels, channels);
        Ok(Self {
            positions: values(&weights.derive(|| positions::resized(&table, grid))?)?,
            q: square("q_proj")?,
            k: square("k_proj")?,
            v: square("v_proj")?,
            out: Linear::load(&weights.at("c_proj"), channels, embed_dim)?,
            heads,
            precision,
        })
    }

    /// A map to (projected tokens [B, Q, E], attention [B, H, Q, N]), where Q is N for `all` tokens
    /// and else 1, the mean's.
    fn forward(&self, map: &Map, all: bool) -> Result<(Tensor, Tensor)> {
        let (items, width) = (map.items, map.channels);
        let cells = map.side * map.side;
        let tokens = cells + 1;
        let queries = if all { tokens } else { 1 };
        let mut x = self.positions.repeat(items);
        let mut first = Vec::with_capacity(items * queries * width);
        let maps = map.values.chunks_exact(cells * width);
        for (x, map) in x.chunks_exact_mut(tokens * width).zip(maps) {
            let (mean, rest) = x.split_at_mut(width);
            for cell in map.chunks_exact(width) {
                for (mean, value) in mean.iter_mut().zip(cell) {
                    *mean += value / cells as f32;
                }
            }
            for (x, value) in rest.iter_mut().zip(map) {
                *x += value;
            }
            first.extend_from_slice(&x[..queries * width]);
        }
        let product = |linear: &Linear, x: &[f32]| {
            let mut y = vec![0f32; x.len() / width * linear.outputs()];
            linear.write(&Matrix::new(x, width), Activation::Identity, &mut y);
            y
        };
        let [q, k, v] =
            [(&self.q, &first), (&self.k, &x), (&self.v, &x)].map(|(linear, x)| product(linear, x));
        let sequences: Vec<Sequence> = (0..items)
            .map(|i| Sequence {
                queries: i * queries..(i + 1) * queries,
                keys: i * tokens..(i + 1) * tokens,
            })
            .collect();
        let heads = |values| Heads {
            values,
            stride: width,
        };
        let mut context = vec![0f32; q.len()];
        let mut attention = vec![0f32; items * self.heads * queries * tokens];
        Attention {
            q: heads(&q),
            k: heads(&k),
            v: heads(&v),
            heads: self.heads,
            head_width: width / self.heads,
            sequences: &sequences,
            bias: None,
            causal: false,
        }
        .run(self.precision, &mut context, Some(&mut attention));
        let projected = product(&self.out, &context);
        let shape = (items, queries, self.out.outputs());
        let attention_shape = (items, self.heads, queries, tokens);
        Ok((
            Tensor::from_vec(projected, shape, &Device::Cpu)?,
            Tensor::from_vec(attention, attention_shape, &Device::Cpu)?,
        ))
    }
}

pub(crate) struct ModifiedResNet {
    stem: Stem,
    stages: Vec<Vec<Bottleneck>>,
    pool: AttentionPool,
    /// The type of what it hands out.
    dtype: DType,
}

impl ModifiedResNet {
    /// `stored_grid` is the side of the grid that the file's position table is for.
    pub(crate) fn load(
        weights: &Weights<'_>,
        stored_grid: usize,
        config: &VisionConfig,
        (width, layers, heads): (usize, [usize; 4], usize),
        precision: Precision,
    ) -> Result<Self> {
        let stem = Stem::load(weights, width, config.alpha)?;
        let mut inputs = width;
        let mut stages = Vec::with_capacity(layers.len());
        for (stage, blocks) in layers.into_iter().enumerate() {
            let planes = width << stage;
            let mut bottlenecks = Vec::new();
            for block in 0..blocks {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let weights = weights.at(format_args!("layer{}.{block}", stage + 1));
                bottlenecks.push(Bottleneck::load(&weights, inputs, planes, stride)?);
                inputs = planes * EXPANSION;
            }
            stages.push(bottlenecks);
        }
        let (pool, grids) = (weights.at("attnpool"), [stored_grid, config.grid()]);
        Ok(Self {
            stem,
            stages,
            pool: AttentionPool::load(&pool, grids, inputs, config.embed_dim, heads, precision)?,
            dtype: weights.dtype(),
        })
    }

    /// Pixels [B, 3, R, R] and, for a tower with an alpha convolution, alpha [B, 1, R, R].
    pub(crate) fn forward(
        &self,
        pixels: &Tensor,
        alpha: Option<&Tensor>,
        options: &VisionOptions,
    ) -> Result<VisionOutput> {
        no_bias(options)?;
        let taps = options.taps;
        let mut x = self.stem.forward(&Map::of_pictures(pixels, alpha)?);
        let mut hidden = Vec::new();
        if taps.hidden {
            hidden.push(x.planes(self.dtype)?);
        }
        for stage in &self.stages {
            for bottleneck in stage {
                x = bottleneck.forward(x);
            }
            if taps.hidden {
                hidden.push(x.planes(self.dtype)?);
            }
        }
        let (tokens, attention) = self.pool.forward(&x, taps.tokens)?;
        let tokens = tokens.to_dtype(self.dtype)?;
        let attention = match taps.attention {
            AttentionTap::None => Vec::new(),
            AttentionTap::Last | AttentionTap::All => {
                vec![attention.narrow(2, 0, 1)?.to_dtype(self.dtype)?]
            }
        };
        Ok(VisionOutput {
            features: tokens.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            attention,
            hidden,
            tokens: taps.tokens.then_some(tokens),
        })
    }
}
