//! Masks of what is repainted, for pixels and for latents.

use candle_core::{DType, Device, Tensor};

use super::request::Keep;
use crate::error::{Error, Result};

/// What is repainted: 1, and what is kept: 0.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    /// [1, 1, H, W], rising from the edge inwards; 0 outside.
    pub(super) pixels: Tensor,
    /// [1, 1, h, w], 0 or 1.
    pub(super) latents: Tensor,
}

impl Masks {
    /// `factor` pixels on a side are one position of the latents, and divide both sides.
    pub(super) fn new(keep: &Keep, factor: usize, device: &Device) -> Result<Self> {
        let (_, _, height, width) = keep.mask.dims4()?;
        let mask = keep.mask.to_dtype(DType::F32)?.flatten_all()?;
        let inside: Vec<bool> = mask
            .to_device(&Device::Cpu)?
            .to_vec1::<f32>()?
            .iter()
            .map(|&value| value >= 0.5)
            .collect();
        if !inside.contains(&true) {
            return Err(Error::input(
                "the mask of what to repaint is empty",
                "mark what is to be changed",
            ));
        }
        let (rows, columns) = (height / factor, width / factor);
        let at = |y: usize, x: usize| inside.get(y * width + x).copied().unwrap_or(false);
        let latent = |cell: usize| {
            let (y, x) = (cell / columns * factor, cell % columns * factor);
            if keep.feather == 0. {
                return at(y, x);
            }
            (y..y + factor).any(|y| (x..x + factor).any(|x| at(y, x)))
        };
        let latents = (0..rows * columns).map(|cell| f32::from(u8::from(latent(cell))));
        let pixels = faded(&inside, width, keep.feather as f32);
        let plane = |values: Vec<f32>, height, width| {
            Tensor::from_vec(values, (1, 1, height, width), &Device::Cpu)?.to_device(device)
        };
        Ok(Self {
            pixels: plane(pixels, height, width)?,
            latents: plane(latents.collect(), rows, columns)?,
        })
    }

    /// `new` where the mask is 1, `old` where it is 0.
    pub(super) fn blend(mask: &Tensor, old: &Tensor, new: &Tensor) -> Result<Tensor> {
        let kept = old.broadcast_mul(&(1. - mask)?)?;
        Ok(kept.broadcast_add(&new.broadcast_mul(mask)?)?)
    }
}

/// 1 at a distance of more than `feather` pixels inside the edge, 0 outside, linear between; where
/// nothing lies that deep, the deepest point is 1.
fn faded(inside: &[bool], width: usize, feather: f32) -> Vec<f32> {
    let depths = depths(inside, width);
    let deepest = depths
        .iter()
        .copied()
        .filter(|d| d.is_finite())
        .fold(1., f32::max);
    let full = (feather + 1.).min(deepest);
    depths.iter().map(|depth| (depth / full).min(1.)).collect()
}

/// Distance of each pixel to the next one outside, by steps of 1 and √2 in two passes (Borgefors
/// 1986). The border of the picture is no edge.
fn depths(inside: &[bool], width: usize) -> Vec<f32> {
    const DIAGONAL: f32 = std::f32::consts::SQRT_2;
    let height = inside.len() / width.max(1);
    let mut depth: Vec<f32> = inside
        .iter()
        .map(|&inside| if inside { f32::INFINITY } else { 0. })
        .collect();
    let mut pass = |cells: &mut dyn Iterator<Item = usize>, towards: isize| {
        for cell in cells {
            let (y, x) = ((cell / width) as isize, (cell % width) as isize);
            for (dy, dx, step) in [(0, 1, 1.), (1, -1, DIAGONAL), (1, 0, 1.), (1, 1, DIAGONAL)] {
                let (y, x) = (y - towards * dy, x - towards * dx);
                let exists = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                if exists {
                    let other = depth[y as usize * width + x as usize] + step;
                    depth[cell] = depth[cell].min(other);
                }
            }
        }
    };
    pass(&mut (0..inside.len()), 1);
    pass(&mut (0..inside.len()).rev(), -1);
    depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden::{flat, tensor, values};

    fn keep(mask: Tensor, feather: f64) -> Keep {
        Keep { mask, feather }
    }

    /// 32×32 with ones in the given rows and columns.
    fn square(from: usize, to: usize) -> Tensor {
        let inside = |i: usize| (from..to).contains(&(i / 32)) && (from..to).contains(&(i % 32));
        let values: Vec<f32> = (0..32 * 32)
            .map(|i| f32::from(u8::from(inside(i))))
            .collect();
        Tensor::from_vec(values, (1, 1, 32, 32), &Device::Cpu).unwrap()
    }

    #[test]
    fn without_feather_it_is_that_of_the_reference() {
        let mask = tensor("blend/mask64");
        let masks = Masks::new(&keep(mask.clone(), 0.), 8, &Device::Cpu).unwrap();
        assert_eq!(flat(&masks.latents), values("blend/mask_latent"));
        assert_eq!(flat(&masks.pixels), flat(&mask));
    }

    #[test]
    fn the_edge_fades_inwards() {
        let masks = Masks::new(&keep(square(9, 31), 3.), 8, &Device::Cpu).unwrap();
        let pixels = flat(&masks.pixels);
        let row = &pixels[20 * 32..21 * 32];
        assert_eq!(row[7..14], [0., 0., 0.25, 0.5, 0.75, 1., 1.]);
        assert_eq!(row[28..], [0.75, 0.5, 0.25, 0.]);
        // Every position that the mask touches is repainted.
        assert_eq!(flat(&masks.latents)[4..8], [0., 1., 1., 1.]);
    }

    #[test]
    fn a_thin_region_is_not_lost() {
        let masks = Masks::new(&keep(square(10, 13), 50.), 8, &Device::Cpu).unwrap();
        let pixels = flat(&masks.pixels);
        assert_eq!(pixels[11 * 32 + 11], 1.);
        assert_eq!(pixels[10 * 32 + 11], 0.5);
        assert_eq!(flat(&masks.latents).iter().sum::<f32>(), 1.);
    }

    #[test]
    fn the_border_of_the_picture_is_no_edge() {
        let all = Masks::new(&keep(square(0, 32), 4.), 8, &Device::Cpu).unwrap();
        assert!(flat(&all.pixels).iter().all(|&p| p == 1.));
        let none = keep(square(0, 0), 4.);
        let said = Masks::new(&none, 8, &Device::Cpu).unwrap_err().to_string();
        assert!(said.contains("empty"), "{said}");
    }
}
