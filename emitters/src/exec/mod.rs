//! `subunit-exec`: any command as a test.

mod attempt;
mod judgement;
mod test;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write, stdin};
use std::time::Duration;

use anyhow::ensure;
use cli::value::duration;
use cli::{Command, Streams, Verdict};
use process::Interrupt;
use process::timeouts::GRACE_TEXT;
use streamresult::{StreamResult as _, Summary};
use subunit::{Event, Status};

use attempt::Attempt;
use judgement::Rules;
use test::Test;

/// Run a command as one test, and write a stream about it
///
/// What the command writes becomes the files "stdout" and "stderr" of the test, live and with the times of
/// arrival. Exit status 0 is a success and any other a failure, as are a signal, a timeout and a command that
/// cannot be run; the file "reason" says which. The file "metrics.json" has the time, processor time and memory
/// that it took.
///
/// The command runs in a process group of its own, which is ended with it: what it leaves running in the
/// background ends, unless that is in another session (setsid). What the command starts there may hold its
/// output open; that is not waited for.
///
/// Ended by SIGTERM, SIGINT or SIGHUP, it ends the command, and the test failed, tagged "interrupted". SIGKILL cannot
/// be told: then the test stays unfinished, and the command runs on until it writes.
///
/// Several may write to one pipe at the same time: each write is whole packets, and short enough for the pipe to
/// keep it whole. A --route for each tells readers that their times are not one order.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "subunit-exec",
    version,
    override_usage = "subunit-exec [OPTIONS] ID -- COMMAND [ARG]...",
    after_help = cli::help!(
        [
            Passed = "the test passed, was skipped, or failed as expected",
            Failed = "the test failed, or passed though it was expected to fail",
        ],
        "  subunit-exec backup.home --timeout 1h -- rsync -a /home /backup | subunit2junitxml -o backup.xml\n  \
           for f in *.t; do subunit-exec \"$f\" --skip-code 77 -- sh \"$f\"; done | subunit2text\n  \
           (subunit-exec a -- ./a & subunit-exec b -- ./b & wait) | subunit-stats\n  \
           subunit-exec net.ping --retries 2 -- ping -c 1 gateway\n  \
           subunit-exec total -- sh -c './list | grep -c x'"
    )
)]
pub struct Exec {
    /// The id of the test
    #[arg(value_name = "ID", value_parser = test_id)]
    id: String,
    /// The command and its arguments; for pipes and the like it is `sh -c '…'`
    #[arg(value_name = "COMMAND", last = true, required = true)]
    command: Vec<OsString>,
    /// Take this exit status for a skip; may be repeated. Usual is 77
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u8).range(1..))]
    skip_code: Vec<u8>,
    /// Expect an exit status other than 0: that is an expected failure then, and 0 an unexpected success
    ///
    /// A signal, a timeout and a command that cannot be run are failures as ever.
    #[arg(long = "expect-fail", alias = "expect-failure")]
    expect_failure: bool,
    /// End the command and its process group when it takes longer, which is a failure: 500ms, 10m, 1h30m; seconds without a
    /// unit
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// Time between SIGTERM and SIGKILL for what is to end
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = GRACE_TEXT)]
    grace: Duration,
    /// Run a command that failed again, up to this often; each attempt may take --timeout
    ///
    /// All is one test with the outcome of the last attempt, so a failure that did not last does not fail the run.
    /// It stays visible: a test that failed before it passed has the tag "flaky", events have the tag "attempt-1",
    /// "attempt-2" and so on, and the files of failed attempts stay, "attempt-1.reason" among them; the second
    /// attempt's output is "attempt-2.stdout" and "attempt-2.stderr".
    #[arg(long = "retries", alias = "retry", value_name = "N", default_value_t = 0)]
    retry: u32,
    /// Tag the test with this; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Put this route code on every event
    #[arg(long = "route", alias = "route-code", value_name = "CODE")]
    route_code: Option<String>,
    /// The MIME type of the file "stdout"
    #[arg(long, value_name = "TYPE", default_value = subunit::TEXT_TYPE)]
    mime_type: String,
    /// Let the command read stdin; without this it reads nothing, so that it cannot eat the input of a loop
    #[arg(long)]
    stdin: bool,
    /// Exit with 0 whatever became of the test: in a script with `set -e`, or below subunit-mux --exec
    #[arg(long)]
    exit_zero: bool,
}

/// Takes an id that is not empty.
fn test_id(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a test has an id".to_owned()) } else { Ok(text.to_owned()) }
}

impl Command for Exec {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        ensure!(
            !(self.stdin && stdin().is_terminal()),
            "stdin is a terminal, which a command in a process group of its own cannot read"
        );
        let status = self.test(streams.output, &streams.interrupt)?;
        let mut summary = Summary::new();
        summary.status(&Event::status(&self.id, status))?;
        Ok(if self.exit_zero { Verdict::Passed } else { Verdict::from(&summary) })
    }
}

impl Exec {
    /// Runs the test, with as many attempts as it takes, and says what became of it.
    fn test(&self, output: &mut dyn Write, interrupt: &Interrupt) -> anyhow::Result<Status> {
        let mut test = Test::new(&self.id, self.route_code.as_deref(), &self.tags, &self.mime_type);
        let rules =
            Rules { skip_codes: &self.skip_code, expect_failure: self.expect_failure, timeout: self.timeout };
        let attempt = Attempt {
            command: &self.command,
            takes_stdin: self.stdin,
            timeout: self.timeout,
            grace: self.grace,
            interrupt,
        };
        test.begin(self.retry > 0)?;
        test.batches.write_all(output)?;
        loop {
            let ran = attempt.run(&mut test, output)?;
            let ending = rules.judge(&ran);
            if ending.may_pass_again && test.failed() < self.retry as usize {
                test.retry(&ran, ending)?;
                continue;
            }
            let status = ending.status;
            test.end(&ran, ending)?;
            test.batches.write_all(output)?;
            return Ok(status);
        }
    }
}
