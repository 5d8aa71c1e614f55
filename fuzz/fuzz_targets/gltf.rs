//! glTF documents with their buffers inside, and GLB files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| point_clip::read::fuzzing::gltf(data));
