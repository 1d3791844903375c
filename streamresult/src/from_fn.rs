//! A function as a `StreamResult`.

use std::io;

use subunit::Event;

use crate::StreamResult;

/// A `StreamResult` that calls a function with each event.
///
/// ```
/// use streamresult::{StreamResult, from_fn};
/// use subunit::{Event, Status};
///
/// let mut ids = Vec::new();
/// let mut result = from_fn(|event| {
///     ids.extend(event.test_id.map(str::to_owned));
///     Ok(())
/// });
/// result.status(&Event::status("boot", Status::Success))?;
/// drop(result);
/// assert_eq!(ids, ["boot"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn from_fn<F>(function: F) -> FromFn<F>
where
    F: FnMut(&Event<'_>) -> io::Result<()>,
{
    FromFn(function)
}

/// Calls a function with each event; see [`from_fn`].
#[derive(Clone, Copy, Debug)]
pub struct FromFn<F>(F);

impl<F> StreamResult for FromFn<F>
where
    F: FnMut(&Event<'_>) -> io::Result<()>,
{
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        (self.0)(event)
    }
}
