//! `subunit merge`: several runs or files as one run, and what is missing or doubled in it.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use cli::value::NamedFile;
use cli::{Streams, Verdict, VerdictArgs};
use foldhash::fast::RandomState;
use formats::text::title;
use process::Interrupt;
use repository::{Repository, RunEnd, RunRef, RunState, StoredRun};
use streamresult::{DAMAGE_ID, Outcome, StreamResult};
use subunit::{Event, Status};

use super::command::RepositoryCommand;
use super::display::Count;
use super::list;
use super::load::{RunInfoArgs, conclude};
use super::repo_args::RepoArgs;
use super::sniff::Protocol;
use super::source::{self, Source};
use super::store::Store;

/// Store several runs as one, and tell what is missing or doubled
///
/// A SOURCE is a run (its number, -1, `latest`, `latest-failing`) or a file; `./42` is a file. Its NAME, or its
/// number from 0 on, is put before the routes of its packets.
///
/// A test is `missing` when a source announced it, or the --list names it, and no source ran it; it is `doubled` when
/// several ran it. When a test or a source is missing, or a source is empty, the run is incomplete; it is stored all
/// the same.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "the runs succeeded, nothing is missing, and nothing is failing",
        Failed = "a run failed",
        Incomplete = "something is missing: a test, or a source",
        Nothing,
        Outstanding,
    ],
    "  subunit merge 40 41 42\n  \
       subunit merge --expect 4 shard-*.subunit\n  \
       subunit merge --list tests.txt x86=shard-1.subunit arm=shard-2.subunit"
))]
pub struct Merge {
    /// Runs and files, in the order in which they are stored; `-` is stdin
    #[arg(value_name = "[NAME=]SOURCE", required = true, allow_negative_numbers = true)]
    sources: Vec<NamedFile>,
    /// Report tests of this file that did not run as missing; it has one id per line
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// There are to be N sources: the run is incomplete when fewer are named here, and it is said when there are more
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
    #[command(flatten)]
    about: RunInfoArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl RepositoryCommand for Merge {
    const NAME: &'static str = "subunit merge";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.repository()?;
        let Streams { input, output, errors, interrupt, .. } = streams;
        let listed = self.listed()?;
        let Parts { sources, whole, exit } = self.open(repository, input, &interrupt)?;
        let came = sources.len();
        let is_less = self.expect.is_some_and(|expected| came < expected);
        let writer = repository.begin(self.about.info(repository, &interrupt))?;
        let id = writer.id();
        let mut store = Store::new(writer, None);
        let mut seen = SourcesByTest::default();
        let mut silent = Vec::new();
        for source in sources {
            let name = source.route.clone().unwrap_or_default();
            seen.begin_source();
            source.pass(&mut store, Some(&mut seen)).with_context(|| format!("run {id} is incomplete"))?;
            silent.extend((!seen.has_events).then_some(name));
        }
        let was_stopped = interrupt.has_come();
        let missing = seen.missing(&listed);
        let is_whole = whole && missing == 0 && silent.is_empty() && !is_less;
        let end = self.about.end();
        let (run, _) = store.finish(RunEnd {
            interrupted: was_stopped,
            incomplete: !is_whole,
            exit: end.exit.or(exit),
            ..end
        })?;
        tell(repository, &run, &seen, &listed, output)?;
        for name in silent {
            writeln!(errors, "the source {name} says nothing")?;
        }
        if let Some(expected) = self.expect.filter(|expected| *expected != came) {
            let so = if is_less { ": the run is incomplete" } else { "" };
            writeln!(
                errors,
                "--expect says {}, and {came} came{so}",
                Count(expected as u64, "source", "sources")
            )?;
        }
        Ok(self.verdict.apply(conclude(repository, &run, errors)?))
    }
}

impl Merge {
    fn listed(&self) -> anyhow::Result<BTreeSet<String>> {
        let Some(path) = &self.list else { return Ok(BTreeSet::new()) };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    fn open(
        &self,
        repository: &Repository,
        stdin: Box<dyn io::Read + Send>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Parts> {
        let files = source::or_stdin(self.sources.clone());
        ensure!(files.iter().filter(|file| file.is_stdin()).count() < 2, "stdin can be read only once");
        let routes = source::routes(&files);
        let mut stdin = Some(stdin);
        let mut parts = Parts { sources: Vec::new(), whole: true, exit: None };
        for (file, route) in files.into_iter().zip(routes) {
            let name = file.path.to_str().and_then(|name| name.parse::<RunRef>().ok());
            if let Some(name) = name {
                parts.push_run(repository, &repository.run(name)?, route)?;
            } else {
                let stdin = if file.is_stdin() { stdin.take() } else { None };
                parts.sources.push(source::open_one(file, Some(route), stdin, interrupt)?);
            }
        }
        Ok(parts)
    }
}

/// What is merged.
struct Parts {
    sources: Vec<Source>,
    /// Whether all runs among them are complete.
    whole: bool,
    /// The exit status of a run's command that failed.
    exit: Option<i32>,
}

impl Parts {
    fn push_run(&mut self, repository: &Repository, run: &StoredRun, route: String) -> anyhow::Result<()> {
        if run.state == RunState::Running {
            bail!(repository::Error::Running(run.id));
        }
        self.whole &= run.state == RunState::Complete;
        let exit = run.end.as_ref().and_then(|end| end.exit);
        self.exit = self.exit.or(exit.filter(|exit| *exit != 0));
        let stream = repository.stream(run.id)?.take(run.bytes.saturating_sub(run.tail));
        let protocol = Some(Protocol::V2);
        self.sources.push(Source { route: Some(route), input: Box::new(stream), protocol, is_live: false });
        Ok(())
    }
}

/// What is known of each test while sources are gone through: a hash of its id, and who ran it.
#[derive(Debug, Default)]
struct SourcesByTest {
    hasher: RandomState,
    tests: HashMap<u64, RanIn, RandomState>,
    source: u32,
    has_events: bool,
}

/// Who ran a test: nobody, one source, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RanIn {
    #[default]
    None,
    One(u32),
    Several,
}

impl SourcesByTest {
    fn begin_source(&mut self) {
        self.source += 1;
        self.has_events = false;
    }

    fn get(&self, id: &str) -> RanIn {
        self.tests.get(&self.hasher.hash_one(id)).copied().unwrap_or_default()
    }

    /// How many tests were announced or are listed, and did not run.
    fn missing(&self, listed: &BTreeSet<String>) -> usize {
        let announced = self.tests.values().filter(|ran| **ran == RanIn::None).count();
        let is_unheard = |id: &&String| !self.tests.contains_key(&self.hasher.hash_one(id.as_str()));
        announced + listed.iter().filter(is_unheard).count()
    }
}

impl StreamResult for SourcesByTest {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.has_events |= event.test_id.is_some() || event.status.is_some();
        let Some(id) = event.test_id.filter(|id| *id != DAMAGE_ID) else { return Ok(()) };
        let ran = self.tests.entry(self.hasher.hash_one(id)).or_default();
        // A file alone does not say that the test ran.
        if !matches!(event.status, None | Some(Status::Exists)) {
            *ran = match *ran {
                RanIn::None => RanIn::One(self.source),
                RanIn::One(source) if source == self.source => *ran,
                RanIn::One(_) | RanIn::Several => RanIn::Several,
            };
        }
        Ok(())
    }
}

/// Writes a line for each test that is missing or doubled.
fn tell(
    repository: &Repository,
    run: &StoredRun,
    seen: &SourcesByTest,
    listed: &BTreeSet<String>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut doubled = DuplicateTest::default();
    let mut announced = BTreeSet::new();
    list::each(repository, run.id, |result| {
        match seen.get(result.test_id) {
            RanIn::None
                if result.outcome == Outcome::Exists && announced.insert(result.test_id.to_owned()) =>
            {
                writeln!(out, "missing: {}", title(result.test_id, None))?;
            }
            RanIn::Several if result.outcome != Outcome::Exists => {
                doubled.add(result.test_id, result.route_code, out)?;
            }
            _ => {}
        }
        Ok(())
    })?;
    doubled.end(out)?;
    for id in listed.iter().filter(|id| seen.get(id) == RanIn::None && !announced.contains(*id)) {
        writeln!(out, "missing: {}", title(id, None))?;
    }
    Ok(())
}

/// The sources of a test that several ran; its results follow each other.
#[derive(Debug, Default)]
struct DuplicateTest {
    test_id: String,
    sources: BTreeSet<String>,
}

impl DuplicateTest {
    fn add(&mut self, test_id: &str, route_code: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
        if self.test_id != test_id {
            self.end(out)?;
            test_id.clone_into(&mut self.test_id);
        }
        let route = route_code.unwrap_or_default();
        let source = route.split_once('/').map_or(route, |(source, _)| source);
        if !self.sources.contains(source) {
            self.sources.insert(source.to_owned());
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let sources = std::mem::take(&mut self.sources);
        if sources.is_empty() {
            return Ok(());
        }
        let sources: Vec<String> = sources.into_iter().collect();
        writeln!(out, "doubled: {} (by {})", title(&self.test_id, None), title(&sources.join(", "), None))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    #[test]
    fn runs_are_merged_with_a_route_each() {
        let repo = Repo::with(&[&["a success", "b success @w"], &["c success"]]);
        repo.check(&["merge", "1", "arm=-1"], 0, "");
        repo.check(&["list", "--route"], 0, "0\ta\n0/w\tb\narm\tc\n");
    }

    #[test]
    fn what_nobody_ran_is_missing_and_the_run_incomplete() {
        let repo = Repo::with(&[&["a success", "b exists", "c exists"], &["b success"]]);
        repo.check(&["merge", "1", "2"], 3, "missing: c\n");
        repo.check(&["last"], 3, "INCOMPLETE  2 tests: 2 passed, 2 announced but not run\n");
        let list = repo.path().join("list");
        std::fs::write(&list, "a\nb\nx\n").unwrap();
        repo.check(&["merge", "--list", list.to_str().unwrap(), "1", "2"], 3, "missing: c\nmissing: x\n");
    }

    #[test]
    fn what_several_ran_is_doubled() {
        let repo = Repo::with(&[&["a success", "b success"], &["b fail @w", "b fail"]]);
        repo.check(&["merge", "1", "2"], 1, "doubled: b (by 0, 1)\n");
    }

    #[test]
    fn a_source_that_is_missing_makes_the_run_incomplete() {
        let repo = Repo::with(&[&["a success"], &[]]);
        let outcome = repo.run(&["merge", "1", "2"], b"");
        assert_eq!(outcome.verdict.code(), 3);
        assert!(
            outcome.errors().starts_with("the source 1 says nothing\nrun 3: INCOMPLETE"),
            "{}",
            outcome.errors()
        );
        let outcome = repo.run(&["merge", "--expect=3", "1", "w=1"], b"");
        assert_eq!((outcome.verdict.code(), outcome.output()), (3, "doubled: a (by 0, w)\n"));
        assert!(
            outcome.errors().starts_with("--expect says 3 sources, and 2 came: the run is incomplete\n"),
            "{}",
            outcome.errors()
        );
        assert_eq!(repo.run(&["merge", "1", "7"], b"").errors(), "subunit merge: there is no run 7\n");
    }

    #[test]
    fn a_run_that_failed_by_its_exit_status_fails_the_whole() {
        let repo = Repo::with(&[&["a success"]]);
        repo.run(&["load", "--exit=9"], &stream(&["b success"]));
        repo.check(&["merge", "1", "2"], 1, "");
    }
}
