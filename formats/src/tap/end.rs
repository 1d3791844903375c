//! What is said of a document when it ends, or of what never came to its end.

use std::io;

use streamresult::StreamResult;
use subunit::{Event, Status};

use super::document::{Document, Nesting, Plan};
use super::line::unescaped;
use super::read::TapParser;
use crate::held::{failure, text_file};

impl TapParser {
    /// Ends the innermost subtests, though the test that they belong to did not come.
    pub(super) fn lose_subtests(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(mut subtests) = self.nesting.pop() else { return Ok(()) };
        self.release(sink)?;
        self.check(&subtests, false, sink)?;
        if let Some(point) = subtests.braces.take() {
            return self.lose_brace(*point, sink);
        }
        let id = match &subtests.parent {
            Some(parent) => parent.id.clone(),
            None => self.unique(subtests.path.trim_end_matches('/')),
        };
        self.lose_parent(&id, sink)
    }

    pub(super) fn lose_parent(&mut self, id: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.fail(id, "the test that these subtests belong to never came\n", sink)
    }

    pub(super) fn bail_out(&mut self, reason: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.release(sink)?;
        self.text.flush(sink)?;
        self.bailed_out = true;
        self.failures += 1;
        let id = self.unique(&format!("{}Bail out!", self.prefix));
        let reason = unescaped(reason);
        let file = if reason.is_empty() { Event::default() } else { text_file("reason", &reason) };
        sink.status(&failure(&id, &file, self.now))
    }

    /// Ends what is open. Then another document may begin.
    pub(super) fn end_document(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_brace(None, sink)?;
        let is_cut =
            self.block.take().map(|mut block| block.end(&mut self.held, sink)).transpose()?.is_some();
        self.release(sink)?;
        self.text.flush(sink)?;
        let document = self.document();
        if !std::mem::take(&mut self.bailed_out) {
            while self.nesting.depth() > 1 {
                self.lose_subtests(sink)?;
            }
            let outer = std::mem::take(&mut self.nesting.outer);
            self.check(&outer, is_cut, sink)?;
        }
        self.nesting = Nesting::new(document);
        (self.announced, self.is_ktap, self.indentation) = (None, false, None);
        Ok(())
    }

    /// Reports where a document and its plan do not agree.
    pub(super) fn check(
        &mut self,
        document: &Document,
        is_cut: bool,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let is_outer = document.path == self.prefix;
        let (missing, more) = document.missing();
        for number in missing {
            let id = self.unique(&format!("{}test {number}", document.path));
            self.fail(&id, MISSING, sink)?;
        }
        let mut complaints = document.complaints();
        if more > 0 {
            complaints += &format!("{more} more test points are missing\n");
        }
        if is_cut {
            complaints += "it ends within a block of diagnostics\n";
        }
        if is_outer && document.plan.is_none() && self.needs_plan {
            complaints += no_plan(document);
        }
        if !complaints.is_empty() {
            let id = self.unique(&format!("{}tap document", document.path));
            self.fail(&id, &complaints, sink)?;
        }
        if is_outer { self.skip_all(document, sink) } else { Ok(()) }
    }

    /// A plan for nothing that says why is a test that was skipped.
    fn skip_all(&mut self, document: &Document, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(Plan { last: 0, reason: Some(reason) }) = &document.plan else { return Ok(()) };
        if document.numbers.count() > 0 {
            return Ok(());
        }
        self.held.clear();
        self.held.test.id = self.unique(&format!("{}file skip", document.path));
        self.held.test.status = Some(Status::Skip);
        self.held.test.time = self.now;
        self.held.reason.clone_from(reason);
        self.held.release(sink)
    }

    pub(super) fn unique(&mut self, id: &str) -> String {
        let mut id = id.to_owned();
        self.ids.make_unique(&mut id);
        id
    }

    /// A test that the document does not have: it says what is wrong.
    pub(super) fn fail(&mut self, id: &str, why: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.fail_with(id, "tap meta", why.as_bytes(), sink)
    }

    /// The same, with the name of the file that says what is wrong.
    pub(super) fn fail_with(
        &mut self,
        id: &str,
        file: &str,
        why: &[u8],
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.text.flush(sink)?;
        self.failures += 1;
        sink.status(&failure(id, &text_file(file, why), self.now))
    }
}

/// What python-subunit says of it.
const MISSING: &str = "test missing from TAP output";

fn no_plan(document: &Document) -> &'static str {
    if document.numbers.count() > 0 {
        "there is no plan: it may have been cut off\n"
    } else {
        "there is neither a plan nor a test point\n"
    }
}
