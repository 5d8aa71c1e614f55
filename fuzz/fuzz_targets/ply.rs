//! PLY files of every encoding.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::ply(data));
