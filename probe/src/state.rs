//! What a run hands on to the next one: how long a test has failed, and where counters stood.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use process::{Deadline, Lock, Wait};
use serde::{Deserialize, Serialize};

use super::{Metric, Thresholds};

/// How long to wait for another run to be done with the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// `--state-file`: read when a run begins, written when it ends, and locked between.
///
/// A file that is not there, damaged or of a later release is taken for an empty one: a check is never kept
/// from its work by what an earlier one has left.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    content: Content,
    now: f64,
    /// Held until the state is dropped.
    _lock: Lock,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    #[serde(default)]
    version: u32,
    #[serde(default)]
    tests: BTreeMap<String, Known>,
}

/// The only version so far.
const VERSION: u32 = 1;

/// What is known of a test.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// Whether it counts as failed.
    bad: bool,
    /// How many times in a row its result was that of the last one.
    in_a_row: u32,
    /// Whether the last one was a failure.
    last_bad: bool,
    /// When the counters were read, in seconds since 1970.
    time: f64,
    counters: BTreeMap<String, f64>,
}

/// What a result means after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streak {
    /// Whether the test counted as failed until now.
    pub was_bad: bool,
    /// How many times in a row, this one included, the result was the same.
    pub in_a_row: u32,
}

impl StateFile {
    /// Locks and reads the file; the text says why one that is there was not used.
    ///
    /// # Errors
    ///
    /// When it cannot be read or locked, or another run has it for longer than a moment.
    pub fn open(path: &Path) -> io::Result<(Self, Option<String>)> {
        let lock = lock(&beside(path, "lock"))?;
        let (content, warning) = match fs::read(path) {
            Ok(bytes) => parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Content::default(), None),
            Err(error) => return Err(error),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let warning = warning.map(|reason| format!("{} is begun anew: {reason}", path.display()));
        Ok((StateFile { path: path.to_owned(), content, now, _lock: lock }, warning))
    }

    /// Counts a result of a test.
    pub fn count(&mut self, id: &str, is_bad: bool) -> Streak {
        let known = self.content.tests.entry(id.to_owned()).or_default();
        known.in_a_row = if known.last_bad == is_bad { known.in_a_row.saturating_add(1) } else { 1 };
        known.last_bad = is_bad;
        Streak { was_bad: known.bad, in_a_row: known.in_a_row }
    }

    /// Has the test count as failed, or as not failed, from now on.
    pub fn turn(&mut self, id: &str, is_bad: bool) {
        self.content.tests.entry(id.to_owned()).or_default().bad = is_bad;
    }

    /// Adds to the numbers of a test by how much its counters have grown since the last run: `NAME_delta` and
    /// `NAME_per_second`. A counter that is lower than it was has begun anew from zero.
    pub fn add_changes(&mut self, id: &str, metrics: &mut Vec<Metric>, thresholds: &Thresholds) {
        let is_counter = |metric: &&Metric| thresholds.kind(&metric.name).is_some_and(|kind| kind.counter);
        let now: Vec<_> = metrics.iter().filter(is_counter).cloned().collect();
        if now.is_empty() {
            return;
        }
        let known = self.content.tests.entry(id.to_owned()).or_default();
        let seconds = self.now - known.time;
        for Metric { name, value, .. } in now {
            let before = known.counters.insert(name.clone(), value);
            let Some(before) = before else { continue };
            let delta = if value < before { value } else { value - before };
            metrics.push(Metric::new(&format!("{name}_delta"), delta));
            if seconds > 0.0 {
                metrics.push(Metric::new(&format!("{name}_per_second"), delta / seconds));
            }
        }
        known.time = self.now;
    }

    /// Writes the file: whole, or not at all.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(&mut self) -> io::Result<()> {
        self.content.version = VERSION;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        serde_json::to_writer(&mut file, &self.content)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> (Content, Option<String>) {
    match serde_json::from_slice::<Content>(bytes) {
        Ok(content) if content.version > VERSION => {
            (Content::default(), Some(format!("it is of version {}", content.version)))
        }
        Ok(content) => (content, None),
        Err(error) => (Content::default(), Some(error.to_string())),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// The lock is a file of its own: the state's file is another one after each run.
fn lock(path: &Path) -> io::Result<Lock> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let lock = Lock::take(file, Wait::until(Deadline::after(PATIENCE)))?;
    lock.ok_or_else(|| io::Error::new(io::ErrorKind::WouldBlock, "another run is using it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::KINDS;

    fn thresholds() -> Thresholds {
        Thresholds::parse(KINDS, &[], &[]).unwrap()
    }

    fn count(path: &Path, value: f64) -> Vec<(String, f64)> {
        let (mut state, _) = StateFile::open(path).unwrap();
        let mut metrics = vec![Metric::new("errors", value)];
        state.add_changes("a", &mut metrics, &thresholds());
        state.save().unwrap();
        metrics.into_iter().skip(1).map(|metric| (metric.name, metric.value)).collect()
    }

    #[test]
    fn counters_are_compared_with_those_of_the_last_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(count(&path, 5.0), []);
        let second = count(&path, 7.0);
        assert_eq!(second[0], ("errors_delta".to_owned(), 2.0));
        assert!(second.len() == 1 || second[1].0 == "errors_per_second");
        assert_eq!(count(&path, 3.0)[0].1, 3.0);
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_damaged_or_newer_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for text in ["", "{\"version\": 1, \"tests\"", "7", "{\"version\": 9}", "\u{0}"] {
            fs::write(&path, text).unwrap();
            let (state, warning) = StateFile::open(&path).unwrap();
            assert!(state.content.tests.is_empty() && warning.is_some(), "{text}");
        }
        fs::write(&path, "{}").unwrap();
        assert_eq!(StateFile::open(&path).unwrap().1, None);
    }

    #[test]
    fn two_runs_do_not_use_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let _first = StateFile::open(&path).unwrap();
        assert_eq!(StateFile::open(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
