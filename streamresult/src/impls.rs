//! What is a `StreamResult` by what it holds: references, boxes, options, lists, tuples, what threads share, and writers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use subunit::io::Writer;
use subunit::{Event, Packet};

use crate::fan_out::{all, each_of, fan_out, forward, locked};
use crate::{Extent, StreamResult};

/// Gives the methods of [`StreamResult`] to a macro that implements them.
macro_rules! methods {
    ($implement:ident $($places:tt)?) => {
        $implement! {
            $($places)?
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

    fn should_stop(&self) -> bool {
        (**self).should_stop()
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

    fn should_stop(&self) -> bool {
        (**self).should_stop()
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

    fn should_stop(&self) -> bool {
        self.as_ref().is_some_and(StreamResult::should_stop)
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

    fn should_stop(&self) -> bool {
        self.iter().any(StreamResult::should_stop)
    }

    fn at(&mut self, extent: Extent) {
        self.iter_mut().for_each(|target| target.at(extent));
    }
}

/// An array is a list.
impl<R: StreamResult, const N: usize> StreamResult for [R; N] {
    methods!(fan_out);

    fn at(&mut self, extent: Extent) {
        self.iter_mut().for_each(|target| target.at(extent));
    }

    fn outlives_errors(&self) -> bool {
        N > 1 || self.iter().any(StreamResult::outlives_errors)
    }

    fn should_stop(&self) -> bool {
        self.iter().any(StreamResult::should_stop)
    }
}

/// What several threads share, each with a clone: one call at a time, in whatever order they come.
impl<R: StreamResult + ?Sized> StreamResult for Arc<Mutex<R>> {
    methods!(locked);

    fn at(&mut self, extent: Extent) {
        self.lock().unwrap_or_else(PoisonError::into_inner).at(extent);
    }

    fn outlives_errors(&self) -> bool {
        self.lock().unwrap_or_else(PoisonError::into_inner).outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.lock().unwrap_or_else(PoisonError::into_inner).should_stop()
    }
}

/// All of a tuple in order; all get each call, even when one fails.
macro_rules! tuple {
    ($places:tt $($name:ident $place:tt),+) => {
        impl<$($name: StreamResult),+> StreamResult for ($($name,)+) {
            methods!(each_of $places);

            fn at(&mut self, extent: Extent) {
                $(self.$place.at(extent);)+
            }

            fn outlives_errors(&self) -> bool {
                true
            }

            fn should_stop(&self) -> bool {
                false $(|| self.$place.should_stop())+
            }
        }
    };
}

tuple!((0 1) A 0, B 1);
tuple!((0 1 2) A 0, B 1, C 2);
tuple!((0 1 2 3) A 0, B 1, C 2, D 3);
tuple!((0 1 2 3 4) A 0, B 1, C 2, D 3, E 4);
tuple!((0 1 2 3 4 5) A 0, B 1, C 2, D 3, E 4, F 5);

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
