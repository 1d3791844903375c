//! What the tests of this crate share.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use subunit::Event;

use crate::StreamResult;

/// Writes down what it is told; clones write in the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog(Rc<RefCell<Vec<String>>>);

impl CallLog {
    /// All calls so far: `id status` for an event, `start`, `stop` and `flush` for the others.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn note(&self, line: impl Into<String>) -> io::Result<()> {
        self.0.borrow_mut().push(line.into());
        Ok(())
    }
}

impl StreamResult for CallLog {
    fn start_run(&mut self) -> io::Result<()> {
        self.note("start")
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let status = event.status.map_or("-", |status| status.as_str());
        self.note(format!("{} {status}", event.test_id.unwrap_or("-")))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.note("flush")
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.note("stop")
    }
}
