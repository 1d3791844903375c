//! A test point that waits for its diagnostics.

use std::io;

use streamresult::StreamResult;

use crate::held::{HeldFile, HeldTest};

/// A test point: when it came, it was not known whether diagnostics follow it.
#[derive(Clone, Debug)]
pub(super) struct HeldPoint {
    pub(super) test: HeldTest,
    /// How far its line was indented.
    pub(super) indent: usize,
    /// Whether comments after it are about it.
    pub(super) takes_comments: bool,
    /// Whether there is a time for what says how long it took.
    pub(super) has_time: bool,
    /// Whether it is to be done.
    pub(super) is_todo: bool,
    /// How much of the id is the path of the document.
    pub(super) path_len: usize,
    /// The description as the block has it.
    pub(super) renamed: Option<String>,
    /// Of the directive; a file of the block of this name has more of it.
    pub(super) reason: Vec<u8>,
    reason_file: HeldFile,
    comment: HeldFile,
    /// The part of the block of diagnostics that is not understood.
    pub(super) block: HeldFile,
}

impl Default for HeldPoint {
    fn default() -> Self {
        HeldPoint {
            test: HeldTest::default(),
            indent: 0,
            takes_comments: false,
            has_time: false,
            is_todo: false,
            path_len: 0,
            renamed: None,
            reason: Vec::new(),
            reason_file: HeldFile::text("reason"),
            comment: HeldFile::text("tap comment"),
            block: HeldFile::text("diagnostics.yaml"),
        }
    }
}

impl HeldPoint {
    /// Makes room for the next one.
    pub(super) fn clear(&mut self) {
        self.test.clear();
        self.reason.clear();
        self.renamed = None;
    }

    /// Adds a line to the comments.
    pub(super) fn comment(&mut self, line: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.test.push(&mut self.comment, line, None, sink)?;
        self.test.push(&mut self.comment, b"\n", None, sink)
    }

    /// Adds to the block of diagnostics.
    pub(super) fn block(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.test.push(&mut self.block, bytes, None, sink)
    }

    /// Reports all of it.
    pub(super) fn release(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let HeldPoint { test, reason, reason_file, comment, block, .. } = self;
        if !reason.is_empty() {
            test.push(reason_file, reason, None, sink)?;
        }
        test.end([comment, block, reason_file], sink)
    }
}
