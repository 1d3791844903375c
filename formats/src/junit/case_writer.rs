//! Writing a case, in one piece or in sections that are put together later.

use std::io;

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

    /// Lets go of memory, between two appends.
    #[inline]
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        self.spool.settle(self.stream)
    }

    /// How long the sections are.
    pub(crate) fn finish(self) -> io::Result<Lengths> {
        self.spool.settle(self.stream)?;
        Ok(self.lengths)
    }
}
