//! What the columns of a point table mean, by name.

/// What one column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// x, y or z.
    Position(usize),
    /// The x, y or z of the normal.
    Normal(usize),
    /// Red, green or blue.
    Color(usize),
    /// Red, green and blue as the bytes of one value, 0xRRGGBB.
    PackedColor,
}

impl Field {
    /// The field that programs mean by `name`, whatever its case and punctuation.
    pub(super) fn named(name: &[u8]) -> Option<Field> {
        let plain: Vec<u8> = name
            .iter()
            .filter(|b| b.is_ascii_alphanumeric())
            .map(u8::to_ascii_lowercase)
            .collect();
        Some(match plain.as_slice() {
            b"x" | b"px" | b"posx" | b"positionx" | b"coordx" | b"xcoord" | b"points0" => {
                Field::Position(0)
            }
            b"y" | b"py" | b"posy" | b"positiony" | b"coordy" | b"ycoord" | b"points1" => {
                Field::Position(1)
            }
            b"z" | b"pz" | b"posz" | b"positionz" | b"coordz" | b"zcoord" | b"points2" => {
                Field::Position(2)
            }
            b"nx" | b"normalx" | b"normalsx" | b"xnormal" | b"normals0" => Field::Normal(0),
            b"ny" | b"normaly" | b"normalsy" | b"ynormal" | b"normals1" => Field::Normal(1),
            b"nz" | b"normalz" | b"normalsz" | b"znormal" | b"normals2" => Field::Normal(2),
            b"r" | b"red" | b"diffusered" | b"colorr" | b"colorred" => Field::Color(0),
            b"g" | b"green" | b"diffusegreen" | b"colorg" | b"colorgreen" => Field::Color(1),
            b"b" | b"blue" | b"diffuseblue" | b"colorb" | b"colorblue" => Field::Color(2),
            b"rgb" | b"rgba" => Field::PackedColor,
            _ => return None,
        })
    }
}

/// Which columns make a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) position: [usize; 3],
    pub(super) normal: Option<[usize; 3]>,
    pub(super) color: Option<ColorLayout>,
}

/// Which columns make a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColorLayout {
    Channels([usize; 3]),
    Packed(usize),
}

impl Layout {
    /// The layout of columns whose meaning is known; the first of equal ones counts. `None` where
    /// x, y or z is missing.
    pub(super) fn of(columns: impl IntoIterator<Item = Option<Field>>) -> Option<Layout> {
        let (mut position, mut normal, mut color) = ([None; 3], [None; 3], [None; 3]);
        let mut packed = None;
        for (at, field) in columns.into_iter().enumerate() {
            let slot = match field {
                Some(Field::Position(k)) => position.get_mut(k),
                Some(Field::Normal(k)) => normal.get_mut(k),
                Some(Field::Color(k)) => color.get_mut(k),
                Some(Field::PackedColor) => Some(&mut packed),
                None => None,
            };
            if let Some(slot) = slot {
                slot.get_or_insert(at);
            }
        }
        let color = all(color).map(ColorLayout::Channels);
        Some(Layout {
            position: all(position)?,
            normal: all(normal),
            color: color.or(packed.map(ColorLayout::Packed)),
        })
    }

    /// The layout of columns with these names.
    pub(super) fn from_names<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Option<Layout> {
        Layout::of(names.into_iter().map(Field::named))
    }
}

fn all([a, b, c]: [Option<usize>; 3]) -> Option<[usize; 3]> {
    Some([a?, b?, c?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_order_and_case() {
        let names = "diffuse_red z label Normal-X X y \"ny\" nz diffuse_green diffuse_blue x";
        let layout = Layout::from_names(names.split(' ').map(str::as_bytes)).unwrap();
        assert_eq!(
            layout,
            Layout {
                position: [4, 5, 1],
                normal: Some([3, 6, 7]),
                color: Some(ColorLayout::Channels([0, 8, 9])),
            }
        );
        assert_eq!(Layout::from_names([b"x".as_slice(), b"y", b"nz"]), None);
    }
}
