//! The law of reading JUnit XML: any bytes are read, however they are cut, and nothing broken comes out green.

use std::collections::HashSet;
use std::io;

use formats::junit::read::{Error, Options, Parser};
use streamresult::{Outcome, StreamResult, Summary};
use subunit::{Event, Status};

/// What bytes below 32 stand for, so that random bytes make a document now and then.
const FRAGMENTS: [&str; 32] = [
    "<testsuites>",
    "</testsuites>",
    "<testsuite name='s' tests='2' errors='1' timestamp='2026-01-31T12:00:00'>",
    "</testsuite>",
    "<testcase classname='a' name='b' time='1.5'>",
    "</testcase>",
    "<testcase name='c'/>",
    "<failure message='m' type='T'>",
    "</failure>",
    "\t",
    "\n",
    "<error type='Incomplete'/>",
    "<skipped message='&lt;'/>",
    "\r",
    "<properties>",
    "</properties>",
    "<property name='tag' value='t'/>",
    "<property name='route'>",
    "</property>",
    "<system-out>",
    "</system-out>",
    "<rerunFailure>",
    "</rerunFailure>",
    "<stackTrace>",
    "</stackTrace>",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&#27;",
    "<!--",
    "-->",
    "[[ATTACHMENT|a]]",
];

/// Any bytes become the same events however they are cut; a test that began ends or is reported as unfinished; what is
/// broken fails the run.
///
/// # Panics
///
/// When the law does not hold.
pub fn junit_read(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let document = if first & 1 == 0 { rest.to_vec() } else { with_fragments(rest) };
    let (whole, error) = read(&document, document.len());
    let (cut, cut_error) = read(&document, usize::from(first >> 1) + 1);
    assert_eq!(whole.events, cut.events);
    assert_eq!(error, cut_error);
    let unfinished = whole.summary.count(Outcome::Unfinished);
    assert_eq!(whole.open.len() as u64, unfinished, "{:?} stay open", whole.open);
    assert!(error.is_none() || !whole.summary.is_success(), "{error:?} comes out green");
}

fn with_fragments(data: &[u8]) -> Vec<u8> {
    let mut document = Vec::new();
    for byte in data {
        match FRAGMENTS.get(usize::from(*byte)) {
            Some(fragment) => document.extend_from_slice(fragment.as_bytes()),
            None => document.push(*byte),
        }
    }
    document
}

/// Reads a document in pieces of this size, and says what is wrong with it.
fn read(document: &[u8], piece: usize) -> (StreamState, Option<String>) {
    let mut seen = StreamState::default();
    let mut parser = Parser::new(Options::default());
    let fed = document.chunks(piece.max(1)).try_for_each(|piece| parser.feed(piece, &mut seen));
    let ended = fed.and_then(|()| parser.finish(&mut seen));
    let error = ended.err().map(|error| match error {
        Error::Broken { .. } => error.to_string(),
        other => panic!("no sink failed: {other}"),
    });
    let stopped = seen.summary.stop_run();
    assert!(stopped.is_ok(), "{stopped:?}");
    (seen, error)
}

/// All events, and which tests are open.
#[derive(Default)]
struct StreamState {
    events: Vec<String>,
    summary: Summary,
    open: HashSet<(Option<String>, String)>,
}

impl StreamResult for StreamState {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.events.push(format!("{event:?}"));
        if let (Some(id), Some(status)) = (event.test_id, event.status) {
            let key = (event.route_code.map(str::to_owned), id.to_owned());
            if status == Status::InProgress {
                self.open.insert(key);
            } else {
                self.open.remove(&key);
            }
        }
        self.summary.status(event)
    }
}
