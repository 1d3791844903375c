//! Events without the run around them.

use std::io;

use subunit::{Event, Packet};

use crate::{Extent, StreamResult};

/// Passes events on, and neither start nor stop; made by [`events_only`](crate::StreamResultExt::events_only).
#[derive(Clone, Copy, Debug)]
pub struct EventsOnly<R>(R);

impl<R> EventsOnly<R> {
    pub(crate) fn new(inner: R) -> Self {
        EventsOnly(inner)
    }

    /// Where the events go.
    pub fn get_ref(&self) -> &R {
        &self.0
    }

    /// Where the events go.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.0
    }

    /// Where the events go.
    pub fn into_inner(self) -> R {
        self.0
    }
}

impl<R: StreamResult> StreamResult for EventsOnly<R> {
    fn at(&mut self, extent: Extent) {
        self.0.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.status(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.0.packet(packet)
    }

    fn packets(&mut self, packets: &[u8]) -> io::Result<()> {
        self.0.packets(packets)
    }

    fn outlives_errors(&self) -> bool {
        self.0.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.0.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
