//! Puts a code in front of route codes.

use std::io;

use subunit::{EncodeError, Event, RoutePrefix};

use crate::{Extent, StreamResult};

/// Puts a code in front of every event's route code; made by [`routed`](crate::StreamResultExt::routed).
#[derive(Clone, Debug)]
pub struct Routed<R> {
    inner: R,
    prefix: Result<RoutePrefix, EncodeError>,
}

impl<R> Routed<R> {
    pub(crate) fn new(inner: R, code: String) -> Self {
        Routed { inner, prefix: RoutePrefix::new(code) }
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

impl<R: StreamResult> StreamResult for Routed<R> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let prefix = self.prefix.as_mut().map_err(|error| *error)?;
        self.inner.status(&prefix.event(event))
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
    use subunit::Event;

    use crate::{StreamResult, StreamResultExt, from_fn};

    fn check(code: &str, route_code: Option<&str>, expected: &str) {
        let mut seen = None;
        let result = from_fn(|event| {
            seen = event.route_code.map(str::to_owned);
            Ok(())
        });
        result.routed(code).status(&Event { route_code, ..Event::default() }).unwrap();
        assert_eq!(seen.as_deref(), Some(expected));
    }

    #[test]
    fn the_code_stands_before_the_route() {
        check("0", None, "0");
        check("0", Some("worker/1"), "0/worker/1");
        check("0", Some(""), "0/");
    }

    #[test]
    fn a_code_that_no_packet_can_carry_is_an_error() {
        let error = from_fn(|_| Ok(())).routed("a\0").status(&Event::default()).unwrap_err();
        assert_eq!(error.to_string(), "route code holds a NUL, which subunit cannot carry");
    }
}
