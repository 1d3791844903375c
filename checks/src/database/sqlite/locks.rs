//! Who has a file locked.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::access::{Access, side};

/// The byte of a file that those have locked who write to it, with a rollback journal.
const RESERVED: u64 = 0x4000_0001;
/// The same of the index of a write-ahead log.
const LOG_WRITE: u64 = 120;
/// How often to look whether it is still locked.
const PAUSE: Duration = Duration::from_millis(20);

/// Who has it locked for writing all this time: `python3 (pid 17)`. Nobody may have opened it in this process: to
/// close a file ends the locks of all that have it open here.
pub(in crate::database) fn writer(path: &Path, access: Access, patience: Duration) -> Option<String> {
    let (path, byte) = match access {
        Access::Journal => (path.to_owned(), RESERVED),
        Access::Log => (side(path, "-shm"), LOG_WRITE),
        Access::Still => return None,
    };
    let file = File::open(&path).ok()?;
    let begin = Instant::now();
    let first = lock_on(&file, byte)?;
    while begin.elapsed() < patience {
        thread::sleep(PAUSE);
        lock_on(&file, byte).filter(|holder| *holder == first)?;
    }
    // A process that others cannot see has no number here.
    Some(if first > 0 {
        named(first.unsigned_abs())
    } else {
        "a process that cannot be seen from here".to_owned()
    })
}

/// The number of the process that would keep us from writing to this byte, where one would.
fn lock_on(file: &File, byte: u64) -> Option<i32> {
    let wanted = Flock { start: byte, length: 1, ..Flock::from(FlockType::WriteLock) };
    let lock = fcntl_getlk(file, &wanted).ok()??;
    Some(lock.pid.map_or(0, |pid| pid.as_raw_nonzero().get()))
}

fn named(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{} (pid {pid})", name.trim())
}

/// Who holds write locks on a file, as far as the kernel of this host knows: ` by jupyterhub (pid 17)`.
pub(super) fn holders(path: &Path) -> String {
    let Ok(metadata) = fs::metadata(path) else { return String::new() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
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
