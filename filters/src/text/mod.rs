//! The command `subunit2text`: the report that people read.

mod destination;
mod live;
mod progress;
mod screen;
mod span;
mod ticking;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cli::{ColorArgs, Command, Streams, Terminal, Verdict};
use formats::text::{Ascii, Conclusion, TextOptions, TextReport};
use process::shell_word;

use self::destination::Destination;
use self::live::Live;
use self::progress::RunProgress;
use self::screen::Screen;
use self::ticking::TickingReader;
use crate::report::{ReportArgs, ReportSession, ReportWriter};

/// Show a subunit stream to people, live on a terminal
///
/// On a terminal, stderr shows live how far the run has got: the running tests with their age, hung ones in red.
/// Elsewhere there is a line for each test as it ends. The report ends with the failures and all their output, why
/// tests were skipped, the slowest tests, the ids of those that failed, and a line that says how the run went.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2text",
    version,
    after_help = cli::help!(
        report,
        "  make check | subunit2text\n  \
           subunit2text --slowest 20 --group route run.subunit\n  \
           make check | subunit2text --failing-to failing.txt || make check TESTS='--load-list failing.txt'\n  \
           make check | subunit2text -f -o report.txt >run.subunit"
    )
)]
pub struct Text {
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    color: ColorArgs,
    /// List the N slowest tests; 5 by default, when there are more
    #[arg(long, value_name = "N")]
    slowest: Option<usize>,
    /// Group failures by what they have in common; with `route`, also count the tests of each route
    #[arg(long, value_enum, value_name = "WHAT")]
    group: Option<GroupBy>,
    /// Show the output of all tests, not only of those that failed, and in full, not only 1 MiB of each attachment
    #[arg(long)]
    all_output: bool,
    /// Show only the summary of the run, without single results and failures
    #[arg(long, conflicts_with = "all_output")]
    summary_only: bool,
    /// Write the ids of the tests that failed to this file, one per line, for a runner's --load-list
    #[arg(long, value_name = "PATH")]
    failing_to: Option<PathBuf>,
    /// Call a running test hung when nothing was heard of it for this long
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = cli::value::duration)]
    hung_after: Duration,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum GroupBy {
    Route,
    Status,
}

impl Command for Text {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let terminal = streams.terminal;
        let interrupt = streams.interrupt.clone();
        let destination = Destination::find(&self.report, &terminal);
        let was_stopped = || interrupt.has_come();
        if !destination.live {
            let (page, session) = self.report.open(streams)?;
            return self.show(page, session, None, destination, was_stopped);
        }
        let now = Instant::now();
        let progress = RunProgress::new(now, self.hung_after, destination.unicode);
        let screen =
            Screen::new(Ascii::new(streams.errors, !destination.unicode), self.color.errors(&terminal), now);
        let live = Live::new(progress, screen, destination::size_of(&terminal));
        let [mut above, clock] = [live.clone(), live.clone()];
        let Streams { input, output, .. } = streams;
        let streams = Streams { input, output, errors: &mut above, terminal, interrupt: interrupt.clone() };
        let (page, session) = self.report.open(streams)?;
        let ticking = |input| TickingReader::new(input, |now| clock.tick(now));
        let session = session.through(ticking).context("cannot start a thread")?;
        let shown = self.show(page, session, Some(live.clone()), destination, was_stopped);
        // An error is also written below what was shown.
        live.close().context("cannot write to stderr")?;
        shown
    }
}

impl Text {
    fn show(
        self,
        page: ReportWriter<'_>,
        mut session: ReportSession<'_, impl Read>,
        live: Option<Live<'_>>,
        destination: Destination,
        was_stopped: impl Fn() -> bool,
    ) -> anyhow::Result<Verdict> {
        // Now, not after an hour of tests: whether the list can be written.
        let list = self.failing_to.as_deref().map(create).transpose()?;
        let out = Ascii::new(page, destination.on_terminal && !destination.unicode);
        let mut results = (live, TextReport::new(out, self.options(destination)));
        let mut driven = session.drive(&mut results);
        let (live, mut report) = results;
        live.map_or(Ok(()), |live| live.close()).context("cannot write to stderr")?;
        let listed = list.map_or(Ok(()), |list| write_failing(&mut report, list));
        let verdict = session.verdict(report.summary());
        let came = report.summary().ran() || !report.summary().is_success();
        if !came {
            // There is nothing to show besides the error.
            std::mem::replace(&mut driven, Ok(()))?;
        }
        let told = report.summary().to_string();
        let rerun = self.rerun();
        let (incomplete, interrupted) = (driven.is_err(), was_stopped());
        let ending = Conclusion { rerun: rerun.as_deref(), incomplete, interrupted };
        let mut out = report.finish(ending).context("cannot write the report")?.into_inner();
        if driven.is_err() {
            // Shown, but it does not take the place of the last report.
            out.flush().context("cannot write the report")?;
        }
        driven?;
        out.finish()?;
        // Whoever sends the report to a file still sees how the run went.
        if destination.to_file {
            session.tell(told).context("cannot write to stderr")?;
        }
        listed.context("cannot write the ids of the failing tests").map(|()| verdict)
    }

    fn options(&self, destination: Destination) -> TextOptions {
        TextOptions {
            lines: !(destination.live && destination.on_terminal),
            color: self.color.output(&Terminal { output: destination.on_terminal, ..destination.terminal }),
            slowest: self.slowest,
            group: self.group.map(|group| match group {
                GroupBy::Route => formats::text::GroupBy::Route,
                GroupBy::Status => formats::text::GroupBy::Status,
            }),
            all_output: self.all_output,
            summary_only: self.summary_only,
        }
    }

    /// How to run again what failed, as far as that is known here.
    fn rerun(&self) -> Option<String> {
        if let Some(path) = &self.failing_to {
            return Some(format!("to run them again: --load-list {}", quoted(path)));
        }
        let files = &self.report.input.files;
        if files.is_empty() || files.iter().any(|file| file.as_os_str() == "-") {
            return None;
        }
        let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
        Some(format!("their ids: subunit-filter --no-skip {} | subunit-ls", files.join(" ")))
    }
}

/// A path for a shell.
fn quoted(path: &Path) -> String {
    shell_word(&path.to_string_lossy()).into_owned()
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

fn write_failing<W: Write>(report: &mut TextReport<W>, list: File) -> io::Result<()> {
    let mut list = BufWriter::new(list);
    // A list of lines cannot say an id of several.
    report.failing_ids(|id| if id.contains('\n') { Ok(()) } else { writeln!(list, "{id}") })?;
    list.flush()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use cli::ColorWish;
    use subunit::{Event, Status, encode};

    use super::*;

    fn stream(events: &[Event<'_>]) -> Vec<u8> {
        let mut stream = Vec::new();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        stream
    }

    fn check(args: &[&str], input: &[u8], verdict: Verdict, output: &str, errors: &str) {
        let outcome = cli::run_with::<Text>(args, input);
        assert_eq!((outcome.verdict, outcome.output(), outcome.errors()), (verdict, output, errors));
    }

    #[test]
    fn the_arguments_are_sound() {
        Text::command().debug_assert();
    }

    #[test]
    fn a_report_is_on_stdout_and_text_on_stderr() {
        let mut input = stream(&[Event::status("a", Status::Success)]);
        input.extend(b"make: done\n");
        let report = "ok                   a\n\nPASSED  1 test: 1 passed\n";
        check(&[], &input, Verdict::Passed, report, "make: done\n");
        check(&["--no-passthrough"], &input, Verdict::Passed, report, "");
    }

    #[test]
    fn the_exit_code_is_that_of_the_run() {
        let failed = stream(&[Event::status("a", Status::Fail)]);
        let report = "---- failing tests ----\n  a\n\nFAILED  1 test: 1 failed\n";
        check(&["--summary-only"], &failed, Verdict::Failed, report, "");
        check(&["--summary-only", "--exit-zero"], &failed, Verdict::Passed, report, "");
        check(&[], b"", Verdict::Nothing, "NOTHING RAN  0 tests\n", "");
        check(&["--allow-empty"], b"", Verdict::Passed, "NOTHING RAN  0 tests\n", "");
    }

    #[test]
    fn what_came_before_a_read_error_is_shown_but_is_no_success() {
        let input = stream(&[Event::status("a", Status::Success)]);
        let report = "ok                   a\n\nINCOMPLETE  1 test: 1 passed\n";
        let error = "subunit2text: cannot open /no/file: No such file or directory (os error 2)\n";
        check(&["-", "/no/file"], &input, Verdict::Error, report, error);
    }

    #[test]
    fn colour_is_for_those_who_want_it() {
        let input = stream(&[Event::status("a", Status::Success)]);
        let colored = |args: &[&str], color| {
            let outcome = cli::run_on::<Text>(args, &input, Terminal { color, ..Terminal::default() });
            outcome.output().contains("\x1b[32mok\x1b[0m")
        };
        assert!(!colored(&[], ColorWish::Unsaid));
        assert!(colored(&[], ColorWish::Always));
        assert!(colored(&["--color=always"], ColorWish::Never));
        assert!(!colored(&["--color=never"], ColorWish::Always));
    }

    #[test]
    fn the_ids_of_failures_go_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("failing tests");
        let args = ["--failing-to", path.to_str().unwrap()];
        let events = [
            Event::status("b", Status::InProgress),
            Event::status("a", Status::Fail),
            Event::status("c", Status::Success),
        ];
        let outcome = cli::run_with::<Text>(&args, &stream(&events));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\n");
        assert!(
            outcome.output().contains(&format!("\nto run them again: --load-list '{}'\n", path.display()))
        );
        assert_eq!(cli::run_with::<Text>(&args, b"").verdict, Verdict::Nothing);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/tmp/a_b-1.txt")), "/tmp/a_b-1.txt");
        assert_eq!(quoted(Path::new("it's $HOME")), r"'it'\''s $HOME'");
    }
}
