//! The command `tap2subunit`: the Test Anything Protocol, as a stream.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use cli::{Command, Document, InputArgs, Streams, Verdict};
use formats::lines::{Lines, pass};
use formats::tap::TapParser;
use process::{Interrupt, Outputs, Source};
use streamresult::StreamResult;
use subunit::{Event, TEXT_TYPE, Timestamp};

use crate::child::{self, FailureWatch};
use crate::emit::EmitArgs;

/// Convert TAP (the Test Anything Protocol, versions 12 to 14) to a subunit stream
///
/// A test's id is its description, or "test 3" where there is none; the second one of a name is "name #2", and
/// subtests are "parent/child". Its time is that of its arrival; a duration that it tells gives its start. In a FILE
/// nothing arrives: only tests that tell how long they took have times there, those of the file. Reasons, comments
/// after a failure and YAML blocks are files of the test. All that is not TAP, such as what a test prints, is kept as
/// text, in its place.
///
/// Of `prove -v` each test file is a document, "t/boot.t/name"; KTAP and UTF-16 with a byte order mark are read.
///
/// Tests that were planned and did not come fail, as "test 3"; so does "Bail out!". "tap document" is a test that
/// fails when the plan is missing or does not agree with what came. `ok … # TODO` is a success with the tag "todo". A
/// test is passed on when it is known whether diagnostics follow it: with the next line.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "tap2subunit",
    version,
    after_help = cli::help!(
        report,
        "  perl t/boot.t | tap2subunit | subunit-stats\n  \
           prove -v --merge t | tap2subunit | subunit2text\n  \
           tap2subunit --exec 'node --test --test-reporter=tap' | subunit2junitxml -o report.xml\n  \
           tap2subunit --prefix boot --exec 'perl t/boot.t' >boot.subunit\n  \
           tap2subunit --exit-zero results/*.tap >all.subunit"
    )
)]
pub struct FromTap {
    /// TAP documents to read, one after the other; `-` is stdin, as is no FILE at all
    ///
    /// Of several, the ids begin with the name of the file: results/boot.tap/test.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run a command by `sh -c`, in a process group of its own, and read its output as it comes
    ///
    /// Its error output becomes a file "stderr" of the run. A test "tap2subunit" fails when a signal ended the command,
    /// or an exit code other than 0 though no test failed.
    #[arg(long, value_name = "COMMAND", conflicts_with = "files")]
    exec: Option<String>,
    /// Begin all ids with NAME/
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Take `ok … # TODO` for an unexpected success, which fails the run
    #[arg(long)]
    strict_todo: bool,
    /// Take a document without a plan for complete, as python-subunit does
    #[arg(long)]
    allow_missing_plan: bool,
    #[command(flatten)]
    emit: EmitArgs,
}

impl Command for FromTap {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let Streams { input, output, interrupt, .. } = streams;
        let FromTap { files, exec, prefix, strict_todo, allow_missing_plan, emit } = self;
        let mut parser = TapParser::new().clock(Timestamp::now);
        if allow_missing_plan {
            parser = parser.without_plan();
        }
        if strict_todo {
            parser = parser.strict_todo();
        }
        let mut lines = Lines::new(parser);
        emit.emit(output, |sink| {
            sink.start_run()?;
            let told = match exec {
                Some(command) => {
                    lines.parser_mut().name_document(&prefix);
                    run(&command, &prefix, &mut lines, &interrupt, sink)
                }
                None => {
                    let has_several = files.len() > 1;
                    let mut documents = InputArgs { files }.documents(input, interrupt);
                    documents.try_for_each(|Document { path, mut input }| {
                        let parser = lines.parser_mut();
                        parser.name_document(&name(&prefix, has_several.then_some(&path)));
                        match recorded(&path) {
                            Some(written) => parser.recorded(written),
                            None => parser.live(),
                        }
                        Ok(pass(&mut lines, &mut input, sink)?)
                    })
                }
            };
            let stopped = sink.stop_run();
            told.and(stopped.map_err(anyhow::Error::from))
        })
    }
}

/// Of a file when it was written last, if that is known; nothing of what comes as it is written.
fn recorded(path: &Path) -> Option<Option<Timestamp>> {
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.is_file() && path != Path::new("-"))?;
    let since_epoch = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Some(since_epoch.and_then(Timestamp::from_epoch))
}

/// What the ids of a document begin with: the name of its file, where there are several.
fn name(prefix: &str, file: Option<&Path>) -> String {
    let file = match file {
        Some(file) if file == Path::new("-") => "stdin".into(),
        Some(file) => file.to_string_lossy(),
        None => return prefix.to_owned(),
    };
    if prefix.is_empty() { file.into_owned() } else { format!("{prefix}/{file}") }
}

/// Runs a command and reads its output to the end; its error output is a file of the run.
fn run(
    command: &str,
    prefix: &str,
    lines: &mut Lines<TapParser>,
    interrupt: &Interrupt,
    sink: &mut dyn StreamResult,
) -> anyhow::Result<()> {
    // What the reader itself says of the document is not a test.
    let is_test = |event: &Event<'_>| event.file.is_none_or(|file| file.name != "tap meta");
    let mut sink = FailureWatch::new(sink, is_test);
    let ended = child::run(command, Outputs::Apart, interrupt, &mut |source: Source, bytes: &[u8]| {
        match source {
            Source::Stdout => lines.feed(bytes, &mut sink)?,
            Source::Stderr => {
                // In the order of arrival.
                lines.flush(&mut sink)?;
                let (mime_type, timestamp) = (Some(TEXT_TYPE), Some(Timestamp::now()));
                sink.status(&Event { mime_type, timestamp, ..Event::file("stderr", bytes) })?;
            }
        }
        lines.flush(&mut sink)
    });
    lines.finish(&mut sink)?;
    let id = if prefix.is_empty() { "tap2subunit".to_owned() } else { format!("{prefix}/tap2subunit") };
    Ok(sink.tell_end(&id, command, &ended?)?)
}

#[cfg(test)]
mod tests;
