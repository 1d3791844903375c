//! Where records go.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use subunit::{Event, Status};

use crate::fan_out::{all, each_of, fan_out, forward, locked};
use crate::{Extent, Record};

/// Takes what [`Records`](crate::Records) makes of events: a record for each test as it ends, and all that
/// belongs to none.
///
/// As with [`StreamResult`](crate::StreamResult), references, boxes, options, lists and pairs of sinks are
/// sinks, and a pair or list gives each call to all, also when one fails.
///
/// ```
/// use std::io;
/// use streamresult::{Record, RecordSink, Records, StreamResult};
/// use subunit::{Event, Status};
///
/// #[derive(Default)]
/// struct Ids(Vec<String>);
///
/// impl RecordSink for Ids {
///     fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
///         self.0.push(format!("{} {}", record.test_id(), record.outcome()));
///         Ok(())
///     }
/// }
///
/// let mut records = Records::new(Ids::default());
/// records.status(&Event::status("boot", Status::InProgress))?;
/// records.status(&Event::status("login", Status::Success))?;
/// records.stop_run()?;
/// assert_eq!(records.into_sink().0, ["login success", "boot unfinished"]);
/// # Ok::<(), io::Error>(())
/// ```
///
/// A sink that wants to know more of each test than its record says keeps a value `V` with it, which [`Records`]
/// keep as long as the test is open:
///
/// ```
/// use std::io;
/// use streamresult::{Record, RecordSink, Records, StreamResult};
/// use subunit::{Event, File};
///
/// /// Counts the lines that each test writes, and keeps none of them.
/// struct Lines(Vec<(String, usize)>);
///
/// impl RecordSink<usize> for Lines {
///     fn event(&mut self, event: &Event<'_>, lines: &mut usize) -> io::Result<()> {
///         let bytes = event.file.map_or(&[][..], |file| file.bytes);
///         *lines += bytes.iter().filter(|byte| **byte == b'\n').count();
///         Ok(())
///     }
///
///     fn record(&mut self, record: &Record<'_, usize>) -> io::Result<()> {
///         self.0.push((record.test_id().to_owned(), *record.value()));
///         Ok(())
///     }
/// }
///
/// let mut records = Records::with_values(Lines(Vec::new()));
/// let file = Some(File { name: "log", bytes: b"one\ntwo\n" });
/// records.status(&Event { test_id: Some("boot"), file, ..Event::default() })?;
/// records.stop_run()?;
/// assert_eq!(records.into_sink().0, [("boot".to_owned(), 2)]);
/// # Ok::<(), io::Error>(())
/// ```
///
/// [`Records`]: crate::Records
pub trait RecordSink<V = ()> {
    /// The run begins.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn start_run(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// A test has ended, was announced, or is unfinished at the end of the run.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn record(&mut self, record: &Record<'_, V>) -> io::Result<()>;

    /// An event joins the record of its test, with which `value` is kept. Where `V` has no size, as `()`, there is
    /// nothing to keep, and this is not called.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn event(&mut self, event: &Event<'_>, value: &mut V) -> io::Result<()> {
        let _ = (event, value);
        Ok(())
    }

    /// An event without a status, of a test whose record was given before: a late attachment. It stands at
    /// `extent` in the stream, where that is known.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn late(&mut self, event: &Event<'_>, extent: Option<Extent>) -> io::Result<()> {
        let _ = (event, extent);
        Ok(())
    }

    /// An event without test id and status: a piece of a file of the run as a whole, as a rule.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        let _ = event;
        Ok(())
    }

    /// An event with a status but without a test id; it may bring a file as well.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        let _ = (event, status);
        Ok(())
    }

    /// Whether somebody in here goes on after another has failed: see
    /// [`StreamResult::outlives_errors`](crate::StreamResult::outlives_errors).
    fn outlives_errors(&self) -> bool {
        false
    }

    /// Whether the run should stop: see [`StreamResult::should_stop`](crate::StreamResult::should_stop).
    fn should_stop(&self) -> bool {
        false
    }

    /// Nothing more comes before more input.
    ///
    /// # Errors
    ///
    /// When what was held back cannot be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The run ends; unfinished tests were given before.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn stop_run(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives the methods of [`RecordSink`] to a macro that implements them.
macro_rules! methods {
    ($implement:ident $($places:tt)?) => {
        $implement! {
            $($places)?
            start_run();
            record(record: &Record<'_, V>);
            event(event: &Event<'_>, value: &mut V);
            late(event: &Event<'_>, extent: Option<Extent>);
            global(event: &Event<'_>);
            global_status(event: &Event<'_>, status: Status);
            flush();
            stop_run();
        }
    };
}

impl<V, S: RecordSink<V> + ?Sized> RecordSink<V> for &mut S {
    methods!(forward);

    fn outlives_errors(&self) -> bool {
        (**self).outlives_errors()
    }

    fn should_stop(&self) -> bool {
        (**self).should_stop()
    }
}

impl<V, S: RecordSink<V> + ?Sized> RecordSink<V> for Box<S> {
    methods!(forward);

    fn outlives_errors(&self) -> bool {
        (**self).outlives_errors()
    }

    fn should_stop(&self) -> bool {
        (**self).should_stop()
    }
}

/// `None` takes everything and does nothing with it.
impl<V, S: RecordSink<V>> RecordSink<V> for Option<S> {
    methods!(fan_out);

    fn outlives_errors(&self) -> bool {
        self.as_ref().is_some_and(RecordSink::outlives_errors)
    }

    fn should_stop(&self) -> bool {
        self.as_ref().is_some_and(RecordSink::should_stop)
    }
}

/// Every sink in order; all get each call, even when one fails.
impl<V, S: RecordSink<V>> RecordSink<V> for Vec<S> {
    methods!(fan_out);

    fn outlives_errors(&self) -> bool {
        self.len() > 1 || self.iter().any(RecordSink::outlives_errors)
    }

    fn should_stop(&self) -> bool {
        self.iter().any(RecordSink::should_stop)
    }
}

/// An array is a list.
impl<V, R: RecordSink<V>, const N: usize> RecordSink<V> for [R; N] {
    methods!(fan_out);

    fn outlives_errors(&self) -> bool {
        N > 1 || self.iter().any(RecordSink::outlives_errors)
    }

    fn should_stop(&self) -> bool {
        self.iter().any(RecordSink::should_stop)
    }
}

/// What several threads share, each with a clone: one call at a time, in whatever order they come.
impl<V, R: RecordSink<V> + ?Sized> RecordSink<V> for Arc<Mutex<R>> {
    methods!(locked);

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
        impl<V, $($name: RecordSink<V>),+> RecordSink<V> for ($($name,)+) {
            methods!(each_of $places);

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

/// A [`RecordSink`] that calls a function with each record, and passes over what belongs to none.
///
/// ```
/// use streamresult::{Records, StreamResult, record_fn};
/// use subunit::{Event, Status};
///
/// let mut failed = Vec::new();
/// let mut records = Records::new(record_fn(|record| {
///     if record.outcome().is_failure() {
///         failed.push(record.test_id().to_owned());
///     }
///     Ok(())
/// }));
/// records.status(&Event::status("boot", Status::Fail))?;
/// drop(records);
/// assert_eq!(failed, ["boot"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn record_fn<F>(function: F) -> RecordFn<F>
where
    F: FnMut(&Record<'_>) -> io::Result<()>,
{
    RecordFn(function)
}

/// Calls a function with each record; see [`record_fn`].
#[derive(Clone, Copy, Debug)]
pub struct RecordFn<F>(F);

impl<F> RecordSink for RecordFn<F>
where
    F: FnMut(&Record<'_>) -> io::Result<()>,
{
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        (self.0)(record)
    }
}
