//! The command `libtest2subunit`: what `cargo test` and nextest print, as a stream.

use cli::{Command, InputArgs, Streams, Verdict};
use formats::libtest::{LibtestFormat, LibtestParser};
use formats::lines::{self, Lines};
use process::{Interrupt, Outputs, Source};
use streamresult::StreamResult;

use crate::child::{self, FailureWatch};
use crate::emit::EmitArgs;

/// Convert the output of Rust tests to a subunit stream
///
/// Reads what `cargo test` prints, the JSON of libtest (`-Z unstable-options --format json`) and that of nextest
/// (`--message-format libtest-json` or `libtest-json-plus`), and tells them apart. Cargo says on stderr which test
/// binary it runs: with `2>&1` or --exec a test's id is foo::module::test for the library of the package foo,
/// foo::it::test for tests/it.rs, foo::bin/tool::test, foo::doc::src/lib.rs - item (line 7). Without it the id is
/// module::test, and #2::module::test in the second binary.
///
/// What a failed test wrote is its file "stdout"; in plain text that comes last, and the failure with it. Results that
/// are missing, compared with the totals of a binary, a binary that died, and what keeps cargo from running tests
/// are failures, so that the run fails although the exit status of cargo is lost in the pipe. The dots of --quiet
/// have no names, and fail. Times are those of arrival, or as the tests tell (--report-time). All else is kept as
/// text, in its place.
///
/// Each FILE is an output of its own.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "libtest2subunit",
    version,
    after_help = cli::help!(
        report,
        "  cargo test --workspace 2>&1 | libtest2subunit | subunit2text\n  \
           libtest2subunit --exec 'cargo test --workspace --no-fail-fast' | subunit2junitxml -o tests.xml\n  \
           NEXTEST_EXPERIMENTAL_LIBTEST_JSON=1 cargo nextest run --message-format libtest-json-plus |\n    \
             libtest2subunit --tag nextest >run.subunit\n  \
           libtest2subunit --exit-zero logs/*.txt >all.subunit"
    )
)]
pub struct FromLibtest {
    #[command(flatten)]
    input: InputArgs,
    /// Run a command by `sh -c`, in a process group of its own, and read what it writes on stdout and stderr
    ///
    /// A test "libtest2subunit" fails when a signal ended the command, or an exit code other than 0 though no test
    /// failed.
    #[arg(long, value_name = "COMMAND", conflicts_with = "files")]
    exec: Option<String>,
    /// What to read: plain text, JSON, or whichever it looks like
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: FormatChoice,
    #[command(flatten)]
    emit: EmitArgs,
}

/// What to read.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FormatChoice {
    #[default]
    Auto,
    Plain,
    Json,
}

impl From<FormatChoice> for LibtestFormat {
    fn from(choice: FormatChoice) -> Self {
        match choice {
            FormatChoice::Auto => LibtestFormat::Auto,
            FormatChoice::Plain => LibtestFormat::Plain,
            FormatChoice::Json => LibtestFormat::Json,
        }
    }
}

impl Command for FromLibtest {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let Streams { input: stdin, output, interrupt, .. } = streams;
        let FromLibtest { input, exec, format, emit } = self;
        let format = LibtestFormat::from(format);
        emit.emit(output, |sink| {
            if let Some(command) = exec {
                return execute(&command, format, &interrupt, sink);
            }
            for document in input.documents(stdin, interrupt) {
                lines::drive(LibtestParser::new(format), document.input, sink)?;
            }
            Ok(())
        })
    }
}

/// Runs a command and reads its output, until both have ended.
fn execute(
    command: &str,
    format: LibtestFormat,
    interrupt: &Interrupt,
    sink: &mut dyn StreamResult,
) -> anyhow::Result<()> {
    sink.start_run()?;
    let mut sink = FailureWatch::new(sink, |_| true);
    let mut lines = Lines::new(LibtestParser::new(format));
    let ended = child::run(command, Outputs::Merged, interrupt, &mut |_: Source, bytes: &[u8]| {
        lines.feed(bytes, &mut sink)?;
        lines.flush(&mut sink)
    });
    lines.finish(&mut sink)?;
    sink.tell_end("libtest2subunit", command, &ended?)?;
    Ok(sink.stop_run()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use streamresult::from_fn;
    use subunit::Event;

    use super::*;

    /// What a stream says, a line an event: id, status, file.
    fn told(stream: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sink = from_fn(|event: &Event<'_>| {
            assert!(event.timestamp.is_some() || event.status.is_none());
            let status = event.status.map_or("-", |status| status.as_str());
            let file = event.file.map(|file| format!("{} {}", file.name, file.bytes.escape_ascii()));
            let line = format!("{} {status} {}", event.test_id.unwrap_or("-"), file.unwrap_or_default());
            lines.push(line.trim_end().to_owned());
            Ok(())
        });
        streamresult::drive(stream, &mut sink).unwrap();
        lines
    }

    fn check(args: &[&str], input: &[u8], verdict: Verdict, expected: &[&str]) {
        let outcome = cli::run_with::<FromLibtest>(args, input);
        assert_eq!((outcome.verdict, outcome.errors()), (verdict, ""));
        assert_eq!(told(&outcome.output), expected);
    }

    const ONE: &str = "running 1 test\ntest a ... ok\n\n\
                       test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";

    #[test]
    fn the_arguments_are_sound() {
        FromLibtest::command().debug_assert();
    }

    #[test]
    fn the_verdict_is_that_of_the_tests() {
        check(&[], ONE.as_bytes(), Verdict::Passed, &["a success"]);
        check(&[], b"", Verdict::Nothing, &[]);
        check(&["--allow-empty"], b"text\n", Verdict::Passed, &["- - stdout text\\n"]);
        let lost = "cargo test fail error the tests ended without a line `test result`: 1 of 1 were told\\n";
        let cut = ONE.as_bytes()[..30].to_vec();
        check(&["--exit-zero"], &cut, Verdict::Passed, &["a success", lost]);
        check(&["-", "-"], &cut, Verdict::Failed, &["a success", lost]);
    }

    #[test]
    fn another_format_than_the_one_that_is_wanted_is_text() {
        let text = format!("- - stdout {}", ONE.as_bytes().escape_ascii());
        check(&["--format", "json"], ONE.as_bytes(), Verdict::Nothing, &[&text]);
        check(&["--format=plain"], ONE.as_bytes(), Verdict::Passed, &["a success"]);
    }

    fn check_exec(end: &str, verdict: Verdict, expected: &[&str]) {
        let command = format!("printf '{}'; {end}", ONE.escape_default());
        let outcome = cli::run_with::<FromLibtest>(&["--exec", &command], b"");
        assert_eq!(outcome.verdict, verdict);
        let told = told(&outcome.output);
        let told: Vec<&str> = told.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_end_of_a_command_counts() {
        check_exec("true", Verdict::Passed, &["a success"]);
        let why = "libtest2subunit fail reason exit code 101, though no test failed";
        check_exec("exit 101", Verdict::Failed, &["a success", why]);
        let died = "libtest2subunit fail reason killed by signal 9 (SIGKILL)";
        check_exec("kill -9 $$", Verdict::Failed, &["a success", died]);
        let lost = "cargo test#2 fail error the tests ended without a line `test result`";
        check_exec("echo running 2 tests >&2; exit 101", Verdict::Failed, &["a success", lost]);
    }
}
