//! The command `tap2subunit`: the Test Anything Protocol to a stream.

mod command;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cli::{Command, InputArgs, Interrupt, Streams, Verdict};
use formats::lines::Lines;
use formats::tap::Parser;
use streamresult::StreamResult;
use subunit::Timestamp;

use crate::emit::{EmitArgs, Times};

/// How much is read at a time.
const BLOCK: usize = 64 * 1024;

/// Convert TAP (the Test Anything Protocol, versions 12 to 14) to a subunit stream
///
/// A test's id is its description, or "test 3" where there is none; the second one of a name is "name #2", and
/// subtests are "parent/child". Its time is that of its arrival; a duration that it tells gives its start. Reasons,
/// comments after a failure and YAML blocks are files of the test. All that is not TAP, such as what a test prints,
/// is kept as text, in its place.
///
/// Tests that were planned and did not come fail, as "test 3"; so does "Bail out!". "tap document" is a test that
/// fails when the plan is missing or does not agree with what came. `ok … # TODO` is an unexpected success, which
/// fails the run. A test is passed on when it is known whether diagnostics follow it: with the next line.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "tap2subunit",
    version,
    after_help = cli::help!(
        report,
        "  perl t/boot.t | tap2subunit | subunit-stats\n  \
           tap2subunit --exec 'node --test --test-reporter=tap' | subunit2junitxml -o report.xml\n  \
           tap2subunit --prefix boot --exec 'perl t/boot.t' >boot.subunit\n  \
           tap2subunit --exit-zero results/*.tap >all.subunit"
    )
)]
pub struct Tap {
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
    /// Take a document without a plan for complete, as python-subunit does
    #[arg(long)]
    allow_missing_plan: bool,
    #[command(flatten)]
    emit: EmitArgs,
}

impl Command for Tap {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, interrupt, .. } = streams;
        let Tap { files, exec, prefix, allow_missing_plan, emit } = self;
        let mut parser = Parser::new().clock(Timestamp::now);
        if allow_missing_plan {
            parser = parser.without_plan();
        }
        let mut lines = Lines::new(parser);
        // The reader says the times: a file of a test has none.
        emit.emit(Times::Recorded, output, |sink| {
            sink.start_run()?;
            let told = match exec {
                Some(command) => {
                    lines.parser_mut().name_document(&prefix);
                    command::run(&command, &prefix, &mut lines, &interrupt, sink)
                }
                None => Documents { files, prefix, stdin: Some(input), interrupt }.read(&mut lines, sink),
            };
            let stopped = sink.stop_run();
            told.and(stopped.map_err(anyhow::Error::from))
        })
    }
}

/// Documents to read one after the other.
struct Documents {
    files: Vec<PathBuf>,
    prefix: String,
    stdin: Option<Box<dyn Read + Send>>,
    interrupt: Interrupt,
}

impl Documents {
    fn read(mut self, lines: &mut Lines<Parser>, sink: &mut dyn StreamResult) -> anyhow::Result<()> {
        let mut files = std::mem::take(&mut self.files);
        if files.is_empty() {
            files.push(PathBuf::from("-"));
        }
        let has_several = files.len() > 1;
        for file in files {
            if self.interrupt.verdict().is_some() {
                break;
            }
            lines.parser_mut().name_document(&self.name(has_several.then_some(&file)));
            let is_stdin = file.as_os_str() == "-";
            let stdin = self.stdin.take_if(|_| is_stdin).unwrap_or_else(|| Box::new(io::empty()));
            let input = InputArgs { files: vec![file] }.open(stdin, &self.interrupt);
            read(input, lines, sink)?;
        }
        Ok(())
    }

    fn name(&self, file: Option<&PathBuf>) -> String {
        let file = match file {
            Some(file) if file == Path::new("-") => "stdin".into(),
            Some(file) => file.to_string_lossy(),
            None => return self.prefix.clone(),
        };
        if self.prefix.is_empty() { file.into_owned() } else { format!("{}/{file}", self.prefix) }
    }
}

/// Reads a document to its end. When that fails, what came is told first.
fn read(mut input: impl Read, lines: &mut Lines<Parser>, sink: &mut dyn StreamResult) -> anyhow::Result<()> {
    let mut block = vec![0; BLOCK];
    let read = loop {
        match input.read(&mut block) {
            Ok(0) => break Ok(()),
            Ok(count) => lines.feed(block.get(..count).unwrap_or_default(), sink)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(error),
        }
        lines.flush(sink)?;
    };
    lines.finish(sink)?;
    Ok(read?)
}

#[cfg(test)]
mod tests;
