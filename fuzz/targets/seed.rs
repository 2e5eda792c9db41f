//! Writes the seeds of all targets below the folder `ACRA_FUZZ_SEEDS`. It is built like a target, since the flags of
//! this workspace need what libFuzzer brings, `main` included; run it with `-runs=0`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        let folder = std::env::var_os("ACRA_FUZZ_SEEDS").expect("ACRA_FUZZ_SEEDS is not set");
        acra_fuzz::seed::write_all(folder.as_ref()).expect("the seeds cannot be written");
    },
    |_data: &[u8]| {}
);
