//! Tests that are tried again when they fail: all attempts of a test are one record.
//!
//! What fails is held back while it may be tried again. Whether it will pass is not known before, so what a test says
//! of itself waits until it is known how the attempt ended: the files of one that failed are files `attempt-1 NAME` of
//! the record, and the last attempt has its own. A test of which nothing comes any more has failed as it did last.

use std::collections::BTreeMap;
use std::io;

use streamresult::{FLAKY_TAG, StreamResult, TagChange, attempt_tag, deliver};
use subunit::{EncodeError, Event, File, PushReader, Status, TEXT_TYPE, Tags, encode_chunks};

/// More than this of one attempt does not wait.
const MOST_HELD: usize = 1 << 20;
/// What says why an attempt failed, where it has such files.
const TEXTS: [&str; 2] = ["traceback", "reason"];

/// How often a test that failed is tried again, and what becomes of it when it passes then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// After the first attempt.
    pub most: u32,
    /// Whether it has failed though it passed in the end.
    pub flaky_fails: bool,
}

/// The tests of which an attempt goes on, by their numbers; and what is within them, which is tried again with them.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    retries: Retries,
    tests: BTreeMap<usize, Tried>,
}

#[derive(Debug, Default)]
struct Tried {
    /// How many attempts failed before this one.
    failed: u32,
    /// Whether this one failed.
    has_failed: bool,
    ids: BTreeMap<String, Told>,
}

/// What was told of one id.
#[derive(Debug, Default)]
struct Told {
    has_begun: bool,
    /// Its files in this attempt, as packets.
    held: Vec<u8>,
    /// Whether one of them says why it failed.
    has_text: bool,
    /// How it failed last, where that may still be put right.
    end: Option<Vec<u8>>,
    /// Whether it has a result that counts.
    is_settled: bool,
}

impl Attempts {
    pub(super) fn new(retries: Retries) -> Self {
        Attempts { retries, tests: BTreeMap::new() }
    }

    pub(super) fn are_on(&self) -> bool {
        self.retries.most > 0
    }

    /// Whether what comes of this test may be tried again.
    pub(super) fn knows(&self, test: usize) -> bool {
        self.tests.contains_key(&test)
    }

    /// Takes an event of a test or of what is within it, and passes on what is known to count.
    pub(super) fn take(
        &mut self,
        test: usize,
        event: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let Some(id) = event.test_id.filter(|_| self.are_on()) else { return sink.status(event) };
        let tried = self.tests.entry(test).or_default();
        let number = tried.failed + 1;
        let told = tried.ids.entry(id.to_owned()).or_default();
        match event.status {
            Some(Status::Exists) => sink.status(event),
            // It has begun, for whoever looks at the record.
            Some(Status::InProgress) if std::mem::replace(&mut told.has_begun, true) => Ok(()),
            Some(Status::InProgress) => sink.status(event),
            None => told.hold(event, number, sink),
            Some(status) if status.is_failure() && number <= self.retries.most => {
                tried.has_failed = true;
                told.fail(event, number, sink)
            }
            Some(_) => told.settle(event, number, self.retries, sink),
        }
    }

    /// A test has failed in a way that no further attempt puts right.
    pub(super) fn give_up(
        &mut self,
        test: usize,
        event: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let Some(mut tried) = self.tests.remove(&test) else { return sink.status(event) };
        let number = tried.failed + 1;
        let own = event.test_id.and_then(|id| tried.ids.remove(id)).unwrap_or_default();
        if !own.is_settled {
            release(&own.held, sink, |_| None)?;
            last(event, number, false, sink)?;
        }
        tried.finish(sink)
    }

    /// An attempt is over: whether there is another.
    pub(super) fn ended(&mut self, test: usize, sink: &mut dyn StreamResult) -> io::Result<bool> {
        let Some(mut tried) = self.tests.remove(&test) else { return Ok(false) };
        if !std::mem::take(&mut tried.has_failed) {
            tried.finish(sink)?;
            return Ok(false);
        }
        tried.failed += 1;
        tried.ids.values_mut().try_for_each(|told| told.pass_on(tried.failed, sink))?;
        self.tests.insert(test, tried);
        Ok(true)
    }

    /// There are no more attempts of any test.
    pub(super) fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        std::mem::take(&mut self.tests).into_values().try_for_each(|tried| tried.finish(sink))
    }
}

impl Tried {
    /// What was not put right has failed.
    fn finish(self, sink: &mut dyn StreamResult) -> io::Result<()> {
        for told in self.ids.into_values().filter(|told| !told.is_settled) {
            release(&told.held, sink, |_| None)?;
            release(&told.end.unwrap_or_default(), sink, |_| None)?;
        }
        Ok(())
    }
}

impl Told {
    /// Keeps a file until it is known what it is of.
    fn hold(&mut self, event: &Event<'_>, attempt: u32, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.has_text |= event.file.is_some_and(|file| TEXTS.contains(&file.name));
        encode_chunks(event, &mut self.held).map_err(|error: EncodeError| io::Error::from(error))?;
        if self.held.len() > MOST_HELD { self.pass_on(attempt, sink) } else { Ok(()) }
    }

    /// Passes on what is kept, as files of one attempt among several.
    fn pass_on(&mut self, attempt: u32, sink: &mut dyn StreamResult) -> io::Result<()> {
        release(&std::mem::take(&mut self.held), sink, |name| {
            Some(format!("{} {name}", attempt_tag(attempt)))
        })
    }

    /// It failed, and may be put right.
    fn fail(&mut self, event: &Event<'_>, attempt: u32, sink: &mut dyn StreamResult) -> io::Result<()> {
        if event.file.is_some() {
            self.hold(&Event { status: None, ..*event }, attempt, sink)?;
        }
        if !std::mem::take(&mut self.has_text) {
            let reason = File { name: TEXTS[1], bytes: b"failed\n" };
            let mime_type = Some(TEXT_TYPE);
            self.hold(
                &Event { status: None, file: Some(reason), mime_type, eof: true, ..*event },
                attempt,
                sink,
            )?;
            self.has_text = false;
        }
        self.pass_on(attempt, sink)?;
        let mut end = Vec::new();
        let tagged = |event: &Event<'_>| encode_chunks(event, &mut end).map_err(io::Error::from);
        let bare = Event { file: None, mime_type: None, eof: false, ..*event };
        with_tags(&bare, attempt, false, tagged)?;
        (self.end, self.is_settled) = (Some(end), false);
        Ok(())
    }

    /// It ended as it will be counted.
    fn settle(
        &mut self,
        event: &Event<'_>,
        attempt: u32,
        retries: Retries,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let status = event.status.unwrap_or(Status::Success);
        if std::mem::replace(&mut self.is_settled, true) && !status.is_failure() {
            // It passed in an attempt in which something else failed.
            return Ok(());
        }
        release(&held, sink, |_| None)?;
        let Some(end) = self.end.take() else { return last(event, attempt, false, sink) };
        match status {
            Status::Success if retries.flaky_fails => {
                let reason = format!("it passed in attempt {attempt} only, and flaky tests are to fail\n");
                let file = Some(File { name: TEXTS[1], bytes: reason.as_bytes() });
                let failed = Event { file, mime_type: Some(TEXT_TYPE), eof: true, ..*event };
                last(&Event { status: Some(Status::Fail), ..failed }, attempt, true, sink)
            }
            Status::Success => last(event, attempt, true, sink),
            _ if status.is_failure() => last(event, attempt, false, sink),
            // What was only left out has not been put right.
            _ => release(&end, sink, |_| None),
        }
    }
}

/// Passes on how a test ended in its last attempt.
fn last(event: &Event<'_>, attempt: u32, is_flaky: bool, sink: &mut dyn StreamResult) -> io::Result<()> {
    if attempt == 1 {
        sink.status(event)
    } else {
        with_tags(event, attempt, is_flaky, |event| sink.status(event))
    }
}

fn with_tags(
    event: &Event<'_>,
    attempt: u32,
    is_flaky: bool,
    take: impl FnOnce(&Event<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let add = [attempt_tag(attempt)].into_iter().chain(is_flaky.then(|| FLAKY_TAG.to_owned()));
    let change = TagChange::new(add, Vec::<String>::new());
    let tags = change.apply(event.tags);
    take(&Event { tags: tags.as_deref().map_or(event.tags, Tags::from), ..*event })
}

/// Passes packets on, with their files renamed where they shall be.
fn release(
    packets: &[u8],
    sink: &mut dyn StreamResult,
    renamed: impl Fn(&str) -> Option<String>,
) -> io::Result<()> {
    PushReader::default().push(packets, |frame, offset| {
        let subunit::Frame::Packet(packet) = &frame else { return deliver(&frame, offset, sink) };
        let event = packet.event();
        let Some((file, name)) = event.file.and_then(|file| Some((file, renamed(file.name)?))) else {
            return deliver(&frame, offset, sink);
        };
        sink.status(&Event { file: Some(File { name: &name, ..file }), ..event })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each attempt tells, as `ID END` or `ID NAME=TEXT`, and what is passed on.
    fn check(retries: Retries, attempts: &[&[&str]], expected: &[&str]) {
        let (mut all, mut seen) = (Attempts::new(retries), Vec::new());
        let mut sink = streamresult::from_fn(|event: &Event<'_>| {
            let file = event.file.map(|file| format!(" {}={}", file.name, file.bytes.escape_ascii()));
            let end = event.status.map(|status| format!(" {status:?}"));
            let tags = event.tags.iter().map(|tag| format!(" #{tag}"));
            let parts = [file, end].into_iter().flatten().chain(tags);
            seen.push(format!("{}{}", event.test_id.unwrap(), parts.collect::<String>()));
            Ok(())
        });
        let mut others = 0;
        for told in attempts {
            for line in *told {
                let (id, what) = line.split_once(' ').unwrap();
                let status = Status::ALL.into_iter().find(|status| format!("{status:?}") == what);
                let event = match (status, what.split_once('=')) {
                    (None, Some((name, text))) => {
                        Event { test_id: Some(id), ..Event::file(name, text.as_bytes()) }
                    }
                    (status, _) => Event::status(id, status.unwrap()),
                };
                all.take(0, &event, &mut sink).unwrap();
            }
            others += usize::from(all.ended(0, &mut sink).unwrap());
        }
        all.finish(&mut sink).unwrap();
        assert_eq!(seen, expected);
        assert_eq!(others, attempts.len().min(retries.most as usize + 1).saturating_sub(1), "attempts");
    }

    const ONCE: Retries = Retries { most: 1, flaky_fails: false };

    #[test]
    fn what_passes_at_once_is_told_as_it_is() {
        check(ONCE, &[&["a InProgress", "a log=x", "a Success"]], &["a InProgress", "a log=x", "a Success"]);
    }

    #[test]
    fn all_attempts_are_one_record() {
        let failed: &[&str] = &["a InProgress", "a traceback=x", "a log=y", "a Fail"];
        let told = ["a InProgress", "a attempt-1 traceback=x", "a attempt-1 log=y"];
        check(
            ONCE,
            &[failed, &["a InProgress", "a log=z", "a Success"]],
            &[&told[..], &["a log=z", "a Success #attempt-2 #flaky"]].concat(),
        );
        check(
            ONCE,
            &[failed, failed],
            &[&told[..], &["a traceback=x", "a log=y", "a Fail #attempt-2"]].concat(),
        );
        check(
            Retries { flaky_fails: true, ..ONCE },
            &[failed, &["a Success"]],
            &[
                &told[..],
                &[
                    "a reason=it passed in attempt 2 only, and flaky tests are to fail\\n Fail #attempt-2 #flaky",
                ],
            ]
            .concat(),
        );
    }

    #[test]
    fn what_is_not_put_right_has_failed() {
        check(ONCE, &[&["a Fail"], &["a Skip"]], &["a attempt-1 reason=failed\\n", "a Fail #attempt-1"]);
        check(
            ONCE,
            &[&["a Fail"], &["b Success"]],
            &["a attempt-1 reason=failed\\n", "b Success #attempt-2", "a Fail #attempt-1"],
        );
    }

    #[test]
    fn what_passed_beside_a_failure_is_told_once() {
        let first: &[&str] = &["a Success", "b Fail"];
        check(
            ONCE,
            &[first, &["a Success", "b Success"]],
            &["a Success", "b attempt-1 reason=failed\\n", "b Success #attempt-2 #flaky"],
        );
    }
}
