//! `subunit import`: takes over the runs of another tool's repository.

mod ducktape;
mod failing;
mod file_repository;
mod find;
mod inquest;
mod inquest_table;
mod inspect;
mod journal;
mod read_only;
mod source;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod timings;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use cli::{Streams, Verdict};
use process::Interrupt;
use repository::{Repository, RunId, RunState, RunWriter, Tool};
use subunit::Timestamp;

use self::journal::{Entry, Journal};
use self::source::{Content, Source, SourceRun};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;

/// Take over the runs of testrepository, stestr, inquest or ducktape
///
/// Each run is imported once, in the order of the other repository, which is not changed. Import again to add what is
/// new there. Runs keep their tests, times, tags, attachments and packets; their command says which run they were.
/// Durations of tests that are in no run are kept in a run that announces these tests.
///
/// If there is no repository of ours, one is made: next to the other one, or where -C says. A repository that makes no
/// sense is refused as a whole, before anything is imported.
///
/// With --ducktape, each session is a run, and the logs of a test are its attachments: of long ones the last 16 MiB. A
/// module that could not be imported, a test whose process left no result, and totals that are not those of the tests
/// are failures, though ducktape may have ended with 0.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "the runs are imported, whatever their tests did; stderr tells what could not be",
        Nothing = "there are no runs",
    ],
    "  subunit import\n  \
       subunit import ../old/.testrepository\n  \
       subunit import --ducktape results\n  \
       subunit -C results import ../old"
))]
pub struct Import {
    /// The repository to read, or the folder that it is in; without this, the nearest from the working directory up
    #[arg(value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Import also runs that are older than the latest one here, though they then decide what is failing
    #[arg(long)]
    older_too: bool,
    /// Read a repository that has runs of both version 1 and version 2 of the protocol
    #[arg(long)]
    mixed: bool,
    /// Read a session of ducktape, or all sessions of its results; without FOLDER, those in `results`
    #[arg(long, conflicts_with = "mixed")]
    ducktape: bool,
}

impl RepositoryCommand for Import {
    const NAME: &'static str = "subunit import";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { output, errors, interrupt, .. } = streams;
        let source = self.source(repo)?;
        source.notes.iter().try_for_each(|note| writeln!(errors, "{note}"))?;
        if source.runs.is_empty() {
            writeln!(output, "there are no runs in {}", source.path.display())?;
            return Ok(Verdict::Nothing);
        }
        let made;
        let repository = match self.repository(repo, &source.path)? {
            Target::Existing(repository) => repository,
            Target::Created(repository) => {
                writeln!(errors, "made {}", repository.path().display())?;
                made = repository;
                &made
            }
        };
        let done = self.import(repository, &source, errors, &interrupt)?;
        done.tell(&source, output)?;
        if done.left == 0 {
            failing::compare(repository, &source, errors)?;
        }
        Ok(Verdict::Passed)
    }
}

impl Import {
    /// What is imported.
    fn source(&self, repo: &RepoArgs) -> anyhow::Result<Source> {
        if self.ducktape {
            return ducktape::read(self.from.as_deref());
        }
        let foreign = find::find(self.from.as_deref(), repo)?;
        find::refuse_pipes(&foreign.path)?;
        match foreign.tool {
            Tool::Inquest => inquest::read(&foreign),
            _ => file_repository::read(&foreign, self.mixed),
        }
    }

    /// Our repository, or a new one: next to the other one, unless a folder was named.
    fn repository<'p>(&self, repo: &'p RepoArgs, path: &Path) -> anyhow::Result<Target<'p>> {
        match repo.repository() {
            Err(repository::Error::NoRepository { .. }) => {}
            found => return Ok(Target::Existing(found?)),
        }
        let is_named = self.from.is_some() || repo.folder().is_some();
        let beside = path.parent().filter(|folder| !is_named && !folder.as_os_str().is_empty());
        match beside {
            Some(beside) => Ok(Target::Created(Repository::init(beside)?)),
            None => Ok(Target::Created(repo.make()?.clone())),
        }
    }

    fn import(
        &self,
        repository: &Repository,
        source: &Source,
        errors: &mut dyn Write,
        interrupt: &Interrupt,
    ) -> anyhow::Result<ImportReport> {
        let mut journal = Journal::open(repository.path())?;
        let known = known(repository, source, &journal)?;
        let new = new_runs(source, &known, errors)?;
        if !self.older_too {
            refuse_older(repository, source, &new)?;
        }
        let mut done = ImportReport { known: source.runs.len() - new.len(), ..ImportReport::default() };
        for (number, (run, entry)) in new.iter().enumerate() {
            if interrupt.has_come() {
                done.left = new.len() - number;
                break;
            }
            done.imported.push(take(repository, run, entry, &mut journal)?);
        }
        Ok(done)
    }
}

enum Target<'p> {
    Existing(&'p Repository),
    Created(Repository),
}

/// What was imported in whole. A number that an import announced and did not come to use may be another run's, which
/// began at another time.
fn known(
    repository: &Repository,
    source: &Source,
    journal: &Journal,
) -> anyhow::Result<HashSet<journal::Key>> {
    let runs = repository.runs()?;
    let whole = runs.iter().filter(|run| run.end.is_some() && run.state != RunState::Running);
    let whole: HashMap<RunId, Option<Timestamp>> = whole.map(|run| (run.id, run.info.start)).collect();
    let began: HashMap<(&str, &str), Option<Timestamp>> =
        source.runs.iter().map(|run| ((&*run.name, &*run.digest), run.info.start)).collect();
    let entries = journal.entries().iter().filter(|entry| {
        let there = began.get(&(&*entry.name, &*entry.digest));
        whole.get(&entry.run).is_some_and(|start| there.is_none_or(|there| there == start))
    });
    Ok(entries.map(Entry::key).collect())
}

/// The runs that were not imported before, each with the entry it will have.
fn new_runs<'s>(
    source: &'s Source,
    known: &HashSet<journal::Key>,
    errors: &mut dyn Write,
) -> anyhow::Result<Vec<(&'s SourceRun, Entry)>> {
    let mut new = Vec::new();
    for run in &source.runs {
        let entry = Entry::of(source, run);
        let was_there = known.iter().any(|(tool, name, _)| *tool == entry.tool && *name == entry.name);
        // What has no run is taken once: afterwards all runs come by themselves.
        let is_timings = matches!(run.content, Content::Timings(..));
        if known.contains(&entry.key()) || was_there && is_timings {
            continue;
        }
        if was_there {
            let path = source.path.display();
            writeln!(errors, "run {} of {path} has changed: it is imported again", run.name)?;
        }
        new.push((run, entry));
    }
    Ok(new)
}

/// Runs get the next numbers, so that what failed or passed in an older one would count as the latest news.
fn refuse_older(repository: &Repository, source: &Source, new: &[(&SourceRun, Entry)]) -> anyhow::Result<()> {
    let latest = repository.runs()?.into_iter().filter_map(|run| Some((run.start()?, run.id))).max();
    let is_older = |run: &SourceRun| latest.is_some_and(|(latest, _)| run.start() < latest);
    let older: Vec<&str> = new.iter().filter(|(run, _)| is_older(run)).map(|(run, _)| &*run.name).collect();
    if let (Some((_, id)), [first, ..]) = (latest, &*older) {
        let (path, count) = (source.path.display(), older.len());
        bail!(
            "{count} runs of {path}, from {first} on, are older than run {id} here, and would be numbered after it: \
             what they say would decide what is failing. --older-too imports them; -C names another repository"
        );
    }
    Ok(())
}

fn take(
    repository: &Repository,
    run: &SourceRun,
    entry: &Entry,
    journal: &mut Journal,
) -> anyhow::Result<RunId> {
    let mut writer: RunWriter = repository.begin_apart(run.info.clone())?;
    run.write(&mut writer)?;
    // In this order: whatever becomes of this process, the run is either known or not there.
    let announce = |id| journal.push(Entry { run: id, ..entry.clone() }).map_err(io::Error::other);
    Ok(writer.finish_as(run.end.clone(), announce)?.id)
}

/// What became of the runs of the other repository.
#[derive(Debug, Default)]
struct ImportReport {
    imported: Vec<RunId>,
    /// How many were imported before.
    known: usize,
    /// How many were not, because the command was stopped.
    left: usize,
}

impl ImportReport {
    fn tell(&self, source: &Source, output: &mut dyn Write) -> anyhow::Result<()> {
        let path = source.path.display();
        match &*self.imported {
            [] => write!(output, "imported no run of {path}")?,
            [id] => write!(output, "imported 1 run of {path}: {id}")?,
            [first, .., last] => {
                write!(output, "imported {} runs of {path}: {first} to {last}", self.imported.len())?;
            }
        }
        if self.known > 0 {
            write!(output, "; {} had been imported before", self.known)?;
        }
        if self.left > 0 {
            write!(output, "; {} are left", self.left)?;
        }
        Ok(writeln!(output)?)
    }
}

impl SourceRun {
    /// When it began; every run has such a time, its file's if no other.
    fn start(&self) -> Timestamp {
        self.info.start.unwrap_or_default()
    }
}
