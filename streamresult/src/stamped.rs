//! Gives events a time that have none.

use std::io;

use subunit::{Event, Packet, Timestamp};

use crate::{Extent, StreamResult};

/// Gives the time of a clock to events without one; made by [`stamped`](crate::StreamResultExt::stamped)
/// and [`stamped_by`](crate::StreamResultExt::stamped_by).
#[derive(Clone, Copy, Debug)]
pub struct Stamped<R, C> {
    inner: R,
    clock: C,
}

impl<R, C> Stamped<R, C> {
    pub(crate) fn new(inner: R, clock: C) -> Self {
        Stamped { inner, clock }
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

impl<R: StreamResult, C: FnMut() -> Timestamp> StreamResult for Stamped<R, C> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let timestamp = event.timestamp.unwrap_or_else(&mut self.clock);
        self.inner.status(&Event { timestamp: Some(timestamp), ..*event })
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        if packet.timestamp().is_some() { self.inner.packet(packet) } else { self.status(&packet.event()) }
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
    use super::*;
    use crate::{StreamResultExt, from_fn};

    #[test]
    fn only_events_without_a_time_get_one() {
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let mut seen = Vec::new();
        let result = from_fn(|event| {
            seen.push(event.timestamp);
            Ok(())
        });
        let mut stamped = result.stamped_by(|| Timestamp::from_seconds(7));
        stamped.status(&Event { timestamp: at(3), ..Event::default() }).unwrap();
        stamped.status(&Event::default()).unwrap();
        assert_eq!(seen, [at(3), at(7)]);
    }
}
