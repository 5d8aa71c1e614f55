//! Reads any weight file into named tensors, safely.
