//! Which run a command is about: one that is stored, or a file.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use cli::suggest;
use cli::value::NamedFile;
use formats::visible;
use process::Interrupt;
use repository::{Counts, Repository, RunEnd, RunInfo, RunRef, StoredRun};
use tempfile::TempDir;

use super::repo_args::RepoArgs;
use super::show::named;
use super::source;

/// How a run is named: a number, `-1` for the latest, `latest` or `latest-failing`; or the file of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RunName {
    Stored(RunRef),
    File(PathBuf),
}

impl FromStr for RunName {
    type Err = String;

    /// Reads the name of a run, or of a file that is there or is called as only a file is. `-` is stdin.
    fn from_str(name: &str) -> Result<Self, String> {
        match name.parse() {
            Ok(stored) => Ok(RunName::Stored(stored)),
            Err(_) if name == "-" || name.contains(['/', '.']) || Path::new(name).exists() => {
                Ok(RunName::File(name.into()))
            }
            Err(why) => {
                Err(format!("{why}, or a file that is there{}", suggest(name, ["latest", "latest-failing"])))
            }
        }
    }
}

/// Reads the name of a stored run.
pub(super) fn stored(name: &str) -> Result<RunRef, String> {
    name.parse().map_err(|why| format!("{why}{}", suggest(name, ["latest", "latest-failing"])))
}

/// The streams that files may be read from.
pub(super) struct Inputs<'i> {
    pub(super) stdin: Option<Box<dyn Read + Send>>,
    pub(super) interrupt: &'i Interrupt,
}

/// A run that was found.
pub(super) struct FoundRun<'r> {
    pub(super) run: StoredRun,
    repository: Place<'r>,
}

enum Place<'r> {
    Stored(&'r Repository),
    /// That of a file, which vanishes.
    OfFile {
        repository: Repository,
        _folder: TempDir,
    },
}

impl FoundRun<'_> {
    /// The repository that has it.
    pub(super) fn repository(&self) -> &Repository {
        match &self.repository {
            Place::Stored(repository) => repository,
            Place::OfFile { repository, .. } => repository,
        }
    }

    /// Whether it is a file in which no test was found.
    pub(super) fn is_empty_file(&self) -> bool {
        matches!(self.repository, Place::OfFile { .. }) && self.run.counts == Counts::default()
    }
}

impl RunName {
    /// Finds the run. A file is read as one that is stored, in a repository of its own, so that the same is asked of
    /// both; no other repository is needed for it.
    pub(super) fn find<'r>(
        &self,
        repo: &'r RepoArgs,
        inputs: &mut Inputs<'_>,
        errors: &mut dyn Write,
    ) -> anyhow::Result<FoundRun<'r>> {
        match self {
            RunName::Stored(name) => {
                let repository = repo.snapshot()?;
                let run = named(repository, *name)?;
                Ok(FoundRun { run, repository: Place::Stored(repository) })
            }
            RunName::File(path) => of_file(path, inputs, errors),
        }
    }

    /// Whether it names a file.
    #[must_use]
    pub(super) fn is_file(&self) -> bool {
        matches!(self, RunName::File(_))
    }
}

fn of_file(
    path: &Path,
    inputs: &mut Inputs<'_>,
    errors: &mut dyn Write,
) -> anyhow::Result<FoundRun<'static>> {
    let file = NamedFile { name: None, path: path.to_owned() };
    let stdin = if file.is_stdin() { inputs.stdin.take() } else { None };
    anyhow::ensure!(stdin.is_some() || !file.is_stdin(), "stdin can be read only once");
    let source = source::open_one(file, None, stdin, inputs.interrupt)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let repository = Repository::init(folder.path())?;
    let mut writer = repository.begin(RunInfo::default())?;
    let looks = source.pass(&mut writer, None).with_context(|| format!("cannot read {}", shown(path)))?;
    let run = writer.finish(RunEnd { interrupted: inputs.interrupt.has_come(), ..RunEnd::default() })?;
    let found = FoundRun { run, repository: Place::OfFile { repository, _folder: folder } };
    if found.is_empty_file() {
        tell_empty(&shown(path), looks, errors)?;
    }
    Ok(found)
}

/// What a file is called in a message.
pub(super) fn shown(path: &Path) -> String {
    match path.to_string_lossy() {
        name if name == "-" => "stdin".to_owned(),
        name => visible::line(&name).into_owned(),
    }
}

/// Says that there is no test in an input, and what it looks like.
pub(super) fn tell_empty(
    name: &str,
    looks: Option<formats::recognise::Recognised>,
    errors: &mut dyn Write,
) -> io::Result<()> {
    match looks {
        Some(looks) => writeln!(errors, "{name}: there is no packet in it; {looks}"),
        None => writeln!(errors, "{name}: there is no test in it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{stream, subunit};
    use super::*;

    #[test]
    fn numbers_are_stored_runs_and_all_else_is_a_file_that_is_there() {
        let check = |name: &str, is_file: bool| {
            assert_eq!(name.parse::<RunName>().unwrap().is_file(), is_file, "{name}");
        };
        ["7", "-2", "latest", "latest-failing"].iter().for_each(|name| check(name, false));
        ["./7", "run.subunit", "-", "a/b", "src"].iter().for_each(|name| check(name, true));
        let why = "latets".parse::<RunName>().unwrap_err();
        assert!(why.ends_with("or a file that is there; is it `latest`?"), "{why}");
    }

    /// Runs a command in a folder without a repository, on a file with this content.
    fn check(args: &[&str], content: &[u8], code: u8, output: &str, errors: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, content).unwrap();
        let path = path.to_str().unwrap();
        let args: Vec<&str> = args.iter().map(|arg| if *arg == "FILE" { path } else { arg }).collect();
        let outcome = subunit(&[&args, &["-C", "/no/such/folder"][..]].concat(), content);
        let found = (outcome.verdict.code(), outcome.output(), outcome.errors().replace(path, "FILE"));
        assert_eq!(found, (code, output, errors.to_owned()), "{args:?}");
    }

    #[test]
    fn files_are_shown_without_a_repository() {
        let run = stream(&["b fail 3 @w", "a success 2"]);
        let report = "---- failures ----\nFAIL  b [w]\n  3.000s\n\n---- failing tests ----\n  b\n\n\
                      FAILED  2 tests: 1 passed, 1 failed in 3.000s\n";
        for name in ["FILE", "-"] {
            check(&["show", name], &run, 1, report, "");
            check(&["last", name], &run, 1, report, "");
            check(&["list", name, "--outcomes"], &run, 0, "success    a\nfail       b\n", "");
            check(&["slowest", name], &run, 0, "3s  b [w]\n2s  a\n", "");
            check(
                &["log", "--run", name, "--attachment=x", "a"],
                &run,
                4,
                "",
                "the test has no attachment \"x\" in FILE\n"
                    .replace("FILE", if name == "-" { "stdin" } else { "FILE" })
                    .as_str(),
            );
            check(&["compare", name, "FILE"], &run, 0, "", "");
        }
    }

    #[test]
    fn a_file_of_another_format_is_named_with_what_reads_it() {
        let said = "FILE: there is no packet in it; this looks like TAP, which tap2subunit reads\n";
        let tap = b"TAP version 13\n1..1\nok 1 - x\n";
        let shown = &["show", "--no-passthrough", "FILE"];
        check(shown, tap, 4, "NOTHING RAN  0 tests\n", said);
        check(&["list", "FILE"], tap, 4, "", said);
        check(&["compare", "FILE", "FILE"], tap, 4, "", &said.repeat(2));
        check(&["slowest", "FILE"], b"", 4, "", "FILE: there is no test in it\n");
        // What was written by version 1 of the protocol is read.
        check(&["list", "FILE"], b"test: a\nsuccess: a\n", 0, "a\n", "");
    }
}
