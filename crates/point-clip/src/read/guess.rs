//! What the columns of a table without names are, from their numbers.

use super::fields::{ColorLayout, Layout};

/// The layout of rows of `width` numbers, of which `sample` are some; NaN stands for what is no
/// number. `None` below three columns.
///
/// The first three columns are x, y, z. Three neighbours that are of unit length in every row are
/// a normal. Three neighbours that are whole numbers in 0..=255, or all in 0..=1, are a colour; in
/// seven columns the last three are tried first, since the PTS format has an intensity before
/// them.
pub(super) fn layout(sample: &[Vec<f64>], width: usize) -> Option<Layout> {
    if width < 3 {
        return None;
    }
    let mut starts: Vec<usize> = (3..=width - 3.min(width)).collect();
    let triple = |row: &[f64], start: usize| -> Option<[f64; 3]> {
        row.get(start..)?.first_chunk().copied()
    };
    let every = |start: usize, holds: fn([f64; 3]) -> bool| {
        !sample.is_empty()
            && sample
                .iter()
                .all(|row| triple(row, start).is_some_and(holds))
    };
    let some = |start: usize, holds: fn([f64; 3]) -> bool| {
        sample
            .iter()
            .any(|row| triple(row, start).is_some_and(holds))
    };
    let normal = starts.iter().copied().find(|&start| {
        every(start, |[x, y, z]| {
            ((x * x + y * y + z * z).sqrt() - 1.0).abs() < 0.02
        })
    });
    if let Some(normal) = normal {
        starts.retain(|start| start.abs_diff(normal) >= 3);
    }
    if width == 7 {
        starts.reverse();
    }
    let color = starts.iter().copied().find(|&start| {
        let whole = every(start, |c| {
            c.iter()
                .all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0)
        });
        let fractions = every(start, |c| c.iter().all(|v| (0.0..=1.0).contains(v)));
        (whole && some(start, |c| c.iter().any(|&v| v > 1.0)))
            || (fractions && some(start, |c| c.iter().any(|&v| v > 0.0)))
    });
    let three = |start: usize| [start, start + 1, start + 2];
    Some(Layout {
        position: [0, 1, 2],
        normal: normal.map(three),
        color: color.map(three).map(ColorLayout::Channels),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(rows: &[&[f64]]) -> (Option<usize>, Option<usize>) {
        let rows: Vec<_> = rows.iter().map(|r| r.to_vec()).collect();
        let layout = layout(&rows, rows[0].len()).unwrap();
        let color = layout.color.map(|c| match c {
            ColorLayout::Channels([red, ..]) | ColorLayout::Packed(red) => red,
        });
        (layout.normal.map(|n| n[0]), color)
    }

    #[test]
    fn the_usual_tables() {
        // x y z
        assert_eq!(guess(&[&[0.1, 0.2, 0.3]]), (None, None));
        // x y z intensity
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, 17.0]]), (None, None));
        // ModelNet40's x y z nx ny nz
        assert_eq!(
            guess(&[
                &[0.1, 0.2, 0.3, 0.0, -1.0, 0.0],
                &[0.1, 0.2, 0.3, 0.6, 0.0, 0.8]
            ]),
            (Some(3), None)
        );
        // x y z r g b, whole numbers or fractions
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, 7.0, 8.0, 255.0]]), (None, Some(3)));
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, 0.5, 0.2, 0.1]]), (None, Some(3)));
        // PTS: x y z intensity r g b
        assert_eq!(
            guess(&[&[0.1, 0.2, 0.3, 99.0, 7.0, 8.0, 255.0]]),
            (None, Some(4))
        );
        // x y z r g b label, where the label is no byte
        assert_eq!(
            guess(&[&[0.1, 0.2, 0.3, 7.0, 8.0, 255.0, 1001.0]]),
            (None, Some(3))
        );
        // Both, in either order
        let rgb_first = [0.1, 0.2, 0.3, 7.0, 8.0, 255.0, 1.0, 0.0, 0.0];
        assert_eq!(guess(&[&rgb_first]), (Some(6), Some(3)));
        let normal_first = [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 7.0, 8.0, 255.0];
        assert_eq!(guess(&[&normal_first]), (Some(3), Some(6)));
    }

    #[test]
    fn what_is_neither_is_left_out() {
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, -7.0, 8.5, 300.0]]), (None, None));
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, 0.0, 0.0, 0.0]]), (None, None));
        assert_eq!(guess(&[&[0.1, 0.2, 0.3, f64::NAN, 0.0, 1.0]]), (None, None));
        assert_eq!(layout(&[vec![1.0, 2.0]], 2), None);
    }
}
