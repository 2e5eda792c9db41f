#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| acra_fuzz::compressed::run(data));
