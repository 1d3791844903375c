//! A run as one page of HTML: what failed and why, when what ran where, and all tests behind a search.
//!
//! The page is one file that refers to nothing elsewhere. It works from a disk, with scripts off, with styles off, on
//! paper, by keyboard and for screen readers, in the light and in the dark. What others wrote is text in it and nothing
//! else: each place escapes what it takes, and a policy for browsers allows no script and no style but the page's own.
//!
//! [`PageRecords`] takes the records of a run and keeps what the page shows; [`PageRecords::write`] writes it.
//!
//! ```
//! use page::{PageOptions, PageRecords};
//! use streamresult::{Records, StreamResult, Summary};
//! use subunit::{Event, Status};
//!
//! let mut records = Records::new((PageRecords::default(), Summary::new()));
//! records.status(&Event::status("net.boot", Status::Success))?;
//! records.stop_run()?;
//! let (page, summary) = records.into_sink();
//! let mut html = Vec::new();
//! page.write(&summary, &PageOptions::default(), &mut html)?;
//! assert!(String::from_utf8(html).unwrap().contains("<h1>Passed: the only test passed</h1>"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The plain list for browsers without scripts is the data: it stands in `<noscript>`, which browsers with scripts keep
//! as one string, and the script reads it there. So there is one copy and nothing to disagree, and a test takes some
//! 80 bytes.

mod collect;
mod document;
mod earlier;
mod escape;
mod evidence;
mod failures;
pub mod frame;
mod going;
mod interned;
#[cfg(test)]
mod laws;
mod list;
mod past;
mod sections;
mod state;
mod story;
mod strip;
mod tests_kept;
mod timeline;
mod words;

use std::io::{self, Write};

use streamresult::Summary;

pub use collect::PageRecords;
pub use escape::{Esc, Line};
pub use going::Running;
pub use past::{Past, PastRun, TestPast};
pub use state::State;
pub use strip::{Mark, Strip};
pub use words::{Id, Sign, count, grouped, took};

/// What a page says besides what is in the stream.
#[derive(Clone, Debug, Default)]
pub struct PageOptions<'a> {
    /// What the run is called.
    pub title: Option<String>,
    /// What the command that writes the page exits with.
    pub exit_code: Option<u8>,
    /// Whether somebody ended the run, or the reading of it.
    pub is_interrupted: bool,
    /// Whether part of the run is missing, as is known from elsewhere.
    pub is_incomplete: bool,
    /// A sentence about what is missing.
    pub note: Option<String>,
    /// What became of the tests in earlier runs, where that is known.
    pub past: Option<&'a dyn Past>,
    /// Of a run that is under way, the tests that have begun and not ended.
    pub going: Option<Vec<Running>>,
    /// Where the page is part of a site.
    pub site: Option<frame::Site<'a>>,
}

impl PageRecords {
    /// Writes the page about the run, of which this is the summary.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write(
        mut self,
        summary: &Summary,
        options: &PageOptions<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.settle();
        document::document(&self, summary, options, out)
    }
}
