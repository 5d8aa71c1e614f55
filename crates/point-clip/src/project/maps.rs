//! Maps: one channel a view.

use super::resize::Resize;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

/// Square one-channel maps of one object, `[views, size, size]` row by row, +y of the object up.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    views: usize,
    size: usize,
    background: f32,
    values: Vec<f32>,
}

impl Maps {
    /// Maps that show nothing but background.
    pub(super) fn filled(views: usize, size: usize, background: f32) -> Self {
        Maps {
            views,
            size,
            background,
            values: vec![background; views * size * size],
        }
    }

    /// The number of views.
    pub fn views(&self) -> usize {
        self.views
    }

    /// Rows and columns of each map.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The value of a pixel that no point reaches.
    pub fn background(&self) -> f32 {
        self.background
    }

    /// All values, `[views, size, size]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One map, `[size, size]`.
    pub fn view(&self, index: usize) -> Option<&[f32]> {
        self.values.chunks_exact(self.pixels().max(1)).nth(index)
    }

    /// 1 where a point reaches the pixel, 0 on the background.
    pub fn foreground(&self) -> Maps {
        let inside = |&v: &f32| f32::from(v != self.background);
        let values = self.values.iter().map(inside).collect();
        Maps {
            background: 0.0,
            values,
            ..*self
        }
    }

    /// The maps at `size` × `size`, bilinear with corners aligned.
    pub fn resized(&self, size: usize) -> Maps {
        if size == self.size {
            return self.clone();
        }
        let mut out = Maps::filled(self.views, size, self.background);
        let (from, to) = (self.pixels().max(1), out.pixels().max(1));
        let resize = Resize::new(self.size, size);
        out.values
            .par_chunks_exact_mut(to)
            .zip(self.values.par_chunks_exact(from))
            .for_each_init(Vec::new, |room, (out, map)| resize.apply(map, room, out));
        out
    }

    /// The maps less `margin` rows and columns on each side.
    pub(super) fn cropped(&self, margin: usize) -> Maps {
        let size = self.size.saturating_sub(2 * margin);
        let inner = |map| {
            let rows = <[f32]>::chunks_exact(map, self.size)
                .skip(margin)
                .take(size);
            rows.flat_map(move |row| &row[margin..margin + size])
                .copied()
        };
        let values = self
            .values
            .chunks_exact(self.pixels().max(1))
            .flat_map(inner)
            .collect();
        Maps {
            size,
            values,
            ..*self
        }
    }

    /// A tensor `[views, size, size]`.
    ///
    /// # Errors
    /// Where the device cannot hold it.
    pub fn to_tensor(&self, device: &Device) -> candle_core::Result<Tensor> {
        Tensor::from_slice(&self.values, (self.views, self.size, self.size), device)
    }

    /// The map as the vision tower of the paper gets it, `[views, 3, size, size]`: three equal
    /// channels of raw values, without CLIP's mean and deviation.
    ///
    /// # Errors
    /// Where the device cannot hold it.
    pub fn to_pixels(&self, device: &Device) -> candle_core::Result<Tensor> {
        self.channels(|v| v, device)
    }

    /// [`to_pixels`](Self::to_pixels) of `value` of each number.
    pub(crate) fn channels(
        &self,
        value: impl Fn(f32) -> f32,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        const CHANNELS: usize = 3;
        let mut pixels = Vec::with_capacity(CHANNELS * self.values.len());
        for map in self.values.chunks_exact(self.pixels().max(1)) {
            for _ in 0..CHANNELS {
                pixels.extend(map.iter().map(|&v| value(v)));
            }
        }
        let shape = (self.views, CHANNELS, self.size, self.size);
        Tensor::from_vec(pixels, shape, device)
    }

    /// Where the vision tower may look, `[views, 1, size, size]`: [`foreground`](Self::foreground)
    /// for the alpha channel of a view.
    ///
    /// # Errors
    /// Where the device cannot hold it.
    pub fn to_alpha(&self, device: &Device) -> candle_core::Result<Tensor> {
        let shape = (self.views, 1, self.size, self.size);
        Tensor::from_vec(self.foreground().values, shape, device)
    }

    /// One map as a grey picture for people, `[size, size]`. 1 is white, or the largest value of
    /// all maps where that is more (V1's depths).
    pub fn to_grey(&self, view: usize) -> Option<Vec<u8>> {
        let white = self.values.iter().copied().fold(1.0, f32::max);
        let grey = |v: &f32| (v / white * 255.0).round() as u8;
        Some(self.view(view)?.iter().map(grey).collect())
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Pixels of one map.
    pub(super) fn pixels(&self) -> usize {
        self.size * self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreground_is_what_differs_from_the_background() {
        let mut maps = Maps::filled(2, 2, 1.0);
        maps.values_mut()[5] = 0.25;
        let foreground = maps.foreground();
        assert_eq!(foreground.view(0), Some(&[0.0; 4][..]));
        assert_eq!(foreground.view(1), Some(&[0.0, 1.0, 0.0, 0.0][..]));
        assert_eq!(foreground.view(2), None);
        assert_eq!(foreground.background(), 0.0);
    }

    #[test]
    fn grey_spans_what_all_views_hold() {
        let mut maps = Maps::filled(2, 1, 0.0);
        assert_eq!(maps.to_grey(0), Some(vec![0]));
        maps.values_mut().copy_from_slice(&[0.5, 0.0]);
        assert_eq!(maps.to_grey(0), Some(vec![128]));
        maps.values_mut().copy_from_slice(&[0.5, 2.5]);
        assert_eq!(
            (maps.to_grey(0), maps.to_grey(1)),
            (Some(vec![51]), Some(vec![255]))
        );
        assert_eq!(maps.to_grey(2), None);
    }

    #[test]
    fn pixels_repeat_the_raw_map() {
        let mut maps = Maps::filled(1, 2, 0.0);
        maps.values_mut().copy_from_slice(&[0.0, 2.5, 1.0, 0.0]);
        let pixels = maps.to_pixels(&Device::Cpu).unwrap();
        assert_eq!(pixels.dims(), [1, 3, 2, 2]);
        let flat = pixels.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat, [maps.values(), maps.values(), maps.values()].concat());
        let alpha = maps.to_alpha(&Device::Cpu).unwrap();
        assert_eq!(alpha.dims(), [1, 1, 2, 2]);
        assert_eq!(
            alpha.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            [0.0, 1.0, 1.0, 0.0]
        );
    }
}
