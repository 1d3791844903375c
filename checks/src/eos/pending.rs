//! What waits for the daemon of a FUSE mount: seen from outside, without touching the mount.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe::{Finding, Limits, Mount};

/// Where the kernel reports it.
const CONNECTIONS: &str = "/sys/fs/fuse/connections";
/// How often to look, and how long between, for as long as something waits: whoever asks whether it is alive does not
/// want to wait.
const LOOKS: u32 = 11;
const BETWEEN: Duration = Duration::from_millis(20);

/// Counts for a moment how many requests wait for an answer.
pub(super) fn check(mount: &Mount, limits: Limits<'_>) -> Finding {
    if !mount.fstype.starts_with("fuse") {
        return Finding::skipped(format!("only FUSE tells what waits, and this is {}", mount.fstype));
    }
    let path = path(mount);
    let mut counts = Vec::new();
    for number in 0..LOOKS {
        match waiting(&path) {
            Ok(0) => return judge(&[0]),
            Ok(count) => counts.push(count),
            Err(error) => return unknown(&path, &error),
        }
        if number + 1 < LOOKS && !limits.sleep(BETWEEN) {
            break;
        }
    }
    judge(&counts)
}

/// Whether the kernel lets this user read it: that of others only root may.
pub(super) fn may_read(mount: &Mount) -> bool {
    let opened = fs::File::open(path(mount));
    !opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn path(mount: &Mount) -> PathBuf {
    Path::new(CONNECTIONS).join(mount.minor.to_string()).join("waiting")
}

fn waiting(path: &Path) -> io::Result<u32> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(|_| io::Error::other(format!("it says {text:?}")))
}

fn unknown(path: &Path, error: &io::Error) -> Finding {
    match error.kind() {
        // A container has none, and cannot have one.
        io::ErrorKind::NotFound if is_absent(Path::new(CONNECTIONS)) => Finding::skipped(format!(
            "no fusectl is mounted on this host: mount -t fusectl fusectl {CONNECTIONS} brings it"
        )),
        io::ErrorKind::PermissionDenied => Finding::unknown(format!(
            "only the user that has mounted it, and root, may read {}; --skip requests-pending leaves it out",
            path.display()
        )),
        _ => Finding::unknown(format!("cannot read {}: {error}", path.display())),
    }
}

/// Whether there is nothing in the folder: the kernel makes it, for fusectl to be mounted on.
fn is_absent(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn judge(counts: &[u32]) -> Finding {
    let (first, last) = (counts.first().copied().unwrap_or(0), counts.last().copied().unwrap_or(0));
    let least = counts.iter().copied().min().unwrap_or(0);
    // Some always wait where much is done: these come and go.
    let half = counts.len() / 2;
    let before = counts.iter().take(half).max();
    let grows = before.is_some_and(|most| counts.iter().rev().take(half).all(|count| count > most));
    let finding = if least > 0 && grows {
        Finding::warning(format!("ever more requests wait for the daemon of the mount: {first}, then {last}"))
    } else {
        Finding::fine(format!("{last} requests wait, never fewer than {least}"))
    };
    finding.with_metric("pending_requests", last.into()).with_metric("pending_requests_least", least.into())
}

#[cfg(test)]
mod tests {
    use probe::Level;

    use super::*;

    #[test]
    fn what_waits_for_ever_longer_is_a_warning() {
        let check = |counts: &[u32], fine: bool, metrics: [f64; 2]| {
            let finding = judge(counts);
            assert_eq!(finding.level == Level::Fine, fine, "{counts:?}");
            let found: Vec<_> = finding.metrics.iter().map(|metric| metric.value).collect();
            assert_eq!(found, metrics);
        };
        check(&[0, 0, 0], true, [0.0, 0.0]);
        check(&[1, 0, 2], true, [2.0, 0.0]);
        check(&[1, 2, 3], false, [3.0, 1.0]);
        check(&[3, 2, 1], true, [1.0, 1.0]);
        check(&[2, 4, 3, 3, 5], true, [5.0, 2.0]);
        check(&[2, 3, 3, 4, 5], false, [5.0, 2.0]);
        check(&[], true, [0.0, 0.0]);
    }
}
