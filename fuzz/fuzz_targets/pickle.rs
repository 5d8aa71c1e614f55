//! The pickle machine and the tree behind it, in all three kinds of torch file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::fuzzing::pickle(data));
