//! Zip and TorchScript archives, read to the last tensor.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::fuzzing::archive(data));
