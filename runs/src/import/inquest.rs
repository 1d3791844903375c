//! Repositories of `inq`: a table of runs, and for each run the packets that came in.
//!
//! The stream of a run on several workers is one that inq made up: times, order and attachments are not those of the
//! tests. What came in from each worker is in a file of its own, and that is what is imported.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use repository::{Foreign, RunEnd};
use subunit::Timestamp;

use super::file_repository::check_format;
use super::inquest_table::{Row, Table};
use super::inspect::{Digest, inspect};
use super::source::{Content, Part, Source, SourceRun};

/// Reads a repository.
pub(super) fn read(foreign: &Foreign) -> anyhow::Result<Source> {
    let path = &foreign.path;
    check_format(path)?;
    let Table { runs: rows, failing } = Table::read(&path.join("metadata.db"))?;
    let mut notes = Vec::new();
    let folder = Folder::read(&path.join("runs"))?;
    folder.note_strangers(&rows, &mut notes);
    let mut runs = Vec::new();
    for row in rows {
        match folder.run(&row, &mut notes)? {
            Some(run) => runs.push(run),
            None => notes.push(format!("the stream of run {} of {} is missing", row.id, path.display())),
        }
    }
    Ok(Source {
        path: foreign.path.clone(),
        tool: foreign.tool.to_string(),
        runs,
        failing: Some(failing),
        notes,
    })
}

/// The files of the runs.
struct Folder {
    path: PathBuf,
    /// Their names, in order.
    names: Vec<String>,
}

/// A file of packets.
struct Stream {
    path: PathBuf,
    tests: HashSet<String>,
    is_empty: bool,
    times: Option<(Timestamp, Timestamp)>,
}

impl Folder {
    fn read(path: &Path) -> anyhow::Result<Folder> {
        let failed = || format!("cannot read {}", path.display());
        let entries = fs::read_dir(path).with_context(failed)?.collect::<Result<Vec<_>, _>>();
        let entries = entries.with_context(failed)?;
        let mut names: Vec<String> =
            entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(Folder { path: path.to_owned(), names })
    }

    /// Tells of files that belong to no run: those of runs that inq has pruned or never entered.
    fn note_strangers(&self, rows: &[Row], notes: &mut Vec<String>) {
        let known: HashSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
        for name in &self.names {
            let number = name.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
            if !known.contains(number) {
                let path = self.path.join(name);
                notes.push(format!("{} belongs to no run: it is not imported", path.display()));
            }
        }
    }

    fn run(&self, row: &Row, notes: &mut Vec<String>) -> anyhow::Result<Option<SourceRun>> {
        let number = row.id.to_string();
        if !self.names.contains(&number) {
            return Ok(None);
        }
        let mut digest = Digest::default();
        let whole = self.stream(&number, &mut digest)?;
        let mut workers = Vec::new();
        for (name, route) in self.workers(&number) {
            workers.push((self.stream(name, &mut digest)?, route));
        }
        let of_workers: HashSet<String> =
            workers.iter().flat_map(|(worker, _)| worker.tests.iter().cloned()).collect();
        let are_its_own = whole.is_empty || of_workers.is_subset(&whole.tests);
        if !are_its_own {
            notes.push(format!(
                "run {number}: the files of its workers have tests that it does not have: they are not imported"
            ));
            workers.clear();
        }
        let log = format!("{number}.stderr.gz");
        let log = self.names.contains(&log).then(|| self.path.join(log));
        let times = workers
            .iter()
            .filter_map(|(worker, _)| worker.times)
            .reduce(|(first, last), times| (first.min(times.0), last.max(times.1)));
        let times = times.or(whole.times);
        let content = content(whole, workers, of_workers, log);
        Ok(Some(run(row, digest.text(), times, content)))
    }

    /// The files of a run's workers, and which worker each is: `0a` is that of the worker 0.
    fn workers<'a>(&'a self, number: &'a str) -> impl Iterator<Item = (&'a str, String)> {
        self.names.iter().filter_map(move |name| {
            let letters = name.strip_prefix(number)?;
            let is_worker = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase());
            let route = match letters.as_bytes() {
                [letter] => (letter - b'a').to_string(),
                _ => letters.to_owned(),
            };
            is_worker.then_some((&**name, route))
        })
    }

    fn stream(&self, name: &str, digest: &mut Digest) -> anyhow::Result<Stream> {
        let path = self.path.join(name);
        let mut tests = HashSet::new();
        let found = inspect(&path, |id| {
            if !tests.contains(id) {
                tests.insert(id.to_owned());
            }
        })?;
        digest.push(found.digest.text().as_bytes());
        let is_empty = tests.is_empty();
        Ok(Stream { path, tests, is_empty, times: (!is_empty).then_some((found.first, found.last)) })
    }
}

/// What came in: from the workers, and of the stream that inq made only the tests that are nowhere else, such as
/// those of a worker that was started again.
fn content(
    whole: Stream,
    workers: Vec<(Stream, String)>,
    of_workers: HashSet<String>,
    log: Option<PathBuf>,
) -> Content {
    if workers.is_empty() && log.is_none() {
        return Content::V2(whole.path);
    }
    let has_more = whole.tests.iter().any(|test| !of_workers.contains(test));
    let mut parts: Vec<Part> =
        workers.into_iter().map(|(worker, route)| Part::Routed(worker.path, route)).collect();
    if parts.is_empty() {
        parts.push(Part::Plain(whole.path));
    } else if has_more {
        parts.push(Part::Without(whole.path, of_workers));
    }
    parts.extend(log.map(|path| Part::Attachment(path, "stderr")));
    Content::Parts(parts)
}

fn run(row: &Row, digest: String, times: Option<(Timestamp, Timestamp)>, content: Content) -> SourceRun {
    let entered = row.timestamp;
    let start = times.map(|(first, _)| first).or(entered).unwrap_or_else(|| SystemTime::UNIX_EPOCH.into());
    let took = row.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let after = took.and_then(|took| Timestamp::from_epoch(entered?.since_epoch().checked_add(took)?));
    let end = times.map(|(_, last)| last).max(after).unwrap_or(start);
    // A run that says neither how long it took nor how it ended was killed, or came by `inq load`, which is whole.
    let was_killed = row.command.is_some() && row.exit.is_none();
    SourceRun {
        name: row.id.to_string(),
        digest,
        info: row.info(start),
        end: RunEnd { end: Some(end), exit: row.exit, interrupted: was_killed, ..RunEnd::default() },
        content,
    }
}
