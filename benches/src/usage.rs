//! What a process has used so far, from `/proc`.

use std::fs;
use std::time::Duration;

/// CPU time and context switches of all threads of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) switches: u64,
}

impl Usage {
    /// What a process has used; nothing if there is none.
    pub(crate) fn of(process: Option<u32>) -> Self {
        let Some(process) = process else {
            return Self::default();
        };
        let tasks = fs::read_dir(format!("/proc/{process}/task"));
        let mut usage = Self::default();
        for task in tasks.into_iter().flatten().flatten() {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            // The first number is the time on a CPU in nanoseconds.
            let nanoseconds = read("schedstat");
            let nanoseconds = nanoseconds
                .split(' ')
                .next()
                .and_then(|text| text.parse().ok());
            usage.cpu += Duration::from_nanos(nanoseconds.unwrap_or(0));
            usage.switches += read("status")
                .lines()
                .filter(|line| line.contains("ctxt_switches"))
                .filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok())
                .sum::<u64>();
        }
        usage
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            switches: self.switches.saturating_sub(earlier.switches),
        }
    }
}
