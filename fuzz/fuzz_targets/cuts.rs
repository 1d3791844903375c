//! See [`fuzz::cuts`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cuts(data));
