//! Passes on the events for which a predicate holds.

use std::io;

use subunit::{Event, Packet};

use crate::{Extent, StreamResult};

/// Passes on the events for which a predicate holds; made by
/// [`filtered`](crate::StreamResultExt::filtered).
#[derive(Clone, Copy, Debug)]
pub struct Filtered<R, P> {
    inner: R,
    wanted: P,
}

impl<R, P> Filtered<R, P> {
    pub(crate) fn new(inner: R, wanted: P) -> Self {
        Filtered { inner, wanted }
    }

    /// Where the events go.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Where the events go.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Where the events go.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: StreamResult, P: FnMut(&Event<'_>) -> bool> StreamResult for Filtered<R, P> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        if (self.wanted)(event) { self.inner.status(event) } else { Ok(()) }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        if (self.wanted)(&packet.event()) { self.inner.packet(packet) } else { Ok(()) }
    }

    fn outlives_errors(&self) -> bool {
        self.inner.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.inner.stop_run()
    }
}

#[cfg(test)]
mod tests {
    use subunit::Status;

    use crate::testing::CallLog;
    use crate::{StreamResult, StreamResultExt};

    #[test]
    fn passes_only_what_is_wanted() {
        let seen = CallLog::default();
        let mut failures = seen.clone().filtered(|event| event.status == Some(Status::Fail));
        for status in Status::ALL {
            failures.status(&subunit::Event::status("t", status)).unwrap();
        }
        assert_eq!(seen.lines(), ["t fail"]);
    }
}
