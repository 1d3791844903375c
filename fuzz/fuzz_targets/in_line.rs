//! See [`fuzz::in_line`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::in_line(data));
