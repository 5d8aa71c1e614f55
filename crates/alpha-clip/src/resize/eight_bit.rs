//! Pillow's fixed-point resampling of 8-bit pixels.

use rayon::prelude::*;

use super::Taps;

/// Fraction bits of the fixed-point weights.
const BITS: u32 = 22;

/// Resamples `pixels`, rows of `width` x `channels` interleaved bytes: columns first, rounded to
/// 8 bits, then rows. Only what the taps ask for is computed.
pub(crate) fn resize_8bit(
    pixels: &[u8],
    width: usize,
    channels: usize,
    columns: &Taps,
    rows: &Taps,
) -> Vec<u8> {
    let needed = rows.inputs();
    let narrow = columns.len() * channels;
    let fixed = fixed_point(columns);
    let mut middle = vec![0; needed.len() * narrow];
    middle
        .par_chunks_exact_mut(narrow)
        .zip(pixels.par_chunks_exact(width * channels).skip(needed.start))
        .for_each(|(out, line)| match channels {
            1 => horizontal::<1>(line, &fixed, out),
            3 => horizontal::<3>(line, &fixed, out),
            _ => horizontal::<4>(line, &fixed, out),
        });

    let fixed = fixed_point(rows);
    let mut result = vec![0; rows.len() * narrow];
    result
        .par_chunks_exact_mut(narrow)
        .zip(&fixed)
        .for_each(|(out, (first, weights))| {
            let mut sums = vec![1i32 << (BITS - 1); narrow];
            let lines = middle
                .chunks_exact(narrow)
                .skip(first.saturating_sub(needed.start));
            for (line, &weight) in lines.zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(line) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (byte, sum) in out.iter_mut().zip(sums) {
                *byte = to_byte(sum);
            }
        });
    result
}

/// One line of pixels of C channels.
fn horizontal<const C: usize>(line: &[u8], taps: &[(usize, Vec<i32>)], out: &mut [u8]) {
    let (line, _) = line.as_chunks::<C>();
    let (out, _) = out.as_chunks_mut::<C>();
    for (out, (first, weights)) in out.iter_mut().zip(taps) {
        let mut sums = [1i32 << (BITS - 1); C];
        for (pixel, &weight) in line.iter().skip(*first).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(value) * weight;
            }
        }
        *out = sums.map(to_byte);
    }
}

fn to_byte(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// Weights as integers, rounded half away from zero.
fn fixed_point(taps: &Taps) -> Vec<(usize, Vec<i32>)> {
    let scale = f64::from(1 << BITS);
    taps.iter()
        .map(|(first, weights)| {
            (
                first,
                weights.iter().map(|w| (w * scale).round() as i32).collect(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::resize::Filter;

    #[test]
    fn flat_pictures_stay_flat_and_edges_are_clamped() {
        let taps = |from, to| Taps::antialiased(Filter::Bicubic, from, to, 0..to);
        for value in [0, 1, 127, 254, 255] {
            let out = resize_8bit(
                &vec![value; 31 * 17 * 3],
                31,
                3,
                &taps(31, 12),
                &taps(17, 40),
            );
            assert_eq!(out, vec![value; 12 * 40 * 3]);
        }
        // A hard edge overshoots, the byte does not wrap.
        let edge: Vec<u8> = (0..16 * 16)
            .map(|i| if i % 16 < 8 { 0 } else { 255 })
            .collect();
        let out = resize_8bit(&edge, 16, 1, &taps(16, 50), &taps(16, 16));
        assert_eq!(out.iter().copied().min(), Some(0));
        assert!(out[..20].iter().all(|v| *v < 10) && out[30..50].iter().all(|v| *v > 245));
    }

    #[test]
    fn cropping_the_taps_crops_the_picture() {
        let picture: Vec<u8> = (0..60 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let resized = |columns: Range<usize>, rows: Range<usize>| {
            let columns = Taps::antialiased(Filter::Bicubic, 60, 24, columns);
            let rows = Taps::antialiased(Filter::Bicubic, 40, 16, rows);
            resize_8bit(&picture, 60, 3, &columns, &rows)
        };
        let (whole, part) = (resized(0..24, 0..16), resized(4..20, 3..9));
        for y in 0..6 {
            let line = ((y + 3) * 24 + 4) * 3;
            assert_eq!(part[y * 48..][..48], whole[line..][..48]);
        }
    }
}
