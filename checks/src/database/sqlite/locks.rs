//! Who has a file locked.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Who holds write locks on a file, as far as the kernel of this host knows: ` by jupyterhub (pid 17)`.
pub(super) fn holders(path: &Path) -> String {
    let Ok(metadata) = fs::metadata(path) else { return String::new() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let named = |pid: u32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("{} (pid {pid})", name.trim())
    };
    let all: Vec<_> = writers(&locks, metadata.ino()).into_iter().map(named).collect();
    if all.is_empty() { String::new() } else { format!(" by {}", all.join(", ")) }
}

/// The processes that hold write locks on a file with this number.
fn writers(locks: &str, inode: u64) -> Vec<u32> {
    let writer = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let kind = words.next()?;
        let mode = words.nth(1)?;
        let pid = words.next()?.parse().ok()?;
        let number: u64 = words.next()?.rsplit(':').next()?.parse().ok()?;
        (matches!(kind, "POSIX" | "OFDLCK") && mode == "WRITE" && number == inode).then_some(pid)
    };
    let mut pids: Vec<_> = locks.lines().filter_map(writer).collect();
    pids.dedup();
    pids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holders_of_write_locks_are_found() {
        let locks = "1: POSIX  ADVISORY  WRITE 1234 fe:01:77 1073741824 1073741825\n\
                     2: POSIX  ADVISORY  WRITE 1234 fe:01:77 1073741826 1073742335\n\
                     3: POSIX  ADVISORY  READ 99 fe:01:77 1073741826 1073742335\n\
                     4: FLOCK  ADVISORY  WRITE 98 fe:01:77 0 EOF\n\
                     4: -> POSIX ADVISORY WRITE 97 fe:01:77 0 EOF\n";
        assert_eq!(writers(locks, 77), [1234]);
        assert_eq!(writers(locks, 78), [0_u32; 0]);
    }
}
