//! `junitxml2subunit`: JUnit XML as a stream.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::bail;
use cli::value::time;
use cli::{Command, Document, Documents, InputArgs, PathError, Streams, Verdict};
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
/// that says where; a suite that counts more failures or tests than it has is a failing test, too.
#[derive(clap::Parser, Debug)]
#[command(
    name = "junitxml2subunit",
    version,
    after_help = cli::help!(report,
        "  junitxml2subunit report.xml | subunit2text\n  \
           junitxml2subunit -d target/surefire-reports | subunit-ls\n  \
           pytest --junitxml=/dev/stdout -q | junitxml2subunit\n  \
           junitxml2subunit --route-code linux --attachments . report.xml >run.subunit"
    )
)]
pub struct FromJunitXml {
    #[command(flatten)]
    input: InputArgs,
    /// Read all *.xml files in this folder and below, sorted, before FILE; may be repeated
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
        let files = InputArgs { files: self.files()? };
        let interrupt = streams.interrupt.clone();
        let reading = Reading { interrupt: streams.interrupt, broken: Vec::new() };
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
                .and_then(|()| reading.read(files.documents(streams.input, interrupt), parser, sink));
            let stopped = sink.stop_run();
            read.and(stopped.map_err(Into::into))
        })
    }
}

impl FromJunitXml {
    /// The files of the folders, then those of the command line, or stdin.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in &self.dirs {
            reports_in(folder, &mut files)?;
        }
        files.extend(self.input.files.iter().cloned());
        if self.dirs.is_empty() && files.is_empty() {
            files.push(PathBuf::from("-"));
        }
        Ok(files)
    }
}

/// Adds the `*.xml` files in a folder and below, those of one folder together.
fn reports_in(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let cannot_read = |error| PathError::wrap("read", &folder, error);
        let mut reports = Vec::new();
        for entry in fs::read_dir(&folder).map_err(cannot_read)? {
            let entry = entry.map_err(cannot_read)?;
            let path = entry.path();
            // A link to a folder may lead anywhere, also back here.
            if entry.file_type().map_err(cannot_read)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "xml") && !path.is_dir() {
                reports.push(path);
            }
        }
        reports.sort();
        found.push((folder, reports));
    }
    found.sort();
    files.extend(found.into_iter().flat_map(|(_, reports)| reports));
    Ok(())
}

/// Reads one document after the other.
struct Reading {
    interrupt: Interrupt,
    /// What was wrong with the documents so far.
    broken: Vec<String>,
}

impl Reading {
    fn read(
        mut self,
        documents: Documents,
        mut parser: Parser,
        sink: &mut dyn StreamResult,
    ) -> anyhow::Result<()> {
        for Document { path, input } in documents {
            let name = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
            match self.document(&mut parser, input, sink) {
                // It names the file itself.
                Err(Error::Io(error)) => return Err(error.into()),
                Err(error) => self.broken.push(format!("{name}: {error}")),
                Ok(()) => {}
            }
        }
        self.verdict()
    }

    fn document(
        &self,
        parser: &mut Parser,
        input: impl Read,
        sink: &mut dyn StreamResult,
    ) -> Result<(), Error> {
        let passed = pass(parser, input, sink);
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
        let mut files = Vec::new();
        reports_in(place.path(), &mut files).unwrap();
        let names: Vec<_> = files.iter().map(|path| path.strip_prefix(place.path()).unwrap()).collect();
        assert_eq!(names, ["a.xml", "z.xml", "b/y.xml", "b/c.xml/1.xml"].map(Path::new));
        assert!(reports_in(Path::new("/no/such/folder"), &mut files).is_err());
    }
}
