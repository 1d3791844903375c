//! What came back, of what was sent.
//!
//! Runners tell of more than they were asked for: of tests that a pattern does not match, of what a test needs, of the
//! same name elsewhere. Such results are dropped and counted, so that each test has the one of the process that was
//! sent it. A failure of something that nobody listed is none of these: it is passed on, whatever it is of.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use streamresult::{StreamResult, deliver};
use subunit::{Event, PushReader, encode_chunks};

use super::Output;
use super::test::owner;

/// More than this of results that are not known is not kept.
const MOST: usize = 1 << 20;

/// Reads what a worker writes, and passes on what it was asked for.
pub(super) struct Sent {
    pub(super) inner: Box<dyn Output>,
    pub(super) choice: Choice,
}

/// Which results are wanted.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// What was sent to this worker; all is wanted where it is not known.
    pub(super) sent: Option<HashSet<String>>,
    /// All tests there are.
    pub(super) known: Arc<HashSet<String>>,
    /// What stands between a test and the tests within it.
    pub(super) subtests: Option<String>,
    /// What stands before all ids.
    pub(super) prefix: String,
    /// What results have before their names, which the worker does not say.
    pub(super) within: String,
    /// Events of tests that are not known: they are wanted if they fail.
    pub(super) held: HashMap<String, Vec<u8>>,
    pub(super) dropped: usize,
}

impl Choice {
    fn with<'s>(&'s mut self, sink: &'s mut dyn StreamResult) -> Chosen<'s> {
        Chosen { choice: self, sink }
    }

    /// What is left is unfinished, which nobody passes over.
    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let mut held: Vec<(String, Vec<u8>)> = self.held.drain().collect();
        held.sort();
        held.iter().try_for_each(|(_, packets)| release(packets, sink))
    }
}

struct Chosen<'s> {
    choice: &'s mut Choice,
    sink: &'s mut dyn StreamResult,
}

impl StreamResult for Chosen<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(id) = event.test_id else { return self.sink.status(event) };
        let Choice { prefix, within, .. } = &*self.choice;
        let id = match (prefix.as_str(), within.as_str()) {
            ("", "") => Cow::Borrowed(id),
            (prefix, within) => Cow::Owned(format!("{prefix}{within}{id}")),
        };
        let event = Event { test_id: Some(&id), ..*event };
        let Some(sent) = &self.choice.sent else { return self.sink.status(&event) };
        let subtests = self.choice.subtests.as_deref();
        if owner(&id, subtests, |id| sent.contains(id)).is_some() {
            return self.sink.status(&event);
        }
        let is_end = event.status.is_some_and(subunit::Status::is_final);
        if owner(&id, subtests, |id| self.choice.known.contains(id)).is_some() {
            self.choice.dropped += usize::from(is_end);
            return Ok(());
        }
        let held = self.choice.held.entry(id.clone().into_owned()).or_default();
        if held.len() < MOST {
            encode_chunks(&event, held)?;
        }
        if !is_end {
            return Ok(());
        }
        let held = self.choice.held.remove(&*id).unwrap_or_default();
        if event.status.is_some_and(subunit::Status::is_failure) {
            return release(&held, self.sink);
        }
        self.choice.dropped += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

fn release(packets: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
    PushReader::default().push(packets, |frame, offset| deliver(&frame, offset, sink))
}

impl Output for Sent {
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.inner.feed(bytes, &mut self.choice.with(sink))
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.inner.flush(&mut self.choice.with(sink))
    }

    fn is_test(&self) -> bool {
        self.inner.is_test()
    }

    fn dropped(&self) -> usize {
        self.choice.dropped
    }

    fn finish(&mut self, exited_with: Option<i32>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.inner.finish(exited_with, &mut self.choice.with(sink))?;
        self.choice.finish(sink)
    }
}

#[cfg(test)]
mod tests {
    use subunit::Status;

    use super::super::Packets;
    use super::*;

    fn check(events: &[(&str, Status)], expected: &[&str], dropped: usize) {
        let mut stream = Vec::new();
        for (id, status) in events {
            encode_chunks(&Event::status(id, *status), &mut stream).unwrap();
        }
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>();
        let choice = Choice {
            sent: Some(set(&["x.a", "x.T"])),
            known: Arc::new(set(&["x.a", "x.b", "x.T"])),
            subtests: Some("/".to_owned()),
            prefix: "x.".to_owned(),
            ..Choice::default()
        };
        let mut output = Sent { inner: Box::new(Packets::default()), choice };
        let mut seen = Vec::new();
        let mut sink = streamresult::from_fn(|event: &Event<'_>| {
            seen.push(format!("{} {:?}", event.test_id.unwrap(), event.status.unwrap()));
            Ok(())
        });
        output.feed(&stream, &mut sink).unwrap();
        output.finish(Some(0), &mut sink).unwrap();
        assert_eq!(
            (seen.iter().map(String::as_str).collect::<Vec<_>>(), output.dropped()),
            (expected.to_vec(), dropped)
        );
    }

    #[test]
    fn what_was_not_sent_is_dropped_and_counted() {
        check(&[("a", Status::Success), ("b", Status::Fail)], &["x.a Success"], 1);
        check(&[("T/s", Status::Skip), ("T", Status::Success)], &["x.T/s Skip", "x.T Success"], 0);
        check(&[("new", Status::Success), ("other", Status::Skip)], &[], 2);
    }

    #[test]
    fn a_failure_of_something_else_is_no_surplus() {
        check(
            &[("setup", Status::InProgress), ("setup", Status::Fail)],
            &["x.setup InProgress", "x.setup Fail"],
            0,
        );
        check(&[("hangs", Status::InProgress)], &["x.hangs InProgress"], 0);
    }
}
