//! STL files, text and binary.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::stl(data));
