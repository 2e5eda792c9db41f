#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| acra_fuzz::stream::run_mysql(data));
