//! See [`fuzz::junit_read`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::junit_read(data));
