//! Archives of numpy, and archives made of the arrays in the data.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::npz(data));
