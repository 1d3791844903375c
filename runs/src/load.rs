//! `subunit load`: stores a stream as a run.

use std::io::Write;

use anyhow::Context as _;
use cli::value::NamedFile;
use cli::{Streams, Verdict, VerdictArgs};
use process::Interrupt;
use repository::{Counts, Repository, RunEnd, RunInfo, RunWriter, StoredRun};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::run_status::{self, RunStatus};
use super::sniff::Protocol;
use super::source;
use super::store::Store;
use super::{display, git};

/// Store a stream as a run
///
/// The bytes are stored as they come, and others can look at the run while it goes on. Where the repository is in a
/// work tree of git, the commit is recorded, and whether anything was changed since. At the end, a line on stderr
/// says how the run went, and what of earlier runs is still failing.
///
/// Several FILEs are one run: the NAME of each, or its number from 0 on, is put before the routes of its packets.
/// A stream of version 1 is recognised by its first line, and stored as version 2.
///
/// A test that failed counts as failing until it passes in some run, or fails there as expected. What a run does not
/// name stays as it was, unless --full says that there are no other tests, or the run lists its tests (as `exists`) and
/// has others in place of those that are gone. A failure that is no test, such as of setUpClass or of a build, goes
/// when a later run of its tests is whole and green; where it has none any more, when all is green that the same
/// --command runs.
///
/// A pipe is read to its end even when it cannot be stored. Otherwise a `tee` before it would be killed, and the
/// stream would be cut off for its other readers.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "the run succeeded, and nothing is failing",
        Failed = "the run failed: a test failed, passed though it was expected to fail, or never finished, the stream \
                  is damaged, or --exit is not 0",
        Incomplete,
        Nothing,
        Outstanding,
    ],
    "  make check | subunit load\n  \
       make check | tee >(subunit load) | subunit2junitxml >report.xml\n  \
       make check >run.subunit; subunit load --command 'make check' --exit $? run.subunit\n  \
       subunit load x86=shard-1.subunit arm=shard-2.subunit"
))]
pub struct Load {
    /// Streams to store, each with a route of its own when there are several; `-`, or no FILE, is stdin
    #[arg(value_name = "[NAME=]FILE")]
    files: Vec<NamedFile>,
    /// Pass the stream on to stdout, as it is stored
    #[arg(short, long)]
    forward: bool,
    /// Make a repository if there is none
    #[arg(long)]
    force_init: bool,
    #[command(flatten)]
    about: RunInfoArgs,
    /// The version of the streams; found out by itself without this
    #[arg(long, value_enum, value_name = "VERSION")]
    protocol: Option<Version>,
    #[command(flatten)]
    verdict: VerdictArgs,
}

/// What is known about a run besides its stream.
#[derive(clap::Args, Clone, Debug)]
pub struct RunInfoArgs {
    /// The command that made the stream; runs of the same one are of the same tests
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The exit status of that command: if it is not 0, the run failed, whatever its tests say
    #[arg(long, value_name = "STATUS", allow_negative_numbers = true)]
    pub(super) exit: Option<i32>,
    /// The stream names every test that there is, if only as `exists`: any other that was failing is forgotten
    #[arg(long)]
    full: bool,
    /// The stream names only some of the tests; this is the default, so it only takes --full back
    #[arg(long, hide = true, overrides_with = "full")]
    partial: bool,
}

impl RunInfoArgs {
    /// What is known when the run begins. What is checked out is that of the work tree that the repository is in.
    pub(super) fn info(&self, repository: &Repository, interrupt: &Interrupt) -> RunInfo {
        let git = git::checked_out(repository.path(), interrupt);
        RunInfo { command: self.command.clone(), git, ..RunInfo::default() }
    }

    pub(super) fn end(&self) -> RunEnd {
        RunEnd { exit: self.exit, names_all_tests: self.full && !self.partial, ..RunEnd::default() }
    }
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Version {
    #[value(name = "1")]
    One,
    #[value(name = "2")]
    Two,
}

impl RepositoryCommand for Load {
    const NAME: &'static str = "subunit load";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        if self.forward {
            terminal.refuse_packets()?;
        }
        let protocol = self.protocol.map(|version| match version {
            Version::One => Protocol::V1,
            Version::Two => Protocol::V2,
        });
        let files = source::or_stdin(self.files.clone());
        let is_typed = terminal.input && files.iter().any(NamedFile::is_stdin);
        let sources = source::open(files, input, &interrupt, protocol)?;
        let is_live = !is_typed && sources.iter().any(|source| source.is_live);
        let begun = self.begin(repo, &interrupt, errors);
        let onward = self.forward.then_some(output);
        let mut store =
            if is_live { Store::patient(begun, onward, errors)? } else { Store::new(begun?, onward) };
        let looks = source::gather(sources, &mut store).with_context(|| store.incomplete())?;
        let end = RunEnd { interrupted: interrupt.has_come(), ..self.about.end() };
        let (run, passed_on) = store.finish(end)?;
        if let Some(looks) = looks.filter(|_| run.counts == Counts::default()) {
            writeln!(errors, "there is no packet in the input; {looks}")?;
        }
        let verdict = conclude(repo.repository()?, &run, errors)?;
        passed_on?;
        Ok(self.verdict.apply(verdict))
    }
}

impl Load {
    fn begin(
        &self,
        repo: &RepoArgs,
        interrupt: &Interrupt,
        errors: &mut dyn Write,
    ) -> anyhow::Result<RunWriter> {
        let repository = self.repository(repo, errors)?;
        Ok(repository.begin(self.about.info(repository, interrupt))?)
    }

    fn repository<'p>(&self, repo: &'p RepoArgs, errors: &mut dyn Write) -> anyhow::Result<&'p Repository> {
        match repo.repository() {
            Err(repository::Error::NoRepository { .. }) if self.force_init => {
                let made = repo.make()?;
                writeln!(errors, "made {}", made.path().display())?;
                Ok(made)
            }
            found => Ok(found?),
        }
    }
}

/// Says how the run that was just stored went, and what is still failing.
pub(super) fn conclude(
    repository: &Repository,
    run: &StoredRun,
    errors: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let told = RunStatus::of(repository, run, display::verdict(run))?;
    writeln!(errors, "run {}: {}", run.id, run_status::Line(run))?;
    told.write_others(errors)?;
    Ok(told.verdict())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    /// Loads a stream into a repository with a run of `before`.
    fn check(before: &[&str], args: &[&str], input: &[u8], code: u8, errors: &str) {
        let repo = Repo::with(if before.is_empty() { &[] } else { std::slice::from_ref(&before) });
        let outcome = repo.run(&[&["load"], args].concat(), input);
        assert_eq!((outcome.verdict.code(), outcome.output(), outcome.errors()), (code, "", errors));
    }

    #[test]
    fn the_exit_code_says_how_the_run_went() {
        check(&[], &[], &stream(&["a success"]), 0, "run 1: PASSED  1 test: 1 passed\n");
        check(&[], &[], &stream(&["a fail"]), 1, "run 1: FAILED  1 test: 1 failed\n");
        check(&[], &[], &stream(&["a begun"]), 1, "run 1: FAILED  1 test: 1 unfinished\n");
        check(&[], &[], b"\xb3\x29", 1, "run 1: FAILED  0 tests: 1 damaged packet\n");
        check(&[], &[], b"", 4, "run 1: NOTHING RAN  0 tests\n");
        let tap = "there is no packet in the input; this looks like TAP, which tap2subunit reads\n";
        check(&[], &[], b"1..1\nok 1 - a\n", 4, &format!("{tap}run 1: NOTHING RAN  0 tests\n"));
        check(&[], &["--allow-empty"], b"", 0, "run 1: NOTHING RAN  0 tests\n");
        check(
            &[],
            &["--exit=7"],
            &stream(&["a success"]),
            1,
            "run 1: FAILED  1 test: 1 passed; the command exited with 7\n",
        );
    }

    #[test]
    fn what_fails_of_earlier_runs_is_outstanding() {
        let outstanding = "still failing: 1 test of an earlier run: `subunit failing` shows what. What passes leaves \
                           it, and what is gone by `subunit load --full` of a run of all tests\n";
        let passed = "run 2: PASSED  1 test: 1 passed\n";
        check(&["a fail"], &[], &stream(&["b success"]), 5, &format!("{passed}{outstanding}"));
        check(&["a fail"], &[], &stream(&["a success"]), 0, passed);
        check(&["a fail"], &["--full"], &stream(&["b success"]), 0, passed);
        check(
            &["a fail"],
            &["--full", "--partial"],
            &stream(&["b success"]),
            5,
            &format!("{passed}{outstanding}"),
        );
    }

    #[test]
    fn a_stream_of_version_1_is_stored_as_version_2() {
        let repo = Repo::with(&[]);
        let outcome = repo.run(&["load"], b"test: a\nfailure: a\n");
        assert_eq!(outcome.errors(), "run 1: FAILED  1 test: 1 failed\n");
        assert!(repo.run(&["last", "--subunit"], b"").output.starts_with(b"\xb3"));
        let raw = repo.run(&["load", "--protocol=2"], b"test: a\n");
        assert_eq!(raw.errors().lines().next(), Some("run 2: NOTHING RAN  0 tests"));
    }

    #[test]
    fn several_files_are_one_run_with_a_route_each() {
        let repo = Repo::with(&[]);
        let [one, two] = ["one", "two"].map(|name| repo.path().join(name).display().to_string());
        std::fs::write(&one, stream(&["a success"])).unwrap();
        std::fs::write(&two, [b"text\n", &stream(&["a fail @w"])[..]].concat()).unwrap();
        let loaded = repo.run(&["load", &one, &format!("arm={two}")], b"");
        assert_eq!(loaded.errors(), "run 1: FAILED  2 tests: 1 passed, 1 failed\n");
        repo.check(&["list", "--route"], 0, "0\ta\narm/w\ta\n");
    }

    #[test]
    fn what_cannot_be_read_stores_nothing() {
        let repo = Repo::with(&[]);
        let folder = repo.path().to_str().unwrap();
        for (args, error) in [
            (
                &["load", "/no/file"][..],
                "subunit load: cannot open /no/file: No such file or directory (os error 2)\n",
            ),
            (&["load", folder], &format!("subunit load: {folder} is a folder\n")),
            (&["load", "-", "-"], "subunit load: stdin can be read only once\n"),
        ] {
            let outcome = repo.run(args, b"");
            assert_eq!((outcome.verdict, outcome.errors()), (cli::Verdict::Error, error));
        }
        assert!(repo.run(&["history"], b"").errors().starts_with("subunit history: no runs yet in "));
    }

    #[test]
    fn the_stream_can_go_on() {
        let repo = Repo::with(&[]);
        let input = [b"text\n", &stream(&["a success"])[..], b"\xb3"].concat();
        assert_eq!(repo.run(&["load", "--forward"], &input).output, input);
        assert_eq!(repo.run(&["last", "--subunit"], b"").output, input);
    }

    #[test]
    fn a_repository_is_made_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let place = ["-C", folder.path().to_str().unwrap()];
        let load = |args: &[&str]| crate::testing::subunit(&[args, &place].concat(), b"");
        let outcome = load(&["load"]);
        assert_eq!(outcome.verdict, cli::Verdict::Error);
        assert!(outcome.errors().contains("`subunit init`"), "{}", outcome.errors());
        assert!(load(&["load", "--force-init"]).errors().contains("run 1: "));
    }
}
