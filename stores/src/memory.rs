//! Keeping secrets out of what outlives a process: swap and core dumps.

use crate::notice::Notices;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::io;
use std::path::Path;

/// Forbids core dumps of this process, and to trace it or to read its memory to all but root, until its end.
///
/// # Errors
///
/// The system refuses.
pub fn forbid_core_dumps() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Keeps the memory of a secret out of swap, until the process ends.
///
/// It is not unlocked again: pages are locked, not bytes, and a neighbour in the same page may be a secret too. As freed
/// memory is used again, a reload hardly ever needs another page.
///
/// # Errors
///
/// The limit of locked memory (`RLIMIT_MEMLOCK`) does not allow it.
pub(crate) fn keep_out_of_swap(secret: &[u8]) -> io::Result<()> {
    match region::lock(secret.as_ptr(), secret.len()) {
        Ok(lock) => {
            std::mem::forget(lock);
            Ok(())
        }
        Err(region::Error::SystemCall(number)) => Err(io::Error::from_raw_os_error(number)),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Keeps master keys out of swap; if that is not allowed, a notice says what to do.
pub(crate) fn keep_master_keys(keys: &[&[u8]], directory: &Path, notices: &Notices) {
    let kept = keys.iter().try_for_each(|key| keep_out_of_swap(key));
    if let Err(error) = kept {
        let message = format!(
            "Master key cannot be kept out of swap: {error}; raise the limit of locked memory (ulimit -l)"
        );
        notices.add(&message, directory, false);
    }
}

#[cfg(test)]
mod tests {
    use super::{forbid_core_dumps, keep_out_of_swap};
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    /// Whether the page of these bytes is locked, whatever other tests of this process lock.
    fn is_locked(bytes: &[u8]) -> bool {
        let place = bytes.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_there = false;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap();
            if let Some((from, to)) = first.split_once('-') {
                let [from, to] = [from, to].map(|place| usize::from_str_radix(place, 16).unwrap());
                is_there = (from..to).contains(&place);
            } else if is_there && first == "VmFlags:" {
                return words.any(|flag| flag == "lo");
            }
        }
        panic!("no such page")
    }

    #[test]
    fn this_process_leaves_no_core() {
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
        forbid_core_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        // What /dev/stdout leads to is still this process's own.
        assert!(std::fs::read_link("/proc/self/fd/1").is_ok());
    }

    #[test]
    fn locked_pages_are_counted_as_such() {
        // So large that it has pages of its own, which have been nobody's.
        let large = vec![0; 64 << 20];
        let secret = &large[1 << 20..][..32];
        assert!(!is_locked(secret));
        keep_out_of_swap(secret).unwrap();
        assert!(is_locked(secret));
    }
}
