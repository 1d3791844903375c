//! Writing a case, in one piece or in sections that are put together later.

use streamresult::{Spool, Spooled};

/// A part of a case. What stands between the parts follows from them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Section {
    /// The attributes of `testcase`.
    Attributes,
    /// The element `properties`.
    Properties,
    /// The attributes of `failure`, `error` or `skipped`.
    Outcome,
    /// The text in that.
    Text,
    /// The elements of other attempts.
    Attempts,
    /// The text in `system-out`.
    Out,
    /// The text in `system-err`.
    Err,
}

/// How long each section is.
pub(crate) type Lengths = [u32; 7];

/// Appends a case to a stream.
pub(crate) struct CaseWriter<'a> {
    spool: &'a mut Spool,
    stream: &'a mut Spooled,
    /// Whether what stands between the sections is left out.
    sections_only: bool,
    /// Where the section begins.
    start: u64,
    lengths: Lengths,
}

impl<'a> CaseWriter<'a> {
    pub(crate) fn new(spool: &'a mut Spool, stream: &'a mut Spooled, sections_only: bool) -> Self {
        let start = stream.len();
        CaseWriter { spool, stream, sections_only, start, lengths: Lengths::default() }
    }

    /// Where to append the bytes of a section.
    #[inline]
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        self.stream.tail()
    }

    /// Appends what stands between sections.
    #[inline]
    pub(crate) fn glue(&mut self, text: &str) {
        if !self.sections_only {
            self.stream.tail().extend_from_slice(text.as_bytes());
            self.start = self.stream.len();
        }
    }

    /// Ends a section.
    #[inline]
    pub(crate) fn end(&mut self, section: Section) {
        let len = self.stream.len();
        if let Some(length) = self.lengths.get_mut(section as usize) {
            *length = (len - self.start) as u32;
        }
        self.start = len;
    }

    /// Moves what is long to the temporary file, between two appends. If that cannot be written, the report goes on:
    /// short pieces stay in memory, and [`takes`](CaseWriter::takes) says which are too long for it.
    #[inline]
    pub(crate) fn settle(&mut self) {
        let _ = self.spool.settle(self.stream);
    }

    /// Whether there is room for a text that was appended since memory was let go of.
    #[inline]
    pub(crate) fn takes(&self) -> bool {
        self.spool.takes(self.stream, self.stream.unsettled())
    }

    /// Notes that text was left out, because it is not taken.
    pub(crate) fn leave_out(&mut self, count: usize) {
        self.spool.leave_out(count);
    }

    /// Why text was left out, where it was for want of room.
    pub(crate) fn no_room(&self) -> Option<&str> {
        self.spool.failure()
    }

    /// How long the sections are.
    pub(crate) fn finish(mut self) -> Lengths {
        self.settle();
        self.lengths
    }
}
