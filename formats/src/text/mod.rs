//! The report that people read.
//!
//! One line per test as it ends; then the failures in full, with the text of their attachments; why tests were
//! skipped, which took longest, the ids of those that failed, and in the last line how the run went.
//!
//! Nothing that comes from the stream begins a line, so that no CI system takes it for a command, and control
//! characters are shown, not sent. All that the report draws itself is ASCII.

mod ascii;
pub(crate) mod line;
pub(crate) mod longest;
mod paint;
mod report;
pub(crate) mod section;
pub(crate) mod skips;
mod tally;
#[cfg(test)]
mod tests;

use streamresult::Summary;

pub use ascii::Ascii;
pub use line::title;
pub use paint::Tone;
pub use report::TextReport;

/// What a report has, and how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// A line for each test as it ends.
    pub lines: bool,
    /// Colours, as escape sequences.
    pub color: bool,
    /// How many of the slowest tests are listed; `None` is five, when more than five have a time.
    pub slowest: Option<usize>,
    /// How failures are grouped, if at all.
    pub group: Option<GroupBy>,
    /// The output of tests that did not fail, too, and all of it however long it is.
    pub all_output: bool,
    /// Neither lines nor failures, only what is said of the run.
    pub summary_only: bool,
}

/// How failures are grouped. Closed: the command line has these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// By route; tests are counted for each.
    Route,
    /// By status.
    Status,
}

/// How the report concludes a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conclusion<'a> {
    /// How to run again what failed: a line below the ids.
    pub rerun: Option<&'a str>,
    /// The stream was not read to its end: that nothing failed so far does not make it a success.
    pub incomplete: bool,
    /// A signal was why, or why the run itself ended early: that is said beside any verdict.
    pub interrupted: bool,
}

impl Conclusion<'_> {
    /// How the run went, in a word or three, and how it looks.
    pub(crate) fn word(self, summary: &Summary) -> (&'static str, Tone) {
        match (summary.is_success(), self.incomplete, summary.ran()) {
            (false, _, _) if self.interrupted => ("FAILED, INTERRUPTED", Tone::Bad),
            (false, _, _) => ("FAILED", Tone::Bad),
            (true, _, _) if self.interrupted => ("INTERRUPTED", Tone::Bad),
            (true, true, _) => ("INCOMPLETE", Tone::Bad),
            (true, false, false) => ("NOTHING RAN", Tone::Notice),
            (true, false, true) => ("PASSED", Tone::Good),
        }
    }
}
