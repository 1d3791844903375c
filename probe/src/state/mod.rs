//! What a run hands on to the next one: how long a test has failed, and where counters stood.

mod apart;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use process::{Deadline, Interrupt, Lock, Wait};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Metric, Thresholds};
pub(crate) use apart::help;

/// How long to wait for another run to be done with the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// `--state-file`: read when a run begins, written when it ends, and locked for no longer than that takes.
///
/// A check is never kept from its work by it: a file that is not there, damaged or of a later release is taken for an
/// empty one, and one that cannot be read or written is a warning. Where it cannot be written, nothing counts only
/// after several in a row, because no run would know of those before it.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// What the file held when the run began.
    before: Content,
    content: Content,
    now: f64,
    /// Whose helper reads and writes it; without one, this process does.
    check: Option<&'static str>,
    /// Whether it does not answer.
    is_out_of_reach: bool,
}

type Tests = BTreeMap<String, Known>;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    version: u32,
    /// Whether it will be there for the next run.
    #[serde(skip_serializing_if = "is_true")]
    kept: bool,
    tests: Tests,
}

impl Default for Content {
    fn default() -> Self {
        Content { version: VERSION, kept: true, tests: BTreeMap::new() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// The only version so far.
const VERSION: u32 = 1;

/// What is known of a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Reads the file, and tries whether it can be written; the texts are warnings.
    #[must_use]
    pub fn open(path: &Path) -> (Self, Vec<String>) {
        let (content, warnings) = look(path);
        (Self::with(path, content), warnings)
    }

    /// The same by a helper of this check, here and when it is saved: what the file is on may hang.
    #[must_use]
    pub fn open_apart(check: &'static str, path: &Path, interrupt: &Interrupt) -> (Self, Vec<String>) {
        let (content, warnings, is_out_of_reach) = match apart::read(check, path, interrupt) {
            Ok((content, warnings)) => (content, warnings, false),
            Err(reason) => {
                let shown = path.display();
                let warning = format!("cannot read the state file {shown}: {reason}; {WITHOUT_IT}");
                (Content { kept: false, ..Content::default() }, vec![warning], true)
            }
        };
        (StateFile { check: Some(check), is_out_of_reach, ..Self::with(path, content) }, warnings)
    }

    fn with(path: &Path, content: Content) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let before = content.clone();
        StateFile { path: path.to_owned(), before, content, now, check: None, is_out_of_reach: false }
    }

    /// Whether the next run will find it.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.content.kept
    }

    /// What it holds, to be sent to where the check is run.
    ///
    /// # Errors
    ///
    /// When JSON has no way to say it.
    pub fn to_text(&self) -> io::Result<String> {
        Ok(serde_json::to_string(&self.content)?)
    }

    /// Takes what came back from there.
    pub fn take_text(&mut self, bytes: &[u8]) {
        if let (content, None) = parse(bytes) {
            self.content = content;
        }
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
    /// `NAME_per_second`. A counter that is lower than it was has begun anew from zero. The range that a counter has
    /// of its kind is that of its growth from now on: what it counted long ago is no news.
    pub fn add_changes(&mut self, id: &str, metrics: &mut Vec<Metric>, thresholds: &Thresholds) {
        let is_counter = |metric: &Metric| thresholds.kind(&metric.name).is_some_and(|kind| kind.counter);
        if !metrics.iter().any(is_counter) {
            return;
        }
        let mut changes = Vec::new();
        let known = self.content.tests.entry(id.to_owned()).or_default();
        let seconds = self.now - known.time;
        for metric in metrics.iter_mut().filter(|metric| is_counter(metric)) {
            let mut growth = Metric::new(&format!("{}_delta", metric.name), metric.value);
            if self.content.kept {
                thresholds.judge_by_growth(metric, &mut growth);
            }
            let Some(before) = known.counters.insert(metric.name.clone(), metric.value) else { continue };
            if growth.value >= before {
                growth.value -= before;
            }
            let speed = Metric::new(&format!("{}_per_second", metric.name), growth.value / seconds);
            changes.push(growth);
            changes.extend(Some(speed).filter(|_| seconds > 0.0));
        }
        known.time = self.now;
        metrics.append(&mut changes);
    }

    /// Writes what this run has changed: the file is whole at any time, and what other runs have written meanwhile of
    /// other tests stays.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the text is for people.
    pub fn save(&self) -> Result<(), String> {
        if self.is_out_of_reach {
            // It was told when it was to be read.
            return Ok(());
        }
        let changes = self.content.changes(&self.before);
        let saved = match self.check {
            Some(check) => apart::save(check, &self.path, &changes),
            None => write(&self.path, changes).map_err(|error| error.to_string()),
        };
        saved.map_err(|error| format!("the state file {} is not written: {error}", self.path.display()))
    }
}

/// What it means that the next run will not find the file.
const WITHOUT_IT: &str = "failures count at once, and counters are not compared";

/// The content of the file, and warnings.
fn look(path: &Path) -> (Content, Vec<String>) {
    let shown = path.display();
    // A file that another run keeps locked is whole all the same: it is replaced, never changed.
    let _lock = lock(path);
    let (mut content, mut warnings) = match read(path) {
        Ok((content, reason)) => {
            (content, reason.map(|reason| format!("{shown} is begun anew: {reason}")).into_iter().collect())
        }
        Err(error) => (Content::default(), vec![format!("cannot read the state file {shown}: {error}")]),
    };
    if let Err(error) = written(path, &content) {
        content.kept = false;
        warnings.push(format!("cannot write the state file {shown}: {error}; {WITHOUT_IT}"));
    }
    (content, warnings)
}

/// Writes what has become of these tests.
fn write(path: &Path, changes: Tests) -> io::Result<()> {
    let lock = lock(path)?;
    let _lock = lock.ok_or_else(|| io::Error::new(io::ErrorKind::WouldBlock, "another run is using it"))?;
    let (mut content, _) = read(path)?;
    content.take(changes);
    written(path, &content)?.persist(path)?;
    Ok(())
}

impl Content {
    /// The tests that are not as in `before`.
    fn changes(&self, before: &Content) -> Tests {
        let is_changed = |(id, known): &(&String, &Known)| before.tests.get(*id) != Some(*known);
        let changed = self.tests.iter().filter(is_changed);
        changed.map(|(id, known)| (id.clone(), known.clone())).collect()
    }

    /// Takes over what has become of tests. Counters that others have read later stay.
    fn take(&mut self, changes: Tests) {
        for (id, known) in changes {
            let here = self.tests.entry(id).or_default();
            let (time, counters) = if here.time > known.time {
                (here.time, std::mem::take(&mut here.counters))
            } else {
                (known.time, known.counters.clone())
            };
            *here = Known { time, counters, ..known };
        }
    }
}

/// Reads a file, one that is not there as an empty one; the text says why one that is there was not used.
fn read(path: &Path) -> io::Result<(Content, Option<String>)> {
    // Whatever else it may be, opening it does not wait.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Content::default(), None)),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(parse(&bytes))
}

/// The content in a file beside the path, safe on disk.
fn written(path: &Path, content: &Content) -> io::Result<NamedTempFile> {
    if path.exists() && !path.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    serde_json::to_writer(&mut file, content)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    Ok(file)
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

/// The lock, a file of its own because the state's file is another one after each run; none where another run does
/// not let go of it.
fn lock(path: &Path) -> io::Result<Option<Lock>> {
    let path = beside(path, "lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    Lock::take(file, Wait::until(Deadline::after(PATIENCE)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::KINDS;

    fn thresholds() -> Thresholds {
        Thresholds::parse(KINDS, &[], &[]).unwrap()
    }

    fn open(path: &Path) -> StateFile {
        let (state, warnings) = StateFile::open(path);
        assert_eq!(warnings, [""; 0]);
        state
    }

    fn count(path: &Path, value: f64) -> Vec<(String, f64)> {
        let mut state = open(path);
        let mut metrics = vec![Metric::new("errors", value)];
        state.add_changes("a", &mut metrics, &thresholds());
        state.save().unwrap();
        metrics.into_iter().skip(1).map(|metric| (metric.name, metric.value)).collect()
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
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
        assert_eq!(names(folder.path()), 2);
    }

    #[test]
    fn a_damaged_or_newer_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for text in ["", "{\"version\": 1, \"tests\"", "7", "{\"version\": 9}", "\u{0}"] {
            fs::write(&path, text).unwrap();
            let (state, warnings) = StateFile::open(&path);
            assert!(state.content.tests.is_empty() && state.is_kept() && warnings.len() == 1, "{text}");
        }
        fs::write(&path, "{}").unwrap();
        assert!(StateFile::open(&path).1.is_empty());
    }

    #[test]
    fn two_runs_at_once_keep_what_each_has_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        count(&path, 5.0);
        let (mut first, mut second) = (open(&path), open(&path));
        let mut counted = [Metric::new("errors", 6.0)].to_vec();
        first.add_changes("a", &mut counted, &thresholds());
        first.count("b", true);
        second.now += 1.0;
        counted = [Metric::new("errors", 7.0)].to_vec();
        second.add_changes("a", &mut counted, &thresholds());
        second.count("c", true);
        second.save().unwrap();
        first.save().unwrap();
        let last = open(&path);
        // What was read later counts, whoever wrote first.
        assert_eq!(last.content.tests["a"].counters["errors"], 7.0);
        assert_eq!(last.content.tests.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn one_that_stays_locked_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        count(&path, 5.0);
        let _held = lock(&path).unwrap().unwrap();
        let state = open(&path);
        assert_eq!(state.content.tests["a"].counters["errors"], 5.0);
        assert!(state.save().unwrap_err().contains("another run is using it"));
    }

    #[test]
    fn one_that_cannot_be_kept_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("fifo"), rustix::fs::Mode::RUSR).unwrap();
        for name in ["no/folder", "file/state", ".", "fifo"] {
            let (state, warnings) = StateFile::open(&folder.path().join(name));
            assert!(
                !state.is_kept() && !warnings.is_empty() && state.save().is_err(),
                "{name}: {warnings:?}"
            );
        }
    }
}
