//! Subunit version 1: lines of text that report one test after the other.
//!
//! ```text
//! time: 2026-01-31 23:59:58.000000Z
//! tags: slow
//! test: boot
//! time: 2026-01-31 23:59:59.250000Z
//! failure: boot [ multipart
//! Content-Type: text/plain;charset=utf8
//! log
//! 6\r\n
//! ready
//! 0\r\n
//! ]
//! tags: -slow
//! ```
//!
//! [`drive`] and [`V1Parser`] read it, [`V1Writer`] writes it. What the format cannot express is lost in writing: route
//! codes, whether a test is runnable, and announcements (`exists`). What v2 cannot express is lost in reading:
//! `progress:` lines, and whether a test ended by `failure:` or by `error:`.

mod guard;
mod label;
mod line;
mod mime;
mod parse;
mod scope;
mod test;
mod time;
mod write;

use std::borrow::Cow;
use std::io::{self, Read};

use streamresult::StreamResult;
use subunit::{part, part_mut};

use crate::utf16::Utf16;

pub use parse::V1Parser;
pub use write::V1Writer;

/// How much is read at a time.
const BLOCK: usize = 64 * 1024;

/// Reads a v1 stream to its end and pushes all of it into `sink`, as [`streamresult::drive`] does with v2.
///
/// Whenever reading may block, what has come is handed on, also of a line or an attachment under way.
///
/// ```
/// use streamresult::{Outcome, Summary};
///
/// let mut summary = Summary::new();
/// formats::v1::drive(&b"test: boot\nsuccess: boot\ntest: login\n"[..], &mut summary)?;
/// assert_eq!(summary.count(Outcome::Success), 1);
/// assert_eq!(summary.count(Outcome::Fail), 1, "the stream ended within a test");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When reading fails, or the sink does. Its run is stopped all the same, after all events that came before.
pub fn drive<R: Read>(mut input: R, sink: &mut dyn StreamResult) -> io::Result<()> {
    let passed = sink.start_run().and_then(|()| pass(&mut input, sink));
    passed.and(sink.stop_run())
}

fn pass<R: Read>(input: &mut R, sink: &mut dyn StreamResult) -> io::Result<()> {
    let (mut parser, mut utf16) = (V1Parser::new(), Utf16::default());
    let mut buffer = Vec::new();
    let read = loop {
        match fill(input, &mut buffer, &mut utf16) {
            Ok(0) => break Ok(()),
            Ok(_) => {}
            // What came before is told, then the error.
            Err(error) => break Err(error),
        }
        let used = parser.feed(&buffer, sink)?;
        buffer.drain(..used);
        parser.flush(sink)?;
    };
    buffer.extend(utf16.finish());
    let ended = parser.finish(&buffer, sink);
    ended.and(read)
}

/// Appends what one read gives, and returns how much was read.
fn fill<R: Read>(input: &mut R, buffer: &mut Vec<u8>, utf16: &mut Utf16) -> io::Result<usize> {
    let held = buffer.len();
    buffer.resize(held + BLOCK, 0);
    let count = loop {
        match input.read(part_mut(buffer, held..)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    buffer.truncate(held + *count.as_ref().unwrap_or(&0));
    if let Cow::Owned(text) = utf16.decode(part(buffer, held..)) {
        buffer.truncate(held);
        buffer.extend(text);
    }
    count
}
