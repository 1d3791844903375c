//! What goes on when a result fails.

use std::io;

use subunit::{Event, Packet};

use crate::{Extent, StreamResult};

/// Keeps errors to itself, so that the run goes on for others; made by
/// [`isolated`](crate::StreamResultExt::isolated).
///
/// The result that failed gets all further calls, and the first error is kept for whoever asks.
#[derive(Debug)]
pub struct Isolated<R> {
    inner: R,
    error: Option<io::Error>,
}

impl<R> Isolated<R> {
    pub(crate) fn new(inner: R) -> Self {
        Isolated { inner, error: None }
    }

    /// The first error, if there was one.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// The first error, if there was one since this was last called.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
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

    /// Keeps an error, the first one.
    #[inline]
    fn keep(&mut self, told: io::Result<()>) {
        if let Err(error) = told {
            self.error.get_or_insert(error);
        }
    }
}

impl<R: StreamResult> StreamResult for Isolated<R> {
    fn start_run(&mut self) -> io::Result<()> {
        let told = self.inner.start_run();
        self.keep(told);
        Ok(())
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let told = self.inner.status(event);
        self.keep(told);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let told = self.inner.packet(packet);
        self.keep(told);
        Ok(())
    }

    fn packets(&mut self, packets: &[u8]) -> io::Result<()> {
        let told = self.inner.packets(packets);
        self.keep(told);
        Ok(())
    }

    fn outlives_errors(&self) -> bool {
        self.inner.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        let told = self.inner.flush();
        self.keep(told);
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        let told = self.inner.stop_run();
        self.keep(told);
        Ok(())
    }
}

/// Lends a result to whoever reads for it. Where somebody in it goes on after an error, errors are kept here, so that
/// the reader goes on too, and answers with the first of them in the end.
#[derive(Debug)]
pub struct Lasting<'a, S: ?Sized> {
    sink: &'a mut S,
    first: io::Result<()>,
}

impl<'a, S: StreamResult + ?Sized> Lasting<'a, S> {
    /// Nothing has failed yet.
    pub fn new(sink: &'a mut S) -> Self {
        Lasting { sink, first: Ok(()) }
    }

    /// The first error of the result, or how reading for it went.
    ///
    /// # Errors
    ///
    /// When the result has failed, or reading has.
    pub fn finish(self, read: io::Result<()>) -> io::Result<()> {
        self.first.and(read)
    }

    #[inline]
    fn keep(&mut self, told: io::Result<()>) -> io::Result<()> {
        if told.is_ok() { Ok(()) } else { self.keep_error(told) }
    }

    #[cold]
    fn keep_error(&mut self, told: io::Result<()>) -> io::Result<()> {
        if !self.sink.outlives_errors() {
            return told;
        }
        if self.first.is_ok() {
            self.first = told;
        }
        Ok(())
    }
}

impl<S: StreamResult + ?Sized> StreamResult for Lasting<'_, S> {
    fn start_run(&mut self) -> io::Result<()> {
        let told = self.sink.start_run();
        self.keep(told)
    }

    #[inline]
    fn at(&mut self, extent: Extent) {
        self.sink.at(extent);
    }

    #[inline]
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let told = self.sink.status(event);
        self.keep(told)
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let told = self.sink.packet(packet);
        self.keep(told)
    }

    fn packets(&mut self, packets: &[u8]) -> io::Result<()> {
        let told = self.sink.packets(packets);
        self.keep(told)
    }

    fn outlives_errors(&self) -> bool {
        self.sink.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.sink.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        let told = self.sink.flush();
        self.keep(told)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        let told = self.sink.stop_run();
        self.keep(told)
    }
}
