//! Streams and repositories to test with.

use std::fmt::Write as _;
use std::io::Read;

use repository::{Flakiness, Repository, Result, RunEnd, RunInfo, RunRef, StoredRun};
use subunit::io::Writer;
use subunit::{Event, Status, Timestamp};
use tempfile::TempDir;

/// A repository that vanishes.
pub(crate) struct Temporary {
    pub(crate) folder: TempDir,
    pub(crate) repository: Repository,
}

pub(crate) fn temporary() -> Temporary {
    let folder = TempDir::new().unwrap();
    let repository = Repository::init(folder.path()).unwrap();
    Temporary { folder, repository }
}

impl Temporary {
    /// The same repository, opened by somebody else.
    pub(crate) fn again(&self) -> Repository {
        Repository::open(self.folder.path()).unwrap()
    }

    /// A file of a run.
    pub(crate) fn file(&self, run: u32, name: &str) -> std::path::PathBuf {
        self.repository.path().join(format!("runs/{run:06}/{name}"))
    }

    pub(crate) fn index(&self) -> std::path::PathBuf {
        self.repository.path().join("index.sqlite")
    }
}

/// A stream of events, each `id status`, `route:id status`, `id status~` of what cannot be run by its id, `id +TEXT` for a file, `!` for damage, `?` for text.
/// Each has a time one second after the one before.
pub(crate) fn stream(events: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (second, event) in events.iter().enumerate() {
        let timestamp = Timestamp::new(1_700_000_000 + second as u32, 1);
        let Some((id, what)) = event
            .split_once(" +")
            .map(|(id, _)| (id, &event[id.len() + 1..]))
            .or_else(|| event.rsplit_once(' '))
        else {
            let bytes =
                if *event == "!" { b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1c" } else { b"loose text.\n" };
            writer.write_bytes(bytes).unwrap();
            continue;
        };
        let (route_code, id) = id.split_once(':').map_or((None, id), |(route, id)| (Some(route), id));
        let (id, what, runnable) = match what.strip_suffix('~') {
            Some(what) => (id, what, false),
            None => (id, what, id != "-"),
        };
        let event = match (id, what.strip_prefix('+')) {
            ("-", _) => Event { status: what.parse().ok(), ..Event::default() },
            (_, Some(text)) => Event { test_id: Some(id), ..Event::file("log", text.as_bytes()) },
            (_, None) => Event::status(id, what.parse::<Status>().unwrap()),
        };
        writer.write(&Event { route_code, timestamp, runnable, ..event }).unwrap();
    }
    writer.into_inner().unwrap()
}

pub(crate) fn load(repository: &Repository, events: &[&str]) -> StoredRun {
    repository.load(&*stream(events), RunInfo::default(), RunEnd::default()).unwrap()
}

/// A stream of this many tests, a few of which fail with a log.
pub(crate) fn long_stream(tests: usize) -> Vec<u8> {
    let mut events = Vec::new();
    for number in 0..tests {
        events.push(format!("suite.test_{number} inprogress"));
        if number % 10 == 3 {
            events.push(format!("suite.test_{number} +{}", "long line\n".repeat(number % 97)));
        }
        events.push(format!("suite.test_{number} {}", if number % 10 == 3 { "fail" } else { "success" }));
    }
    stream(&events.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(crate) fn bytes(repository: &Repository, run: impl Into<RunRef>) -> Vec<u8> {
    let mut bytes = Vec::new();
    repository.stream(run).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// What the repository fails, as `route:id outcome run`, and `run N` for runs.
pub(crate) fn failing(repository: &Repository) -> Vec<String> {
    let failing = repository.failing().unwrap();
    let tests = failing.tests.iter().map(|test| {
        let route = test.route_code.as_ref().map_or_else(String::new, |route| format!("{route}:"));
        format!("{route}{} {} {}", test.test_id, test.outcome, test.run)
    });
    let runs = failing.runs.iter().map(|run| format!("run {}", run.id));
    tests.chain(runs).chain(failing.lost.iter().map(|run| format!("lost {}", run.id))).collect()
}

/// All that can be asked, answered.
pub(crate) fn all_answers(repository: &Repository) -> String {
    let mut out = String::new();
    let runs = repository.runs().unwrap();
    writeln!(out, "{runs:#?}\n{:#?}\n{:#?}", repository.failing(), repository.stats()).unwrap();
    writeln!(out, "{:#?}", repository.flaky(Flakiness::default())).unwrap();
    for run in &runs {
        writeln!(out, "{:?}", repository.outstanding(run.id)).unwrap();
    }
    let mut ids = std::collections::BTreeSet::new();
    for run in &runs {
        let told: Result<()> = repository.for_each_result(run.id, |result| {
            ids.insert(result.test_id.to_owned());
            writeln!(out, "{result:?}").unwrap();
        });
        writeln!(out, "{told:?}\n{:?}", repository.slowest(run.id, 7)).unwrap();
    }
    for id in ids.iter().take(20) {
        writeln!(out, "{id}: {:?}", repository.history(id)).unwrap();
    }
    out
}
