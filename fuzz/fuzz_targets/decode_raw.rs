//! See [`fuzz::decode_raw`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::decode_raw(data));
