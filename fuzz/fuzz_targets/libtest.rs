//! See [`fuzz::libtest`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::libtest(data));
