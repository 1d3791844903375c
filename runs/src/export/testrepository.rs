//! A repository that `testr` and `stestr` read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use formats::v1::V1Writer;
use repository::{Repository, RunId, Standing, StoredRun};
use streamresult::{
    DAMAGE_ID, Outcome, Record, RecordSink, Records, StreamResult, StreamResultExt as _, drive,
};
use subunit::{Event, Status, TEXT_TYPE};

use super::dumb;
use super::names;
use super::split::SplitAttachments;

/// What `testr` calls the test that stands for a run that failed as a whole.
const RUN: &str = "process-returncode";

/// Writes the runs under their numbers, the failing set and the timings. The folder appears whole, or not at all.
pub(super) fn write(repository: &Repository, runs: &[StoredRun], path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot make {}", path.display());
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".testrepository-new-").permissions(fs::Permissions::from_mode(0o777));
    let new = builder.tempdir_in(parent).with_context(cannot)?;
    let mut times = Times { durations: BTreeMap::new(), brackets: !names::is_stestr(path) };
    for run in runs {
        let file = create(&new.path().join(run.id.to_string())).with_context(cannot)?;
        write_run(repository, run, file, &mut times)
            .with_context(|| format!("cannot write run {}", run.id))?;
    }
    let failing = create(&new.path().join("failing")).with_context(cannot)?;
    write_failing(repository, failing).context("cannot write the failing set")?;
    dumb::write(new.path(), "times.dbm", &times.durations).with_context(cannot)?;
    let next = runs.iter().map(|run| run.id.0).max().unwrap_or_default().saturating_add(1);
    fs::write(new.path().join("next-stream"), format!("{next}\n")).with_context(cannot)?;
    fs::write(new.path().join("format"), "1\n").with_context(cannot)?;
    fs::rename(new.path(), path).with_context(cannot)?;
    let _ = new.keep();
    Ok(())
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    File::create_new(path).map(BufWriter::new)
}

fn write_run(
    repository: &Repository,
    run: &StoredRun,
    file: BufWriter<File>,
    times: &mut Times,
) -> anyhow::Result<()> {
    let mut writer = V1Writer::new(file);
    let sink = (Tests { inner: &mut writer, failures: false }, times);
    drive(repository.stream(run.id)?, &mut SplitAttachments::new(Records::new(sink)))?;
    if let Some(why) = against(run) {
        fail_run(run.id, &why, &mut writer)?;
    }
    Ok(writer.into_inner().flush()?)
}

/// What speaks against a run that its tests do not say: `testr` would take it for one that passed.
fn against(run: &StoredRun) -> Option<String> {
    let exit = run.end.as_ref().and_then(|end| end.exit).filter(|exit| *exit != 0);
    match run.standing() {
        Standing::Failed if run.counts.is_success() => {
            Some(format!("the command exited with {}\n", exit.unwrap_or_default()))
        }
        Standing::Incomplete => Some("the run is incomplete\n".to_owned()),
        _ => None,
    }
}

fn fail_run(run: RunId, why: &str, writer: &mut V1Writer<BufWriter<File>>) -> io::Result<()> {
    let mut records = Records::new(writer);
    let text = format!("run {run}: {why}");
    records.status(&Event {
        test_id: Some(RUN),
        status: Some(Status::Fail),
        mime_type: Some(TEXT_TYPE),
        eof: true,
        ..Event::file("traceback", text.as_bytes())
    })?;
    records.stop_run()
}

/// The failing tests with all that came with them, and what failed of runs as a whole.
fn write_failing(repository: &Repository, file: BufWriter<File>) -> anyhow::Result<()> {
    let mut writer = V1Writer::new(file);
    let failing = repository.failing()?;
    for test in failing.tests {
        let mut sink = SplitAttachments::new(Records::new(Tests { inner: &mut writer, failures: true }));
        match repository.log(test.run, &test.test_id, Some(test.route_code.as_deref()), &mut sink) {
            Err(repository::Error::Pruned(_)) => bare(&test.test_id, &mut writer)?,
            logged => drop(logged?),
        }
    }
    for run in failing.runs {
        let of_run = |event: &Event<'_>| match event.test_id {
            Some(id) => id == DAMAGE_ID,
            None => event.status.is_some_and(Status::is_failure),
        };
        match repository.stream(run.id) {
            Err(repository::Error::Pruned(_)) => fail_run(run.id, "it failed as a whole\n", &mut writer)?,
            stream => drive(stream?, &mut SplitAttachments::new(Records::new(&mut writer)).filtered(of_run))?,
        }
    }
    Ok(writer.into_inner().flush()?)
}

/// A failing test of which nothing else is left.
fn bare(id: &str, writer: &mut V1Writer<BufWriter<File>>) -> io::Result<()> {
    let mut records = Records::new(writer);
    records.status(&Event::status(id, Status::Fail))?;
    records.stop_run()
}

/// The tests of a run, and what failed without being one. Text is left out: `testr` stores none, and would print it
/// among the packets when it is asked for a stream.
struct Tests<S> {
    inner: S,
    /// Whether failures are all that is wanted: a test may have passed and failed in one run.
    failures: bool,
}

impl<S: RecordSink> RecordSink for Tests<S> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if self.failures && !record.outcome().is_failure() { Ok(()) } else { self.inner.record(record) }
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if status.is_failure() { self.inner.global_status(event, status) } else { Ok(()) }
    }
}

/// How long tests took last.
struct Times {
    durations: BTreeMap<String, String>,
    /// Whether ids keep what they have in brackets.
    brackets: bool,
}

impl RecordSink for Times {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let has_run = !matches!(record.outcome(), Outcome::Exists | Outcome::Unfinished);
        if let Some(duration) = record.duration().filter(|_| has_run) {
            let id = record.test_id();
            let key = if self.brackets { id.into() } else { names::without_brackets(id) };
            self.durations.insert(key.into_owned(), format!("{:?}", duration.as_secs_f64()));
        }
        Ok(())
    }
}
