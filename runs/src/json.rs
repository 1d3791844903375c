//! Answers for programs: an object of JSON a line. `subunit help json` says what their keys are.

use std::io::{self, Write};
use std::time::Duration;

use formats::json::{FrameWriter, Object};
use repository::{Failure, HistoryEntry, RunId, Stored, StoredRun, TestResult, TestTime};
use streamresult::{Outcome, StreamResult};
use subunit::{Event, Frame, Packet, PacketBuf, Timestamp};

use super::{display, run_status};

/// Writes an object and ends the line.
///
/// # Errors
///
/// Those of `out`.
pub fn line(out: &mut dyn Write, fill: impl FnOnce(&mut Object<'_>)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut object = Object::new(&mut line);
    fill(&mut object);
    object.end();
    line.push(b'\n');
    out.write_all(&line)
}

/// What is known of a run; one that is a file has no number.
///
/// # Errors
///
/// Those of `out`.
pub fn run(number: Option<RunId>, run: &StoredRun, out: &mut dyn Write) -> io::Result<()> {
    let (git, counts) = (run.info.git.as_ref(), &run.counts);
    line(out, |object| {
        optional_number(object, "run", number);
        object.string("state", display::standing(run));
        for (key, count) in [
            ("tests", counts.total()),
            ("passed", counts.success),
            ("flaky", counts.flaky),
            ("failed", counts.failures()),
            ("skipped", counts.skip),
        ] {
            object.number(key, count);
        }
        object.time("start", run.start());
        object.seconds("duration", run.duration());
        object.optional("command", run.info.command.as_deref());
        object.strings("arguments", run.info.arguments.iter().map(String::as_str));
        let exit =
            run.end.as_ref().and_then(|end| end.exit).map_or("null".to_owned(), |exit| exit.to_string());
        object.key("exit").extend_from_slice(exit.as_bytes());
        object.optional("commit", git.map(|git| git.commit.as_str()));
        object.optional("branch", git.and_then(|git| git.branch.as_deref()));
        optional_truth(object, "changed", git.and_then(|git| git.dirty));
        object.truth("pinned", run.pinned);
        object.truth("pruned", run.stored == Stored::Pruned);
    })
}

/// That a run fails as a whole, or is damaged so that it is not known what failed in it.
pub(super) fn whole(run: &StoredRun, is_lost: bool, out: &mut dyn Write) -> io::Result<()> {
    line(out, |object| {
        optional_number(object, "run", Some(run.id));
        object.optional("id", None);
        object.string("why", &run_status::why(run));
        object.truth("lost", is_lost);
    })
}

/// A test of a run, with the keys that `subunit-ls` has.
#[derive(Clone, Copy, Debug)]
pub struct Test<'a> {
    pub(super) run: Option<RunId>,
    pub(super) id: &'a str,
    pub(super) route: Option<&'a str>,
    pub(super) status: Outcome,
    /// Whether it passed only when it was tried again, where that is known.
    pub(super) flaky: Option<bool>,
    pub(super) start: Option<Timestamp>,
    pub(super) duration: Option<Duration>,
}

impl<'a> Test<'a> {
    /// One of the tests of a run.
    #[must_use]
    pub fn listed(run: Option<RunId>, result: &TestResult<'a>) -> Self {
        let TestResult { test_id: id, route_code: route, outcome: status, flaky, start, duration, .. } =
            *result;
        Test { run, id, route, status, flaky: Some(flaky), start, duration }
    }

    pub(super) fn slow(run: Option<RunId>, test: &'a TestTime) -> Self {
        let TestTime { duration, test_id: id, route_code, outcome: status, .. } = test;
        let (route, duration) = (route_code.as_deref(), Some(*duration));
        Test { run, id, route, status: *status, flaky: None, start: None, duration }
    }

    /// One of the failing set.
    #[must_use]
    pub fn failing(test: &'a Failure) -> Self {
        let Failure { test_id: id, route_code, run, outcome, start, duration, .. } = test;
        let (route, status) = (route_code.as_deref(), *outcome);
        Test { run: Some(*run), id, route, status, flaky: None, start: *start, duration: *duration }
    }

    /// One of the outcomes of a test.
    #[must_use]
    pub fn past(id: &'a str, past: &'a HistoryEntry) -> Self {
        let HistoryEntry { run, route_code, outcome, flaky, start, duration, .. } = past;
        let (route, status) = (route_code.as_deref(), *outcome);
        Test { run: Some(*run), id, route, status, flaky: Some(*flaky), start: *start, duration: *duration }
    }

    /// Writes the object.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        line(out, |object| {
            optional_number(object, "run", self.run);
            object.string("id", self.id);
            object.optional("route", self.route);
            object.string("status", self.status.as_str());
            optional_truth(object, "flaky", self.flaky);
            object.time("start", self.start);
            object.seconds("duration", self.duration);
        })
    }
}

fn optional_truth(object: &mut Object<'_>, key: &str, truth: Option<bool>) {
    match truth {
        Some(truth) => object.truth(key, truth),
        None => object.optional(key, None),
    }
}

fn optional_number(object: &mut Object<'_>, key: &str, number: Option<RunId>) {
    match number {
        Some(RunId(number)) => object.number(key, number.into()),
        None => object.optional(key, None),
    }
}

/// Writes packets as subunit2json does.
pub(super) struct PacketLines<'o> {
    writer: FrameWriter,
    line: Vec<u8>,
    out: &'o mut dyn Write,
}

impl<'o> PacketLines<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        PacketLines { writer: FrameWriter::default(), line: Vec::new(), out }
    }
}

impl StreamResult for PacketLines<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let packet = PacketBuf::encode(event).map_err(io::Error::other)?;
        self.packet(&packet.packet())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.line.clear();
        self.writer.push(&Frame::Packet(*packet), &mut self.line);
        self.out.write_all(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    const RUN: &str = r#"{"run":1,"state":"failed","tests":2,"passed":1,"flaky":0,"failed":1,"skipped":0,"#;
    const A: &str = r#"{"run":1,"id":"a","route":"w","status":"fail","flaky":false,"start":"1970-01-01T00:01:40Z","duration":3}"#;
    const B: &str =
        r#"{"run":1,"id":"b","route":null,"status":"success","flaky":false,"start":null,"duration":null}"#;

    #[test]
    fn each_answer_has_one_shape() {
        let repo = Repo::with(&[&["b success", "a fail 3 @w"]]);
        let check = |args: &[&str], expected: &[&str]| {
            let outcome = repo.run(&[args, &["--json"]].concat(), b"");
            let lines: Vec<&str> = outcome.output().lines().collect();
            assert_eq!(lines.len(), expected.len(), "{args:?}: {}", outcome.output());
            for (line, expected) in lines.into_iter().zip(expected) {
                assert!(line.starts_with(expected), "{args:?}: {line}");
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        };
        for args in [&["show", "1"][..], &["last"], &["history"]] {
            check(args, &[RUN]);
        }
        check(&["list"], &[A, B]);
        check(&["list", "--status=success"], &[B]);
        check(&["history", "a"], &[A]);
        check(&["failing"], &[&A.replace("false", "null")]);
        check(&["slowest"], &[&A.replace("\"1970-01-01T00:01:40Z\"", "null").replace("false", "null")]);
        check(&["log", "b"], &[r#"{"id":"b","status":"inprogress"}"#, r#"{"id":"b","status":"success"}"#]);
        check(&["info"], &[r#"{"repository":"#]);
        repo.run(&["load"], &stream(&["a success"]));
        repo.run(&["load"], &stream(&["a fail"]));
        check(&["flaky"], &[r#"{"id":"a","runs":3,"failed":2,"changes":2,"both":0}"#]);
        check(&["compare"], &[r#"{"after":"fail","before":"success","change":"broken","#]);
    }

    #[test]
    fn a_file_has_no_number() {
        let outcome = super::super::testing::subunit(&["list", "--json", "-"], &stream(&["b success"]));
        assert_eq!(outcome.output(), format!("{}\n", B.replace("\"run\":1", "\"run\":null")));
    }

    #[test]
    fn a_run_that_fails_as_a_whole_has_no_id() {
        let repo = Repo::with(&[]);
        repo.run(
            &["load"],
            &[stream(&["a success"]), b"\xb3\x2b\x01\x0c\x03foo\x08\x55\x5f\x1b".to_vec()].concat(),
        );
        let failing = repo.run(&["failing", "--json"], b"");
        let line = r#"{"run":1,"id":null,"why":"1 damaged packet","lost":false}"#;
        assert_eq!(failing.output(), format!("{line}\n"));
    }
}
