//! Files to read: those that were named, or the first that are found.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use process::helper::Stop;

use super::{Reporter, Sample};

/// How deep to look. To walk a repository is to load its catalogs, so this is bounded in every way.
const DEEPEST: usize = 4;
/// How many entries to look at.
const MOST_ENTRIES: usize = 500;

/// The files of a sample: the named ones, or the first in the order of their names.
pub(super) fn files(root: &Path, sample: &Sample, reporter: &mut Reporter) -> Result<Vec<PathBuf>, Stop> {
    if !sample.files.is_empty() {
        return Ok(sample.files.iter().map(|file| root.join(file)).collect());
    }
    let count = usize::try_from(sample.count).unwrap_or(usize::MAX);
    let device = reporter.step("stat", || fs::metadata(root))?.dev();
    let mut walk = Walk { device, found: Vec::new(), wanted: count, left: MOST_ENTRIES };
    walk.enter(root, 0, reporter)?;
    Ok(walk.found)
}

struct Walk {
    device: u64,
    found: Vec<PathBuf>,
    wanted: usize,
    left: usize,
}

impl Walk {
    fn enter(&mut self, folder: &Path, depth: usize, reporter: &mut Reporter) -> Result<(), Stop> {
        let left = self.left;
        let mut names = reporter.step("readdir", || list(folder, left))?;
        names.sort_unstable();
        let mut folders = Vec::new();
        for path in names {
            if self.found.len() >= self.wanted || self.left == 0 {
                return Ok(());
            }
            self.left -= 1;
            let found = reporter.step("lstat", || fs::symlink_metadata(&path))?;
            if found.is_file() && found.len() > 0 {
                self.found.push(path);
            } else if found.is_dir() && found.dev() == self.device {
                folders.push(path);
            }
        }
        for folder in folders.iter().filter(|_| depth < DEEPEST) {
            if self.found.len() >= self.wanted || self.left == 0 {
                return Ok(());
            }
            self.enter(folder, depth + 1, reporter)?;
        }
        Ok(())
    }
}

fn list(folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.take(most).map(|entry| entry.map(|entry| entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn check(count: u32, named: &[&str], expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        for path in ["b/two", "b/empty", "a", "c/d/e/f/deep", "c/d/e/f/g/deeper"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, if path.ends_with("empty") { "" } else { "x" }).unwrap();
        }
        let sample = Sample { files: named.iter().map(OsString::from).collect(), count };
        let found = files(root.path(), &sample, &mut Reporter::new(Vec::new())).unwrap();
        assert_eq!(found, expected.iter().map(|path| root.path().join(path)).collect::<Vec<_>>());
    }

    #[test]
    fn files_are_found_in_order_and_not_too_deep() {
        check(9, &[], &["a", "b/two", "c/d/e/f/deep"]);
        check(2, &[], &["a", "b/two"]);
        check(1, &["b/two", "a"], &["b/two", "a"]);
    }
}
