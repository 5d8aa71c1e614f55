//! PyTorch's own files: zip archives of `torch.save` and `torch.jit.save`, and the older form of
//! pickles followed by storages.

mod archive;
mod legacy;
mod tree;

pub(crate) use archive::read as read_zip;
pub(crate) use legacy::read as read_legacy;

use crate::error::Error;
use crate::pickle::Problem;

/// A file without anything to read in it.
fn no_tensors(file: &str) -> Error {
    Error::not_weights(
        file,
        "this PyTorch file holds no tensors",
        "give the file with the model's weights (its state dict)",
    )
}

fn problem(file: &str, problem: Problem) -> Error {
    match problem {
        Problem::Damaged(what) => Error::damaged(file, what),
        Problem::Refused(what) => Error::refused(
            file,
            what,
            "do not trust this file; get the weights as safetensors from their author",
        ),
    }
}
