//! Arrays of numpy.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::npy(data));
