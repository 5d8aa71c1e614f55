//! safetensors headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::fuzzing::safetensors(data));
