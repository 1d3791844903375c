//! What checks have left behind, and nobody has removed.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use process::helper::Stop;

use super::{Fact, Reporter, metric};

/// From which age on: no check takes that long.
const AGE: Duration = Duration::from_secs(3600);
/// How many entries of a folder are looked at.
const ENTRIES: usize = 100_000;

/// Counts files of this host's checks that are older than an hour, and removes them if asked to.
pub(super) fn stale(folder: &Path, host: &str, removes: bool, reporter: &mut Reporter) -> Result<(), Stop> {
    let entries = reporter.step("opendir", || fs::read_dir(folder))?;
    let (mut found, mut removed) = (Vec::new(), 0);
    let mut entries = entries.take(ENTRIES);
    while let Some(entry) = reporter.step("readdir", || entries.next().transpose())? {
        if !is_probe(&entry.file_name(), host) {
            continue;
        }
        let path = entry.path();
        // Another check may be done with it just now.
        let metadata = reporter.step("stat", || Ok(fs::symlink_metadata(&path).ok()))?;
        if !metadata.is_some_and(|metadata| is_stale(&metadata)) {
            continue;
        }
        if removes && reporter.step("unlink", || Ok(fs::remove_file(&path).is_ok()))? {
            removed += 1;
        } else {
            found.push(path);
        }
    }
    metric(reporter, "stale_probes", found.len() as f64)?;
    metric(reporter, "removed_probes", f64::from(removed))?;
    tell(&found, removed, reporter)
}

fn tell(found: &[PathBuf], removed: u32, reporter: &mut Reporter) -> Result<(), Stop> {
    for path in found.iter().take(100) {
        reporter.tell(Fact::evidence("stale-probes.txt", path.display().to_string()))?;
    }
    let count = found.len();
    reporter.tell(Fact::Summary(format!("{count} files were left by earlier checks, {removed} were removed")))
}

/// Whether a check of this host has made a file of this name: `.probe-HOST-PID-NONCE`, perhaps with a suffix.
fn is_probe(name: &OsStr, host: &str) -> bool {
    let rest =
        name.to_str().and_then(|name| name.strip_prefix(".probe-")?.strip_prefix(host)?.strip_prefix('-'));
    let Some((pid, rest)) = rest.and_then(|rest| rest.split_once('-')) else { return false };
    let nonce = rest.split('.').next().unwrap_or_default();
    pid.parse::<u32>().is_ok() && nonce.len() == 16 && nonce.chars().all(|digit| digit.is_ascii_hexdigit())
}

fn is_stale(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    is_own && metadata.is_file() && age.is_some_and(|age| age > AGE)
}

#[cfg(test)]
mod tests {
    use super::super::{Task, outcome};
    use super::*;

    #[test]
    fn only_probes_of_this_host_are_known_again() {
        let check = |name: &str, expected| assert_eq!(is_probe(OsStr::new(name), "node"), expected, "{name}");
        check(".probe-node-12-0123456789abcdef", true);
        check(".probe-node-12-0123456789abcdef.renamed", true);
        check(".probe-node-2-12-0123456789abcdef", false);
        check(".probe-other-12-0123456789abcdef", false);
        check(".probe-node-12-0123456789abcdex", false);
        check(".probe-node", false);
    }

    #[test]
    fn old_ones_are_removed_only_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        make(".probe-node-1-0123456789abcdef", 4000);
        make(".probe-node-2-0123456789abcdef", 10);
        make("mine", 4000);
        let left = |removes| {
            let (done, messages) = outcome(&Task::Stale("node".to_owned(), removes), folder.path());
            assert!(done, "{messages:?}");
            fs::read_dir(folder.path()).unwrap().count()
        };
        assert_eq!((left(false), left(true)), (3, 2));
    }
}
