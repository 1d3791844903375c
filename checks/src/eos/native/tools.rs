//! The client's programs, `xrdfs` and `xrdcp`: each run is an operation that ends in time.

use std::ffi::OsStr;
use std::io;
use std::process::Command;
use std::time::Duration;

use formats::human::show_duration;
use probe::{Finding, Level, Limits, Secret};
use process::{Cause, Deadline, Finished, Follow, Timeouts, Wait};

/// Bytes of a program's output that are kept.
const KEEP: usize = 64 << 10;

/// A server, and how to ask it.
pub(super) struct Tools {
    /// `root://host:port`.
    server: String,
    token: Option<Secret>,
}

/// The outcome of a program that did what it was asked to.
pub(super) struct Done {
    pub(super) output: String,
    pub(super) elapsed: Duration,
}

/// What kept a program from it.
pub(super) type Failed = Box<Finding>;

impl Tools {
    pub(super) fn new(server: String, token: Option<Secret>) -> Self {
        Tools { server, token }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.server)
    }

    /// Asks the server something, or tells it to do something: `stat PATH`.
    pub(super) fn ask(&self, words: &[&str], limits: Limits<'_>) -> Result<Done, Failed> {
        let server = std::iter::once(self.server.as_str());
        let arguments: Vec<&OsStr> = server.chain(words.iter().copied()).map(OsStr::new).collect();
        let what = format!("xrdfs {}", words.first().copied().unwrap_or_default());
        self.run("xrdfs", &what, &arguments, limits.operation_deadline(), limits)
    }

    /// Copies a file from here to there or back; it is new at its destination. Its operations have limits of their
    /// own, and all together have the time of the test.
    pub(super) fn copy(&self, from: &OsStr, to: &OsStr, limits: Limits<'_>) -> Result<Done, Failed> {
        let arguments = [OsStr::new("--nopbar"), OsStr::new("--silent"), from, to];
        self.run("xrdcp", "xrdcp", &arguments, limits.deadline, limits)
    }

    fn run(
        &self,
        program: &str,
        what: &str,
        arguments: &[&OsStr],
        deadline: Deadline,
        limits: Limits<'_>,
    ) -> Result<Done, Failed> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(std::process::Stdio::null()).current_dir("/").envs(environment(limits));
        if let Some(token) = &self.token {
            command.env("BEARER_TOKEN", token.reveal());
        }
        let wait = Wait { deadline, ..limits.wait() };
        let finished = process::run(&mut command, Follow::new(wait, Timeouts::PROBE), KEEP);
        let finished = finished.map_err(|error| Box::new(cannot_start(program, &error)))?;
        let elapsed = finished.ending.elapsed;
        if finished.ending.cause == Cause::Interrupted {
            let reason = format!("a signal ended the check while it was at {what}");
            return Err(Box::new(Finding::new(Level::Interrupted(reason))));
        }
        if finished.ending.cause == Cause::TimedOut {
            let time = show_duration(elapsed);
            let reason = format!("{what} hangs on {}: no answer for {time}", self.server);
            return Err(Box::new(Finding { is_hung: true, ..Finding::broken(reason) }));
        }
        if !finished.ending.is_success() {
            return Err(Box::new(self.failure(what, &finished)));
        }
        Ok(Done { output: finished.stdout.text(), elapsed })
    }

    fn failure(&self, what: &str, finished: &Finished) -> Finding {
        let text = format!("{}\n{}", finished.stdout.text(), finished.stderr.text());
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let said = lines().rfind(|line| line.contains('[')).or_else(|| lines().next_back());
        let said = said.unwrap_or("it says nothing").trim_start_matches("Run: ");
        let reason = format!("{what} failed on {}: {said} ({})", self.server, finished.ending.exit);
        // The server's word for a missing permission, and that of the client.
        let refused =
            ["[3010]", "Auth failed", "Authentication failed"].iter().any(|word| text.contains(word));
        if refused { Finding::unknown(reason) } else { Finding::broken(reason) }
            .with_text("stderr", finished.stderr.text())
    }
}

fn cannot_start(program: &str, error: &io::Error) -> Finding {
    match error.kind() {
        io::ErrorKind::NotFound => Finding::unknown(format!(
            "{program} is not installed: it comes with XRootD's client (Debian: xrootd-client)"
        )),
        _ => Finding::unknown(format!("cannot start {program}: {error}")),
    }
}

/// The client by itself tries for minutes to reach a server that is not there.
fn environment(limits: Limits<'_>) -> [(&'static str, String); 5] {
    let whole = |time: Duration| time.as_secs().max(1).to_string();
    let operation = limits.operation_time();
    [
        ("XRD_CONNECTIONWINDOW", whole(operation / 2)),
        ("XRD_CONNECTIONRETRY", "1".to_owned()),
        ("XRD_REQUESTTIMEOUT", whole(operation)),
        ("XRD_STREAMTIMEOUT", whole(operation)),
        ("XRD_TIMEOUTRESOLUTION", "1".to_owned()),
    ]
}
