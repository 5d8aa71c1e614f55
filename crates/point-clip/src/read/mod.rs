//! Reads clouds and meshes from files of any common format, told by their content.
//!
//! | format | what is read |
//! |---|---|
//! | PLY | ascii, binary of either byte order; clouds, polygons, triangle strips; normals, colours |
//! | OFF | with or without colours, normals, homogeneous coordinates |
//! | OBJ | vertices, vertex colours, polygons |
//! | STL | ascii, binary |
//! | glTF, GLB | triangles of the default scene with node transforms; vertex and base colours |
//! | PCD | ascii, binary, compressed; normals, packed colours |
//! | XYZ, TXT, CSV, PTS, ASC | 3 and more columns, see [`text tables`](#text-tables) |
//! | NPY, NPZ | arrays `[N, 3+]` of any numeric type |
//! | LAS, LAZ | points and colours (LAZ with the cargo feature `laz`, for files that are trusted) |
//!
//! ```
//! use point_clip::read::read_bytes;
//!
//! # fn main() -> Result<(), point_clip::Error> {
//! let shape = read_bytes(b"0 0 0\n1 0 0\n0 1 0\n", None)?;
//! assert_eq!(shape.positions().len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # What a caller can rely on
//! Every coordinate is finite, every triangle refers to vertices that are there, normals are of
//! unit length (a file with a normal that has no direction is read as one without normals), and
//! there is at least one vertex. [`Shape::validate_extent`] tells whether there is anything to
//! see. Polygons are cut into fans. Nothing in a file is believed before it was checked against
//! the bytes that are there: memory stays within a small multiple of the file's size.
//!
//! # Far from the origin
//! Surveys place things millions of units off the origin, where single precision is coarse.
//! Coordinates that come as text or in double precision are moved by whole units along an axis on
//! which the first point lies 65,536 or more off the origin.
//!
//! # Text tables
//! Values are separated by blanks, tabs, commas or semicolons; `#`, `//`, `%` and `;` start
//! comments. A first line of names (`x,y,z,red,green,blue`, also in a comment) says which column is
//! what. Without names the first three columns are x, y, z; of the others three neighbours of unit
//! length are a normal, three in 0..=255 or all in 0..=1 are a colour, and the rest (intensity,
//! labels) is left out. A first line of a single number is a count of points, and is skipped.

mod columns;
mod faces;
mod fields;
mod foreign;
mod gltf;
mod guess;
mod las;
mod npy;
mod obj;
mod off;
mod origin;
mod pages;
mod pcd;
mod ply;
mod point_table;
mod points;
mod stl;
mod table;
mod text;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod hostile;

use crate::error::{Error, Result};
use crate::{DegenerateShape, Shape};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a reader gets.
struct Source<'a> {
    /// The whole file.
    bytes: &'a [u8],
    /// The file's extension in lower case, where it has one: a tie-break, never proof.
    extension: &'a str,
    /// Where the file lies, for formats that keep their numbers in another one beside it.
    folder: Option<&'a Path>,
}

/// One format.
struct Reader {
    /// Whether the bytes are of this format; looks at the beginning only, unless it must.
    recognises: fn(&Source) -> bool,
    /// Reads bytes that were recognised.
    read: fn(&Source) -> Result<Shape>,
}

/// All formats, those that are told by an unmistakable beginning first.
const READERS: &[Reader] = &[
    ply::READER,
    gltf::READER,
    npy::NPY,
    npy::NPZ,
    off::READER,
    pcd::READER,
    las::READER,
    stl::READER,
    obj::READER,
    table::READER,
];

/// Reads the shape in a file.
///
/// The format is told by the content; the name's extension only decides where content cannot.
///
/// # Errors
/// [`Error::InFile`] with the reason: the file cannot be opened, is something else than a shape,
/// is damaged, uses what is not supported, has no vertex, or has a coordinate that is not finite.
pub fn read_path(path: impl AsRef<Path>) -> Result<Shape> {
    let path = path.as_ref();
    read_file(path).map_err(|error| error.in_file(path.display()))
}

/// Reads the shape in `bytes`, the content of a file; `extension` is that of its name, if known.
///
/// # Errors
/// As [`read_path`], without a file's name.
pub fn read_bytes(bytes: &[u8], extension: Option<&str>) -> Result<Shape> {
    read_source(bytes, extension, None)
}

fn read_file(path: &Path) -> Result<Shape> {
    let mut file = File::open(path).map_err(Error::Io)?;
    let metadata = file.metadata().map_err(Error::Io)?;
    if metadata.is_dir() {
        return Err(Error::not_a_shape(
            "this is a folder",
            "give a file that is in it",
        ));
    }
    let extension = path.extension().and_then(|e| e.to_str());
    if metadata.is_file() && metadata.len() > 0 {
        // SAFETY: the map is only read, and it is dropped before this function returns. Another
        // process that changes the file meanwhile changes what is read: each value is checked
        // when it is used, so that this yields other numbers or an error. One that shortens the
        // file can end this process (SIGBUS), as with every program that maps files.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(Error::Io)?;
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::Sequential);
        read_source(&map, extension, path.parent())
    } else {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::Io)?;
        read_source(&bytes, extension, path.parent())
    }
}

fn read_source(bytes: &[u8], extension: Option<&str>, folder: Option<&Path>) -> Result<Shape> {
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let source = Source {
        // Editors on Windows put a byte order mark before UTF-8 text.
        bytes: bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes),
        extension: &extension,
        folder,
    };
    let Some(reader) = READERS.iter().find(|r| (r.recognises)(&source)) else {
        return Err(foreign::describe(source.bytes));
    };
    reader.shape(&source)
}

impl Reader {
    /// Reads `source`, which it recognises.
    fn shape(&self, source: &Source) -> Result<Shape> {
        let shape = (self.read)(source)?;
        if shape.positions().is_empty() {
            return Err(DegenerateShape::Empty.into());
        }
        Ok(shape)
    }
}
