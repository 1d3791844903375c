//! `junitxml2subunit`: JUnit XML as a stream.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use cli::value::time;
use cli::{Command, Document, InputArgs, PathError, Streams, Verdict};
use formats::junit::read::{Error, Options, Parser, pass};
use process::Interrupt;
use streamresult::StreamResult;
use subunit::Timestamp;

use crate::emit::EmitArgs;

/// More broken documents are only counted in the error.
const MOST_NAMED: usize = 3;

/// Convert JUnit XML of any common dialect to a subunit stream
///
/// Reads what Surefire, Gradle, pytest, Jest, GoogleTest, nextest, CTest, PHPUnit and others write: nested suites,
/// output, properties, attempts, times. A broken document is told up to where it breaks, and leaves a failing test
/// that says where; a suite that counts more failures or tests than it has is a failing test, too, and so is a test
/// whose outcome is a word that nobody knows.
#[derive(clap::Parser, Debug)]
#[command(
    name = "junitxml2subunit",
    version,
    after_help = cli::help!(report,
        "  junitxml2subunit report.xml | subunit2text\n  \
           junitxml2subunit -d target/surefire-reports | subunit-ls\n  \
           pytest --junitxml=/dev/stdout -q | junitxml2subunit\n  \
           junitxml2subunit --route linux --attachments . report.xml >run.subunit"
    )
)]
pub struct FromJunitXml {
    #[command(flatten)]
    input: InputArgs,
    /// Read all *.xml files in this folder and below, sorted, before FILE, but those that are not JUnit XML; may be
    /// repeated
    #[arg(short, long = "dir", value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Attach the files that output names as [[ATTACHMENT|path]], if they are in this folder or below
    #[arg(long, value_name = "DIR")]
    attachments: Option<PathBuf>,
    /// Put this between class and name in ids (default: '.', or '::' where the class is a path)
    #[arg(long, value_name = "TEXT", value_parser = without_nul)]
    separator: Option<String>,
    /// Begin here with cases of which only the duration is known (default: 2000-01-01T00:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<Timestamp>,
    /// Do not compare what suites count with what is in them
    #[arg(long)]
    ignore_counts: bool,
    #[command(flatten)]
    emit: EmitArgs,
}

fn without_nul(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') { Err("no id has a NUL in it") } else { Ok(text.to_owned()) }
}

impl Command for FromJunitXml {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let (found, unreadable) = self.found();
        let files = self.files(&found);
        let reading = Reading {
            interrupt: streams.interrupt.clone(),
            errors: streams.errors,
            searched: found.len(),
            broken: unreadable.into_iter().map(in_a_line).collect(),
        };
        // Where a folder was searched and had nothing, stdin was not meant.
        let documents =
            (!files.is_empty()).then(|| InputArgs { files }.documents(streams.input, streams.interrupt));
        let defaults = Options::default();
        let parser = Parser::new(Options {
            start: self.start.unwrap_or(defaults.start),
            separator: self.separator,
            attachments: self.attachments,
            counts: !self.ignore_counts,
        });
        self.emit.emit(streams.output, |sink| {
            let read = sink
                .start_run()
                .map_err(Into::into)
                .and_then(|()| reading.read(documents.into_iter().flatten(), parser, sink));
            let stopped = sink.stop_run();
            read.and(stopped.map_err(Into::into))
        })
    }
}

impl FromJunitXml {
    /// The reports in the folders, and what of those could not be read.
    fn found(&self) -> (Vec<PathBuf>, Vec<io::Error>) {
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for folder in &self.dirs {
            reports_in(folder, &mut found, &mut unreadable);
        }
        (found, unreadable)
    }

    /// The files of the folders, then those of the command line, or stdin.
    fn files(&self, found: &[PathBuf]) -> Vec<PathBuf> {
        let mut files = found.to_vec();
        files.extend(self.input.files.iter().cloned());
        if self.dirs.is_empty() && files.is_empty() {
            files.push(PathBuf::from("-"));
        }
        files
    }
}

/// Adds the `*.xml` files in a folder and below, those of one folder together. What cannot be read keeps nothing else
/// from being read.
fn reports_in(folder: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<io::Error>) {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut reports = Vec::new();
        if let Err(error) = entries(&folder, &mut folders, &mut reports) {
            unreadable.push(PathError::wrap("read", &folder, error));
        }
        reports.sort();
        found.push((folder, reports));
    }
    found.sort();
    files.extend(found.into_iter().flat_map(|(_, reports)| reports));
}

/// Adds the folders and the reports in a folder.
fn entries(folder: &Path, folders: &mut Vec<PathBuf>, reports: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link to a folder may lead anywhere, also back here.
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|end| end == "xml") && !path.is_dir() {
            reports.push(path);
        }
    }
    Ok(())
}

/// An error with all that caused it.
fn in_a_line(error: io::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// Reads one document after the other.
struct Reading<'a> {
    interrupt: Interrupt,
    /// Stderr, for notes.
    errors: &'a mut dyn Write,
    /// How many of the documents were found in a folder, where something else may be beside them.
    searched: usize,
    /// What was wrong with the documents so far, and what could not be read.
    broken: Vec<String>,
}

impl Reading<'_> {
    fn read(
        mut self,
        documents: impl Iterator<Item = Document>,
        mut parser: Parser,
        sink: &mut dyn StreamResult,
    ) -> anyhow::Result<()> {
        for (number, Document { path, input }) in documents.enumerate() {
            let name = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
            parser.pass_over_others(number < self.searched);
            let mut input = WatchedInput { input, has_failed: false };
            match self.document(&mut parser, &mut input, sink) {
                // It names the file itself, and the others can still be read.
                Err(Error::Io(error)) if input.has_failed => self.broken.push(in_a_line(error)),
                Err(Error::Io(error)) => return Err(error.into()),
                Err(error) => self.broken.push(format!("{name}: {error}")),
                Ok(()) => {}
            }
            for note in parser.take_notes() {
                writeln!(self.errors, "junitxml2subunit: {name}: {note}")?;
            }
        }
        self.verdict()
    }

    fn document(
        &self,
        parser: &mut Parser,
        input: &mut WatchedInput<impl Read>,
        sink: &mut dyn StreamResult,
    ) -> Result<(), Error> {
        let passed = pass(parser, &mut *input, sink);
        if passed.is_ok() && self.interrupt.has_come() {
            // Nothing is wrong with what did not come.
            parser.give_up(sink)?;
        }
        let ended = parser.finish(sink);
        passed.and(ended)
    }

    /// An error when a document was broken.
    fn verdict(self) -> anyhow::Result<()> {
        let more = self.broken.len().saturating_sub(MOST_NAMED);
        let named = self.broken.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        match (named.as_str(), more) {
            ("", _) => Ok(()),
            (named, 0) => bail!("{named}"),
            (named, more) => bail!("{named}; and {more} more"),
        }
    }
}

/// An input that knows whether reading it failed, and not the writing of what was read.
struct WatchedInput<R> {
    input: R,
    has_failed: bool,
}

impl<R: Read> Read for WatchedInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer);
        self.has_failed |= read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        read
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        FromJunitXml::command().debug_assert();
    }

    fn check(args: &[&str], input: &str, verdict: Verdict, errors: &str) {
        let outcome = cli::run_with::<FromJunitXml>(args, input.as_bytes());
        assert_eq!((outcome.verdict, outcome.errors()), (verdict, errors));
    }

    #[test]
    fn the_verdict_is_that_of_the_cases() {
        let suite = |cases| format!("<testsuite name='a'>{cases}</testsuite>");
        check(&[], &suite("<testcase name='b'/>"), Verdict::Passed, "");
        check(&[], &suite("<testcase name='b'><error/></testcase>"), Verdict::Failed, "");
        check(&["--exit-zero"], &suite("<testcase name='b'><error/></testcase>"), Verdict::Passed, "");
        check(&[], &suite(""), Verdict::Nothing, "");
        check(&["--allow-empty", "-"], &suite(""), Verdict::Passed, "");
    }

    #[test]
    fn a_broken_document_is_an_error_with_its_place() {
        check(
            &[],
            "<testsuite>\n  <testcase name='a'/></suite>",
            Verdict::Error,
            "junitxml2subunit: stdin: line 2, column 23: </suite> ends <testsuite>\n",
        );
        check(&[], "", Verdict::Error, "junitxml2subunit: stdin: line 1, column 1: there is no document\n");
    }

    #[test]
    fn reports_of_a_folder_are_sorted_by_folder_and_name() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("b/c.xml")).unwrap();
        for name in ["z.xml", "b/y.xml", "a.xml", "b/c.xml/1.xml", "a.txt", ".xml"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        let (mut files, mut unreadable) = (Vec::new(), Vec::new());
        reports_in(place.path(), &mut files, &mut unreadable);
        assert_eq!(unreadable.len(), 0);
        let names: Vec<_> = files.iter().map(|path| path.strip_prefix(place.path()).unwrap()).collect();
        assert_eq!(names, ["a.xml", "z.xml", "b/y.xml", "b/c.xml/1.xml"].map(Path::new));
        reports_in(Path::new("/no/such/folder"), &mut files, &mut unreadable);
        assert_eq!((files.len(), unreadable.len()), (4, 1));
    }
}
