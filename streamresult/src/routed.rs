//! Puts a code in front of route codes.

use std::io;

use subunit::Event;

use crate::StreamResult;

/// Puts a code in front of every event's route code; made by [`routed`](crate::StreamResultExt::routed).
#[derive(Clone, Debug)]
pub struct Routed<R> {
    inner: R,
    /// The code, then `/` and the route code of an event.
    route: String,
    code: usize,
}

impl<R> Routed<R> {
    pub(crate) fn new(inner: R, code: String) -> Self {
        let len = code.len();
        Routed { inner, route: code, code: len }
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

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.route.truncate(self.code);
        if let Some(rest) = event.route_code {
            self.route.push('/');
            self.route.push_str(rest);
        }
        self.inner.status(&Event { route_code: Some(&self.route), ..*event })
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
}
