//! Who takes what a child writes.

use std::io;
use std::os::fd::BorrowedFd;

use crate::Deadline;

/// The stream that bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The child's output.
    Stdout,
    /// The child's error output.
    Stderr,
}

/// Takes what a child writes, as it comes. A closure that takes it is all that most need.
///
/// A sink that passes things on to somebody slow must not block, or deadlines are missed meanwhile: it keeps what it
/// cannot write, and says so by [`Sink::backlog`]. Then nothing more is read from the child, which is thus held up,
/// until [`Sink::write`] has written it.
pub trait Sink {
    /// Takes what the child wrote.
    ///
    /// # Errors
    ///
    /// When it cannot be taken: then the child is ended.
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()>;

    /// Is told that nothing more is there to be read now: whatever was gathered shall go on its way.
    ///
    /// # Errors
    ///
    /// See [`Sink::take`].
    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// To where something waits to be written.
    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Makes one write of what waits, short enough not to block: there is room for it.
    ///
    /// # Errors
    ///
    /// See [`Sink::take`].
    fn write(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// When the child shall be made to end, as far as it depends on what it wrote: looked at after each reading.
    fn deadline(&self) -> Deadline {
        Deadline::NEVER
    }

    /// Is told that the child is asked to end; it may still write.
    fn asked_to_end(&mut self) {}

    /// Is told what came on the [lifeline](crate::Follow::lifeline).
    fn told(&mut self, _bytes: &[u8]) {}

    /// Until when what the child has started may go on after it, where it was asked to end by the sink itself; else
    /// that is as [`Timeouts`](crate::Timeouts) have it.
    fn lingers(&self) -> Option<Deadline> {
        None
    }
}

impl<F: FnMut(Source, &[u8]) -> io::Result<()>> Sink for F {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        self(source, bytes)
    }
}
