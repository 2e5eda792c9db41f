//! What the system knows of this process: the `process_…` metrics that all exporters share.
//!
//! Read from `/proc` when a page is asked for. What cannot be read is left out.

use std::fs;

use super::text::Page;

/// Clock ticks in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

pub(super) fn write(page: &mut Page) {
    if let Some(seconds) = processor_seconds() {
        page.metric(
            "process_cpu_seconds_total",
            "counter",
            "Total user and system CPU time spent in seconds.",
        )
        .sample(&[], seconds);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        page.metric(
            "process_open_fds",
            "gauge",
            "Number of open file descriptors.",
        )
        .sample(&[], descriptors.count());
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, help, key) in [
        (
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            "VmRSS:",
        ),
        (
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            "VmSize:",
        ),
    ] {
        if let Some(bytes) = kibibytes(&status, key).and_then(|size| size.checked_mul(1024)) {
            page.metric(name, "gauge", help).sample(&[], bytes);
        }
    }
}

fn processor_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    ticks(&text).map(|ticks| ticks as f64 / TICKS)
}

/// User and system time. The second field is the program's name in parentheses, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    user.checked_add(system)
}

fn kibibytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 3 0 55";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks(""), None);
        assert_eq!(
            kibibytes("VmSize:\t  8 kB\nVmRSS:\t 12 kB\n", "VmRSS:"),
            Some(12)
        );
    }
}
