//! What a worker writes, as events.

use std::io;

use streamresult::{StreamResult, deliver};
use subunit::PushReader;

/// Reads what a worker writes to its output.
pub trait Output: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()>;

    /// Nothing more is there to be read now: passes on what was held back for speed.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let _ = sink;
        Ok(())
    }

    /// Whether the worker is a test itself, as far as is known: the limit of a test is its own then.
    fn is_test(&self) -> bool {
        false
    }

    /// How many results were dropped, of tests that the worker was not sent.
    fn dropped(&self) -> usize {
        0
    }

    /// The worker has ended; `exited_with` is its exit status, if it has one.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn finish(&mut self, exited_with: Option<i32>, sink: &mut dyn StreamResult) -> io::Result<()>;
}

/// A worker that writes a stream. What stands between its packets is text.
#[derive(Clone, Debug, Default)]
pub struct Packets(PushReader);

impl Output for Packets {
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.0.push(bytes, |frame, offset| deliver(&frame, offset, sink))
    }

    fn finish(&mut self, _: Option<i32>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.0.end(|frame, offset| deliver(&frame, offset, sink))
    }
}
