//! What no list of tests can show.

use std::fmt;
use std::io::{self, Write};

use streamresult::Summary;
use subunit::Status;

/// Tells of statuses that no list of tests can show, because they have no test id.
pub(crate) fn write_global_statuses<W: Write + ?Sized>(words: &mut W, summary: &Summary) -> io::Result<()> {
    if summary.global_total() > 0 { writeln!(words, "{}", GlobalStatuses(summary)) } else { Ok(()) }
}

/// `statuses without a test id: 1 fail, 2 success`.
pub(crate) struct GlobalStatuses<'a>(pub(crate) &'a Summary);

impl fmt::Display for GlobalStatuses<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "statuses without a test id: ";
        for status in Status::ALL {
            let count = self.0.global(status);
            if count > 0 {
                write!(formatter, "{separator}{count} {status}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
