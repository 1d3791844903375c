//! What is a `StreamResult` by what it holds: references, boxes, options, lists, pairs and writers.

use std::io::{self, Write};

use subunit::io::Writer;
use subunit::{Event, Packet};

use crate::fan_out::{all, both, fan_out, forward};
use crate::{Extent, StreamResult};

/// Gives the methods of [`StreamResult`] to a macro that implements them.
macro_rules! methods {
    ($implement:ident) => {
        $implement! {
            start_run();
            status(event: &Event<'_>);
            packet(packet: &Packet<'_>);
            packets(packets: &[u8]);
            flush();
            stop_run();
        }
    };
}

impl<R: StreamResult + ?Sized> StreamResult for &mut R {
    methods!(forward);

    fn outlives_errors(&self) -> bool {
        (**self).outlives_errors()
    }

    fn at(&mut self, extent: Extent) {
        (**self).at(extent);
    }
}

impl<R: StreamResult + ?Sized> StreamResult for Box<R> {
    methods!(forward);

    fn outlives_errors(&self) -> bool {
        (**self).outlives_errors()
    }

    fn at(&mut self, extent: Extent) {
        (**self).at(extent);
    }
}

/// `None` takes everything and does nothing with it.
impl<R: StreamResult> StreamResult for Option<R> {
    methods!(fan_out);

    fn outlives_errors(&self) -> bool {
        self.as_ref().is_some_and(StreamResult::outlives_errors)
    }

    fn at(&mut self, extent: Extent) {
        self.iter_mut().for_each(|target| target.at(extent));
    }
}

/// Every target in order; all get each call, even when one fails.
impl<R: StreamResult> StreamResult for Vec<R> {
    methods!(fan_out);

    fn outlives_errors(&self) -> bool {
        self.len() > 1 || self.iter().any(StreamResult::outlives_errors)
    }

    fn at(&mut self, extent: Extent) {
        self.iter_mut().for_each(|target| target.at(extent));
    }
}

/// Both in order; the second gets each call even when the first fails.
impl<A: StreamResult, B: StreamResult> StreamResult for (A, B) {
    methods!(both);

    fn outlives_errors(&self) -> bool {
        true
    }

    fn at(&mut self, extent: Extent) {
        self.0.at(extent);
        self.1.at(extent);
    }
}

/// Writes each event as a packet (as several, where one cannot hold its file content), and each packet as
/// it is. The end of the run flushes it.
impl<W: Write> StreamResult for Writer<W> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.write(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.write_packet(packet)
    }

    fn packets(&mut self, packets: &[u8]) -> io::Result<()> {
        self.write_packets(packets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Writer::flush(self)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        Writer::flush(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_fn;

    fn refuse() -> io::Result<()> {
        Err(io::Error::other("no"))
    }

    #[test]
    fn all_targets_get_an_event_that_one_refuses() {
        let mut seen = 0;
        let count = from_fn(|_| {
            seen += 1;
            Ok(())
        });
        let mut both = (from_fn(|_| refuse()), count);
        let event = Event::file("log", b"");
        assert_eq!(both.status(&event).unwrap_err().to_string(), "no");
        let mut list: Vec<Box<dyn StreamResult + '_>> = Vec::new();
        list.push(Box::new(from_fn(|_| refuse())));
        list.push(Box::new(from_fn(|_| {
            seen += 1;
            Ok(())
        })));
        assert!(list.status(&event).is_err());
        drop(list);
        assert_eq!(seen, 2);
    }

    #[test]
    fn the_first_error_is_the_answer() {
        let mut both =
            (from_fn(|_| Err(io::Error::other("first"))), from_fn(|_| Err(io::Error::other("second"))));
        assert_eq!(both.status(&Event::default()).unwrap_err().to_string(), "first");
    }

    #[test]
    fn none_takes_everything() {
        let mut none = None::<Vec<Box<dyn StreamResult>>>;
        assert!(none.start_run().is_ok() && none.status(&Event::default()).is_ok());
    }
}
