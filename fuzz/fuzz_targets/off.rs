//! OFF files, with or without their keyword.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::off(data));
