//! `subunit run`: runs the tests of a project, or any command, and stores the run.

mod changes;
mod choice;
pub mod guard;
mod part;
mod project;
mod retry;
mod sample;
mod session;
mod steps;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use cli::value::duration;
use cli::{Streams, Verdict, VerdictArgs};
use plan::Plan;
use plan::task::variable;
use process::{Interrupt, shell_word};
use repository::{Error, Repository, RunState, StoredRun};
use runner::suite::{Format, Limits, Listing, Suite, Test, Tests};

use super::command::RepositoryCommand;
use super::display;
use super::repo_args::RepoArgs;
use super::report::ReportArgs;
use super::run_status::RunStatus;
use changes::FailingBefore;
use choice::ChoiceArgs;
use guard::Guard;
use part::Part;
use project::Project;
use retry::RetryArgs;
use session::{Done, Session};

/// What a test is called that is about the listing of tests.
const LISTING: &str = "subunit-run.listing";

/// Run the tests of this project, or any command, and store the run
///
/// The project's tests are those that subunit.toml, .testr.conf, .stestr.conf, pyproject.toml (tool.stestr) or tox.ini
/// (stestr) describe, in the working directory or above it; or, with --auto, those of the runners whose projects are
/// here (`subunit presets`). They are listed first; then workers run them in batches: the longest first, by the durations
/// of earlier runs. There is a worker for each core where stestr has that, or the runner itself runs tests at the same
/// time; else there is one, unless --parallel or -j is given, or `workers` in subunit.toml.
///
/// Nothing is lost: a test that was listed and not run is a failure, and so is one whose worker died or took too long,
/// with how that ended and its last words. What such a worker had not begun is run by another. A listing that fails is
/// a failing test, subunit-run.listing, and a worker that ends badly though no test failed is one, too.
///
/// With `-- COMMAND`, that is run as it is. What it writes may be a stream, TAP, or the output of go test -json or
/// cargo test: its lines tell. A command that tells of no tests is one itself, and passes with exit code 0.
///
/// The run is stored as it goes, in a repository that is made where there is none. The report is on stdout; what workers
/// print beside their tests goes to stderr. With several workers, tests have the tag worker-N.
#[derive(clap::Args, Debug)]
#[command(
    override_usage = "subunit run [OPTIONS] [FILE.toml] [NAME|REGEX]...\n       subunit run [OPTIONS] -- COMMAND [ARG]...",
    after_help = cli::help!(
        [
            Passed = "the run succeeded, and nothing is failing",
            Failed = "a test failed, was not run, passed though it was expected to fail, or could not be listed",
            Incomplete,
            Nothing = "no test was run: there is none, or none was chosen",
            Outstanding,
        ],
        "  subunit run\n  \
           subunit run -j 8 --timeout 5m 'test_login|test_logout'\n  \
           subunit run --auto --list\n  \
           subunit run --failing\n  \
           subunit run --until-failure net.test_boot\n  \
           subunit run -- go test -json ./...\n  \
           subunit run --subunit | subunit2junitxml >report.xml"
    )
)]
pub struct Run {
    /// Run only these suites and tasks of subunit.toml, with what they need, and only the tests in whose ids one of these
    /// regular expressions is found; a first word that is a file of TOML is read in place of subunit.toml
    #[arg(value_name = "NAME|REGEX", conflicts_with = "command")]
    words: Vec<String>,
    /// Run this command instead of the project's tests
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<OsString>,
    /// Read this configuration file; its name tells whether it is ours, testrepository's or stestr's
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    config: Option<PathBuf>,
    /// Look what the project is by its files, say so, and run its tests by the presets for it
    #[arg(long, conflicts_with_all = ["command", "config"])]
    auto: bool,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// List the tests that would be run, one per line, and run none
    #[arg(long, conflicts_with_all = ["command", "subunit"])]
    list: bool,
    /// Look whether all is sound in the configuration, and run nothing
    #[arg(long, conflicts_with_all = ["command", "list"])]
    check: bool,
    /// Write what subunit.toml may hold, as a JSON schema, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
    #[command(flatten)]
    workers: WorkerArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    retry: RetryArgs,
    /// What COMMAND writes
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "auto",
        requires = "command",
        help_heading = "Commands"
    )]
    format: FormatName,
    /// The id of the test that COMMAND is, where it tells of no others; without this, its words
    #[arg(long, value_name = "ID", requires = "command", help_heading = "Commands")]
    id: Option<String>,
    /// Run again and again, this often at most; each is a run of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Again")]
    repeat: Option<u32>,
    /// Run again until a run fails
    #[arg(long, help_heading = "Again")]
    until_failure: bool,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Workers")]
struct WorkerArgs {
    /// Run this many workers at a time; 0 is one for each core
    #[arg(short = 'j', long = "workers", visible_alias = "concurrency", value_name = "N")]
    count: Option<usize>,
    /// Run one worker for each core, or as many as the configuration says
    #[arg(long, conflicts_with_all = ["serial", "count"])]
    parallel: bool,
    /// Run one worker
    #[arg(long, conflicts_with = "count")]
    serial: bool,
    /// Run each test, or each group of tests, in a worker of its own
    #[arg(long, conflicts_with = "command")]
    isolated: bool,
}

#[derive(clap::Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// End a worker when one of its tests takes longer, which is a failure of that test: 30s, 5m. Of COMMAND this is its
    /// own limit, until it tells of tests
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// End a worker that says nothing for this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle_timeout: Option<Duration>,
    /// Give up listing the tests after this
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    list_timeout: Option<Duration>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum FormatName {
    /// Found out by its lines
    Auto,
    /// Nothing about tests: the command is one
    Exit,
    /// A stream
    Subunit,
    /// A stream of version 1
    V1,
    /// TAP
    Tap,
    /// What go test -json writes
    Gojson,
    /// What cargo test writes
    Libtest,
    /// JUnit XML
    Junit,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Auto => Format::Auto,
            FormatName::Exit => Format::Exit,
            FormatName::Subunit => Format::Subunit,
            FormatName::V1 => Format::V1,
            FormatName::Tap => Format::Tap,
            FormatName::Gojson => Format::GoJson,
            FormatName::Libtest => Format::Libtest,
            FormatName::Junit => Format::Junit,
        }
    }
}

impl RepositoryCommand for Run {
    const NAME: &'static str = "subunit run";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if self.schema {
            streams.output.write_all(plan::schema().as_bytes())?;
            return Ok(Verdict::Passed);
        }
        let interrupt = &streams.interrupt;
        let Project { folder, mut plan, filters, is_all } = self.project(streams.errors)?;
        if self.check {
            let (suites, tasks) = (plan.suites.len(), plan.tasks.len());
            writeln!(streams.output, "sound: {suites} suites and {tasks} tasks")?;
            return Ok(Verdict::Passed);
        }
        let mut guard = Guard::start().context("cannot start what ends workers when this is killed")?;
        prepare(&mut plan, &mut guard)?;
        let parts = self.parts(&plan.suites, interrupt)?;
        if self.list {
            return self.list(repo, &plan, &parts, &filters, streams);
        }
        let repository = self.repository(repo, &folder, streams.errors)?;
        let planned = Planned { plan: &plan, guard: &guard, filters: &filters, is_all };
        let ran = self.rounds(repository, planned, &parts, streams);
        let disposed = Part::dispose(parts);
        let verdict = ran?;
        disposed?;
        Ok(self.verdict.apply(verdict))
    }
}

impl Run {
    /// What is run: the project's tests, or the command.
    fn project(&self, errors: &mut dyn Write) -> anyhow::Result<Project> {
        if !self.command.is_empty() {
            let words: Vec<String> =
                self.command.iter().map(|word| shell_word(&word.to_string_lossy()).into_owned()).collect();
            let suite = Suite {
                folder: ".".into(),
                command: format!("exec {}", words.join(" ")),
                ..Suite::default()
            };
            let plan = Plan::of_suites(vec![suite]);
            return Ok(Project { folder: ".".into(), plan, filters: Vec::new(), is_all: true });
        }
        match &self.config {
            Some(path) => Project::of_file(path, &self.words),
            None if self.auto => Project::guessed(&self.words, errors),
            None if names_a_plan(self.words.first()) => {
                let (path, words) = self.words.split_first().context("no plan is named")?;
                Project::of_file(Path::new(path), words)
            }
            None => Project::here(&self.words),
        }
    }

    /// The suites, with their tests.
    fn parts<'s>(&self, suites: &'s [Suite], interrupt: &Interrupt) -> anyhow::Result<Vec<Part<'s>>> {
        let is_one = suites.len() == 1;
        let mut parts = Vec::new();
        for suite in suites {
            let count = self.worker_count(suite, interrupt)?;
            let limits = self.limits.over(suite.limits);
            let listing = if is_one { LISTING.to_owned() } else { format!("{LISTING}.{}", suite.name) };
            let part = Part::prepare(suite, count, limits, listing, interrupt)?;
            parts.push(Part { retries: self.retry.over(suite.retries), ..part });
        }
        Part::are_apart(&parts)?;
        Ok(parts)
    }

    fn worker_count(&self, suite: &Suite, interrupt: &Interrupt) -> anyhow::Result<usize> {
        match self.workers.count {
            _ if !self.command.is_empty() || self.workers.serial => Ok(1),
            Some(0) => Ok(cores()),
            Some(count) => Ok(count),
            None if suite.workers.is_some() => Ok(suite.workers.unwrap_or(1)),
            None if !self.workers.parallel && !suite.is_parallel => Ok(1),
            None => Ok(suite.concurrency(interrupt).context("test_run_concurrency")?.unwrap_or_else(cores)),
        }
    }

    fn list(
        &self,
        repo: &RepoArgs,
        plan: &Plan,
        parts: &[Part<'_>],
        filters: &[String],
        streams: Streams<'_>,
    ) -> anyhow::Result<Verdict> {
        let tasks = self.choice.choose(&tasks(plan), filters, &|| Ok(repo.repository()?))?;
        let (chosen, notes) = self.choice.of_parts(parts, &tasks, filters, &|| Ok(repo.repository()?))?;
        notes.iter().try_for_each(|note| writeln!(streams.errors, "{note}"))?;
        let mut ids = tasks.ids;
        for (Part { suite, listing, .. }, chosen) in parts.iter().zip(chosen) {
            match listing {
                Listing::Tests(tests) => {
                    if let Some(why) = &tests.failure {
                        bail!("{}", why.trim_end());
                    }
                    ids.extend(chosen.ids);
                }
                Listing::Unknown => bail!("{} does not say how to list tests", suite.source.display()),
                Listing::Failed(why) => bail!("{}", why.trim_end()),
                Listing::Interrupted => return Ok(Verdict::Passed),
            }
        }
        ids.iter().try_for_each(|id| writeln!(streams.output, "{}", formats::visible::line(id)))?;
        Ok(if ids.is_empty() { Verdict::Nothing } else { Verdict::Passed })
    }

    fn repository<'r>(
        &self,
        repo: &'r RepoArgs,
        folder: &Path,
        errors: &mut dyn Write,
    ) -> anyhow::Result<&'r Repository> {
        match repo.repository() {
            Err(Error::NoRepository { .. }) => {
                let made = repo.make_in(folder)?;
                writeln!(errors, "made {}", made.path().display())?;
                Ok(made)
            }
            found => Ok(found?),
        }
    }

    /// Runs the tests as often as is wanted.
    fn rounds(
        &self,
        repository: &Repository,
        planned: Planned<'_>,
        parts: &[Part<'_>],
        streams: Streams<'_>,
    ) -> anyhow::Result<Verdict> {
        let Planned { plan, guard, filters, is_all } = planned;
        let Streams { mut input, output, errors, terminal, interrupt } = streams;
        let most = self.repeat.unwrap_or(if self.until_failure { u32::MAX } else { 1 });
        let mut worst = Verdict::Passed;
        for _ in 0..most {
            let tasks = self.choice.choose(&tasks(plan), filters, &|| Ok(repository))?;
            let (chosen, notes) = self.choice.of_parts(parts, &tasks, filters, &|| Ok(repository))?;
            notes.iter().try_for_each(|note| writeln!(errors, "{note}"))?;
            let session = Session {
                parts,
                plan: with_tasks(plan, &tasks.ids),
                is_all: is_all && tasks.is_all,
                room: self.workers.count.filter(|count| *count > 0).unwrap_or_else(cores),
                guard,
                is_isolated: self.workers.isolated,
                keeps_order: self.choice.keeps_order(),
                most_failures: self.retry.most_failures(),
                format: self.format(),
                id: self.id(),
                words: self.words(),
            };
            let streams = Streams {
                input: std::mem::replace(&mut input, Box::new(std::io::empty())),
                output: &mut *output,
                errors: &mut *errors,
                terminal,
                interrupt: interrupt.clone(),
            };
            let before = FailingBefore::of(repository)?;
            let Done { run, not_run } = session.run(repository, &chosen, &self.report, streams)?;
            if not_run > 0 {
                let tests = if not_run == 1 { "test was" } else { "tests were" };
                writeln!(errors, "stopped at a failure (--fail-fast): {not_run} {tests} not run to the end")?;
            }
            let verdict = conclude(repository, &run, &before, errors)?;
            if verdict != Verdict::Passed {
                worst = verdict;
            }
            if interrupt.has_come() || (self.until_failure && display::verdict(&run) != Verdict::Passed) {
                break;
            }
        }
        Ok(worst)
    }

    fn format(&self) -> Format {
        let program = self.command.first().map(Path::new).and_then(Path::file_stem);
        match Format::from(self.format) {
            // Its "Running tests/it.rs" is on stderr.
            Format::Auto if program.is_some_and(|name| name == "cargo") => Format::Libtest,
            format => format,
        }
    }

    fn words(&self) -> Vec<String> {
        self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.words().join(" "))
    }
}

impl LimitArgs {
    /// These, and where they say nothing those of the suite.
    fn over(self, suite: Limits) -> Limits {
        Limits {
            test: self.timeout.or(suite.test),
            idle: self.idle_timeout.or(suite.idle),
            listing: self.list_timeout.or(suite.listing),
        }
    }
}

/// What is run, as the file has it.
#[derive(Clone, Copy)]
struct Planned<'a> {
    plan: &'a Plan,
    guard: &'a Guard,
    filters: &'a [String],
    is_all: bool,
}

/// Whether this word is a plan, and neither a name nor an expression.
fn names_a_plan(word: Option<&String>) -> bool {
    let path = word.map(Path::new).filter(|path| path.extension().is_some_and(|end| end == "toml"));
    path.is_some_and(Path::is_file)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Tells suites what they have for this run.
fn prepare(plan: &mut Plan, guard: &mut Guard) -> anyhow::Result<()> {
    for (number, suite) in plan.suites.iter_mut().enumerate() {
        guard.mind(&suite.folders())?;
        suite.env.extend([guard.variable()]);
        suite.scratch = Some(guard.folder().to_owned());
        let unit = plan.parts.iter().position(|part| *part == plan::Part::Suite(number));
        let data = unit.and_then(|unit| plan.steps.get(unit)).map(|step| step.data.as_slice());
        for datum in data.unwrap_or_default() {
            let place = steps::datum_of_suite(guard.folder(), number, datum);
            suite.env.insert(variable(datum), place.display().to_string());
        }
    }
    Ok(())
}

/// The tests that tasks are.
fn tasks(plan: &Plan) -> Tests {
    Tests { all: plan.tasks.iter().map(|task| Test::from(task.id.as_str())).collect(), ..Tests::default() }
}

/// All suites, and the tasks of these ids with what they need.
fn with_tasks(plan: &Plan, ids: &[String]) -> Plan {
    let suites = plan.suites.iter().flat_map(|suite| plan.named(&suite.name));
    let units: Vec<usize> = suites.chain(ids.iter().flat_map(|id| plan.named(id))).collect();
    plan.clone().only(&units)
}

/// Says what the run is called, what changed, and what is still failing.
fn conclude(
    repository: &Repository,
    run: &StoredRun,
    before: &FailingBefore,
    errors: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let told = RunStatus::of(repository, run, display::verdict(run))?;
    let how = if run.state == RunState::Interrupted { ", interrupted" } else { "" };
    writeln!(errors, "stored as run {}{how}{}", run.id, before.changes(repository)?)?;
    told.write_others(errors)?;
    Ok(told.verdict())
}
