//! Subtests in braces, behind the test point that they belong to:
//!
//! ```text
//! ok 1 - boots # time=5ms {
//!     ok 1 - reads
//!     1..1
//! }
//! ```
//!
//! A brace may also be the end of a name: whether it is shows in the next line. It may stand before the directive, or
//! below the block of diagnostics, on a line of its own. The test point is kept with its subtests and told behind
//! them, as of all others.

use std::io;

use streamresult::StreamResult;
use subunit::{Timestamp, part};

use super::document::Document;
use super::held::HeldPoint;
use super::line::{self, Line as TapLine, Point};
use super::read::TapParser;

/// The line of a test point that ends in a brace.
#[derive(Clone, Debug)]
pub(super) struct Brace {
    pub(super) line: Vec<u8>,
    pub(super) level: usize,
    pub(super) time: Option<Timestamp>,
}

/// Whether a brace stands at the end of a line, or of the description in it.
pub(super) fn ends_in_brace(line: &[u8], point: &Point<'_>) -> bool {
    line.trim_ascii_end().ends_with(b" {") || point.description.ends_with(b" {")
}

fn name_before_brace(description: &[u8]) -> &[u8] {
    description.strip_suffix(b" {").map_or(description, <[u8]>::trim_ascii_end)
}

/// How many blanks a line begins with.
pub(super) fn indentation(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

impl TapParser {
    /// Takes the test point that ended in a brace; `next` is the line behind it, if there is one.
    pub(super) fn end_brace(&mut self, next: Option<&[u8]>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(Brace { line, level, time }) = self.brace.take() else { return Ok(()) };
        let indent = indentation(&line);
        let is_open = next.is_some_and(|next| self.is_within(next, indent));
        let whole = part(&line, indent..);
        let text = whole.trim_ascii_end().strip_suffix(b"{").filter(|_| is_open).unwrap_or(whole);
        let Some(TapLine::Point(mut point)) = line::parse(text, self.is_ktap) else { return Ok(()) };
        if is_open {
            point.description = name_before_brace(point.description);
        }
        let now = std::mem::replace(&mut self.now, time);
        let held = self.hold_point(level, &point, None, sink);
        self.now = now;
        held?;
        if is_open {
            self.open_braces(level);
        }
        Ok(())
    }

    /// Whether a line is the first of the subtests behind a line that is indented like this, or their end.
    fn is_within(&self, next: &[u8], indent: usize) -> bool {
        let inner = part(next, indentation(next)..);
        let said = line::parse(inner, self.is_ktap);
        let is_deeper = indentation(next) >= indent + self.unit();
        is_deeper && said.is_some_and(|said| said != TapLine::Dashes)
            || indentation(next) == indent && inner.trim_ascii_end() == b"}"
    }

    pub(super) fn may_open_braces(&self, indent: usize) -> bool {
        self.holds && self.held.indent == indent
    }

    /// The subtests of the test point that is held begin.
    pub(super) fn open_braces(&mut self, level: usize) {
        let Document { is_versioned, is_todo, .. } = *self.nesting.at(level);
        let is_todo = is_todo || self.held.is_todo;
        let point = std::mem::take(&mut self.held);
        self.holds = false;
        let path = format!("{}/", point.test.id);
        let braces = Some(Box::new(point));
        self.nesting.push(Document {
            path,
            began: self.now,
            is_versioned,
            is_todo,
            braces,
            ..Document::default()
        });
    }

    /// Whether subtests in braces are open that belong to a test point of this level.
    pub(super) fn has_braces(&mut self, level: usize) -> bool {
        self.nesting.depth() > level + 1 && self.nesting.at(level + 1).braces.is_some()
    }

    /// The subtests end that belong to a test point of this level, and the test point is held again.
    pub(super) fn close_braces(&mut self, level: usize, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.release(sink)?;
        self.announced = None;
        while self.nesting.depth() > level + 2 {
            self.lose_subtests(sink)?;
        }
        let Some(mut subtests) = self.nesting.pop() else { return Ok(()) };
        self.check(&subtests, false, sink)?;
        self.hold_again(subtests.braces.take());
        Ok(())
    }

    fn hold_again(&mut self, point: Option<Box<HeldPoint>>) {
        if let Some(point) = point {
            self.held = *point;
            self.holds = true;
        }
    }

    /// The brace behind the subtests of this test point never came.
    pub(super) fn lose_brace(&mut self, point: HeldPoint, sink: &mut dyn StreamResult) -> io::Result<()> {
        let id = self.unique(&format!("{}/tap document", point.test.id));
        self.hold_again(Some(Box::new(point)));
        self.release(sink)?;
        self.fail(&id, "the brace that closes these subtests never came\n", sink)
    }
}
