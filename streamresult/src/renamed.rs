//! Gives tests other ids.

use std::borrow::Cow;
use std::io;

use subunit::{Event, Packet};

use crate::{Extent, StreamResult};

/// Gives tests the ids that a function makes of theirs; made by
/// [`renamed`](crate::StreamResultExt::renamed).
#[derive(Clone, Copy, Debug)]
pub struct Renamed<R, F> {
    inner: R,
    rename: F,
}

impl<R, F> Renamed<R, F> {
    pub(crate) fn new(inner: R, rename: F) -> Self {
        Renamed { inner, rename }
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

impl<R, F> Renamed<R, F>
where
    F: for<'i> FnMut(&'i str) -> Cow<'i, str>,
{
    /// The new id, where there is another one.
    fn new_id<'i>(&mut self, test_id: Option<&'i str>) -> Option<Cow<'i, str>> {
        let old = test_id?;
        let new = (self.rename)(old);
        (new != old).then_some(new)
    }
}

impl<R, F> StreamResult for Renamed<R, F>
where
    R: StreamResult,
    F: for<'i> FnMut(&'i str) -> Cow<'i, str>,
{
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        match self.new_id(event.test_id) {
            None => self.inner.status(event),
            Some(id) => self.inner.status(&Event { test_id: Some(&id), ..*event }),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        match self.new_id(packet.test_id()) {
            None => self.inner.packet(packet),
            Some(id) => self.inner.status(&Event { test_id: Some(&id), ..packet.event() }),
        }
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
    use std::borrow::Cow;

    use subunit::{Event, Status};

    use crate::testing::CallLog;
    use crate::{StreamResult, StreamResultExt};

    #[test]
    fn tests_get_their_new_ids() {
        let seen = CallLog::default();
        let mut renamed = seen.clone().renamed(|id| match id.strip_prefix("old.") {
            Some(rest) => Cow::Owned(format!("new.{rest}")),
            None => Cow::Borrowed(id),
        });
        renamed.status(&Event::status("old.a", Status::Success)).unwrap();
        renamed.status(&Event::status("b", Status::Success)).unwrap();
        renamed.status(&Event::file("log", b"")).unwrap();
        assert_eq!(seen.lines(), ["new.a success", "b success", "- -"]);
    }
}
