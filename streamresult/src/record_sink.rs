//! Where records go.

use std::io;

use subunit::{Event, Status};

use crate::Record;
use crate::fan_out::{all, both, fan_out, forward};

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
pub trait RecordSink {
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
    fn record(&mut self, record: &Record<'_>) -> io::Result<()>;

    /// An event without a status, of a test whose record was given before: a late attachment.
    ///
    /// # Errors
    ///
    /// When this cannot be reported.
    fn late(&mut self, event: &Event<'_>) -> io::Result<()> {
        let _ = event;
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
    ($implement:ident) => {
        $implement! {
            start_run();
            record(record: &Record<'_>);
            late(event: &Event<'_>);
            global(event: &Event<'_>);
            global_status(event: &Event<'_>, status: Status);
            flush();
            stop_run();
        }
    };
}

impl<S: RecordSink + ?Sized> RecordSink for &mut S {
    methods!(forward);
}

impl<S: RecordSink + ?Sized> RecordSink for Box<S> {
    methods!(forward);
}

/// `None` takes everything and does nothing with it.
impl<S: RecordSink> RecordSink for Option<S> {
    methods!(fan_out);
}

/// Every sink in order; all get each call, even when one fails.
impl<S: RecordSink> RecordSink for Vec<S> {
    methods!(fan_out);
}

/// Both in order; the second gets each call even when the first fails.
impl<A: RecordSink, B: RecordSink> RecordSink for (A, B) {
    methods!(both);
}

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
