//! TAP to events.
//!
//! A line of TAP says little by itself. Three things are remembered to make sense of it:
//!
//! - **Where it is** ([`Nesting`]): the indentation says how deep in subtests a line is. Subtests come before the test
//!   point that they belong to, so a document that is deeper than the next test point is closed by it, and its parent
//!   is that test point; a comment `# Subtest: name` may have announced it, with the id that is kept for it. What is
//!   closed by less than its parent (the end, a shallower line) has lost it, and that is a failure.
//! - **Which test point waits** ([`HeldPoint`]): whether diagnostics follow is known from the next line. A block of
//!   YAML may follow any test point of a document that has a version, comments are about what is `not ok`. So a test
//!   point is held when either may come, and released by any line that is neither; blank lines leave it waiting.
//! - **Which block is read** ([`Block`]): all lines are its own until it ends or one is not indented as it is.
//!
//! Text between the lines is held, too, but only until something else is said or reading may block: it keeps its
//! place. A plan is checked when its document ends, since it may be anywhere.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use streamresult::StreamResult;
use subunit::{Event, Status, Timestamp, part};

use super::block::{Block, Place};
use super::document::{Document, Nesting, Parent, Plan, skip_reason};
use super::held::HeldPoint;
use super::ids::Ids;
use super::line::{self, Line as TapLine, Point, Word, push_id, unescaped};
use crate::charset::split_whole_characters;
use crate::held::{HeldText, failure, text_file};
use crate::lines::{Line, LineParser};

/// Subtests are indented by this many blanks.
const LEVEL: usize = 4;
/// Deeper subtests are text.
const MOST_LEVELS: usize = 64;
/// Of a longer description an id has the beginning: all levels together fit into a packet.
const LONGEST_NAME: usize = 16 * 1024;

/// Turns TAP 12, 13 and 14 into events, as its lines come.
///
/// - A test is its test point; its id is the description, or `test 3` where there is none. A second test of the
///   same name is `name #2`. Subtests are below the test that they belong to: `parent/child`. One that is not
///   named at the head of its subtests is `test 3` in their ids.
/// - `SKIP` is a skip, `not ok … # TODO` an expected failure and `ok … # TODO` an unexpected success; the reason
///   is a file `reason`. Comments after what is `not ok` are its file `tap comment`, a block of YAML is the file
///   `diagnostics.yaml`, and a block that [`TapWriter`](super::TapWriter) wrote is the attachments it was made of.
/// - A test that says how long it took began that long before its test point came, as the [`clock`](Parser::clock)
///   tells; the parent of subtests began with them.
/// - Test points that a plan promised and that did not come fail, as `test 3`. `Bail out!` is a test that failed;
///   so is `tap document` when there is no plan, or it does not agree with the test points. All have a file
///   `tap meta` that says what is wrong.
/// - All that is not TAP is text (see [`text_event`](streamresult::text_event)), in its place, and so are other comments.
///
/// A test point whose diagnostics may follow is passed on with the line after them.
///
/// ```
/// use formats::lines;
/// use formats::tap::Parser;
/// use streamresult::{Outcome, Summary};
///
/// let mut summary = Summary::new();
/// lines::drive(Parser::new(), &b"1..3\nok 1 - boot\nok 2 - net # SKIP no cable\n"[..], &mut summary)?;
/// assert_eq!(summary.count(Outcome::Success), 1);
/// assert_eq!(summary.count(Outcome::Skip), 1);
/// assert_eq!(summary.count(Outcome::Fail), 1, "the third test never came");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parser {
    clock: Option<fn() -> Timestamp>,
    /// When the lines came that are being read.
    now: Option<Timestamp>,
    needs_plan: bool,
    /// What the ids of all tests begin with.
    prefix: String,
    nesting: Nesting,
    /// A comment that announced subtests, which did not come yet.
    announced: Option<Announced>,
    held: HeldPoint,
    holds: bool,
    block: Option<Block>,
    /// Whether the document was given up.
    bailed_out: bool,
    ids: Ids,
    text: HeldText,
}

/// `# Subtest: name`
#[derive(Clone, Debug)]
struct Announced {
    level: usize,
    name: Vec<u8>,
    time: Option<Timestamp>,
}

impl Default for Parser {
    fn default() -> Self {
        Parser {
            clock: None,
            now: None,
            needs_plan: true,
            prefix: String::new(),
            nesting: Nesting::default(),
            announced: None,
            held: HeldPoint::default(),
            holds: false,
            block: None,
            bailed_out: false,
            ids: Ids::default(),
            text: HeldText::default(),
        }
    }
}

impl Parser {
    /// A parser at the start of a document. It knows no time, and takes a missing plan for a failure.
    #[must_use]
    pub fn new() -> Self {
        Parser::default()
    }

    /// Has events carry the time when their line came.
    #[must_use]
    pub fn clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Takes a document without a plan for complete.
    #[must_use]
    pub fn without_plan(mut self) -> Self {
        self.needs_plan = false;
        self
    }

    /// Names the document that begins: the ids of its tests are `name/test`. Documents may follow each other, each
    /// ended by [`finish`](LineParser::finish), and ids stay unique in all of them.
    pub fn name_document(&mut self, name: &str) {
        self.prefix.clear();
        if !name.is_empty() {
            push_id(name.as_bytes(), &mut self.prefix);
            self.prefix.push('/');
        }
        self.nesting = Nesting::new(self.document());
    }

    fn document(&self) -> Document {
        Document { path: self.prefix.clone(), ..Document::default() }
    }

    fn whole_line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let content = line.content();
        if self.block.is_some() && self.block_line(content, sink)? {
            return Ok(());
        }
        let indent = content.iter().take_while(|byte| **byte == b' ').count();
        let said = line::parse(part(content, indent..));
        let level = Some(indent / LEVEL).filter(|level| indent % LEVEL == 0 && *level < MOST_LEVELS);
        match (said, level) {
            (Some(TapLine::Point(point)), Some(level)) => {
                let text = line.text.and_then(|text| text.get(indent + point.start..));
                let text = text.and_then(|text| text.get(..point.description.len()));
                self.point(level, &point, text, sink)
            }
            (Some(TapLine::Plan { last, comment }), Some(level)) => {
                self.release(sink)?;
                self.plan(level, last, comment);
                Ok(())
            }
            (Some(TapLine::Subtest(name)), Some(level)) if level <= self.nesting.depth() => {
                self.release(sink)?;
                self.announce(level, name);
                Ok(())
            }
            (Some(TapLine::Version), Some(level)) => self.version(level, sink),
            (Some(TapLine::Pragma), Some(level)) if level < self.nesting.depth() => self.release(sink),
            (Some(TapLine::BailOut(reason)), _) if !self.bailed_out => self.bail_out(reason, sink),
            (Some(TapLine::Dashes), _) if self.holds && indent > self.held.indent => {
                self.block = Some(Block::new(indent));
                Ok(())
            }
            (Some(TapLine::Comment | TapLine::Subtest(_)), _) => {
                if self.holds && self.held.takes_comments {
                    let line = part(content, indent.min(self.held.indent)..);
                    self.held.comment(line, sink)
                } else {
                    self.push_text(line.bytes, sink)
                }
            }
            _ => {
                if !content.trim_ascii().is_empty() {
                    self.release(sink)?;
                }
                self.push_text(line.bytes, sink)?;
                // What is told of the test before its end comes after it, however the input is cut.
                if self.holds { self.text.flush(sink) } else { Ok(()) }
            }
        }
    }

    /// Takes a line of a block of diagnostics; false when it is something else.
    fn block_line(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let Some(block) = &mut self.block else { return Ok(false) };
        let place = block.place(content);
        if let Place::Within(line) = place {
            block.line(line, &mut self.held, sink)?;
            return Ok(true);
        }
        block.end(&mut self.held, sink)?;
        self.block = None;
        Ok(matches!(place, Place::End))
    }

    fn version(&mut self, level: usize, sink: &mut dyn StreamResult) -> io::Result<()> {
        if level == 0 && !self.nesting.outer.is_new() {
            self.end_document(sink)?;
        }
        self.release(sink)?;
        self.open(level).is_versioned = true;
        Ok(())
    }

    fn announce(&mut self, level: usize, name: &[u8]) {
        if self.announced.as_ref().is_some_and(|above| above.level + 1 == level) {
            self.open(level);
        }
        let name = named(unescaped(name)).into_owned();
        self.announced = Some(Announced { level, name, time: self.now });
    }

    fn plan(&mut self, level: usize, last: u64, comment: Option<&[u8]>) {
        let document = self.open(level);
        if document.plan.is_some() {
            document.has_second_plan = true;
        } else {
            let reason = comment.map(|comment| unescaped(skip_reason(comment)).into_owned());
            document.plan = Some(Plan { last, reason });
        }
    }

    fn point(
        &mut self,
        level: usize,
        point: &Point<'_>,
        text: Option<&str>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.release(sink)?;
        let time = self.now;
        let subtests = self.close_subtests(level, sink)?;
        let began = subtests.as_ref().and_then(|subtests| subtests.began);
        let description =
            if point.is_plain { Cow::Borrowed(point.description) } else { unescaped(point.description) };
        let description = named(description);
        let own = subtests.and_then(|subtests| subtests.parent);
        let (own, other): (Option<Parent>, _) = match own {
            Some(parent) if !description.is_empty() && *description != parent.name => (None, Some(parent)),
            own => (own, None),
        };
        if let Some(Parent { id, .. }) = other {
            self.lose_parent(&id, sink)?;
        }
        let document = self.open(level);
        let (number, is_versioned) = (document.next(point.number), document.is_versioned);
        self.announced.take_if(|announced| announced.level == level);

        self.held.clear();
        let id = &mut self.held.test.id;
        match own {
            Some(parent) => *id = parent.id,
            None => {
                id.push_str(&self.nesting.last().path);
                // Nearly always it is known to be a text.
                match text.filter(|text| point.is_plain && (1..=LONGEST_NAME).contains(&text.len())) {
                    Some(text) => id.push_str(text),
                    None => push_name(&description, number, id),
                }
                self.ids.make_unique(id);
            }
        }
        let (status, reason) = status(point);
        if !reason.is_empty() {
            self.held.reason.extend_from_slice(&unescaped(reason));
        }
        self.held.indent = level * LEVEL;
        self.held.takes_comments = !point.is_ok;
        let test = &mut self.held.test;
        (test.status, test.time, test.began, test.took) = (Some(status), time, began, point.took);
        self.holds = true;
        self.text.flush(sink)?;
        if is_versioned || !point.is_ok { Ok(()) } else { self.release(sink) }
    }

    /// The document of this level, with those that it takes to get there.
    fn open(&mut self, level: usize) -> &mut Document {
        while self.nesting.depth() <= level {
            let document = self.subtests(self.nesting.depth());
            self.nesting.push(document);
        }
        self.nesting.at(level)
    }

    /// The document that begins at this level, within the one under way.
    fn subtests(&mut self, level: usize) -> Document {
        // Old producers announce subtests at their own level.
        let is_announced =
            |announced: &mut Announced| announced.level == level || announced.level + 1 == level;
        let announced = self.announced.take_if(is_announced);
        let above = self.nesting.last();
        let mut document = Document { is_versioned: above.is_versioned, ..Document::default() };
        let mut id = above.path.clone();
        let (name, began) = announced.map(|announced| (announced.name, announced.time)).unwrap_or_default();
        push_name(&name, above.last.saturating_add(1), &mut id);
        document.began = began.or(self.now);
        if !name.is_empty() {
            self.ids.make_unique(&mut id);
        }
        document.path = format!("{id}/");
        document.parent = (!name.is_empty()).then_some(Parent { id, name });
        document
    }

    /// Ends the documents below this level, whose next test point came: the subtests of that point are given back.
    fn close_subtests(&mut self, level: usize, sink: &mut dyn StreamResult) -> io::Result<Option<Document>> {
        while self.nesting.depth() > level + 2 {
            self.lose_subtests(sink)?;
        }
        if self.nesting.depth() < level + 2 {
            return Ok(None);
        }
        let subtests = self.nesting.pop();
        subtests.iter().try_for_each(|subtests| self.check(subtests, false, sink))?;
        Ok(subtests)
    }

    /// Ends the innermost subtests, though the test that they belong to did not come.
    fn lose_subtests(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(subtests) = self.nesting.pop() else { return Ok(()) };
        self.check(&subtests, false, sink)?;
        let id = match &subtests.parent {
            Some(parent) => parent.id.clone(),
            None => self.unique(subtests.path.trim_end_matches('/')),
        };
        self.lose_parent(&id, sink)
    }

    fn lose_parent(&mut self, id: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.fail(id, "the test that these subtests belong to never came\n", sink)
    }

    fn bail_out(&mut self, reason: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.release(sink)?;
        self.text.flush(sink)?;
        self.bailed_out = true;
        let id = self.unique(&format!("{}Bail out!", self.prefix));
        let reason = unescaped(reason);
        let file = if reason.is_empty() { Event::default() } else { text_file("reason", &reason) };
        sink.status(&failure(&id, &file, self.now))
    }

    /// Ends what is open. Then another document may begin.
    fn end_document(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
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
        self.announced = None;
        Ok(())
    }

    /// Reports where a document and its plan do not agree.
    fn check(&mut self, document: &Document, is_cut: bool, sink: &mut dyn StreamResult) -> io::Result<()> {
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

    fn unique(&mut self, id: &str) -> String {
        let mut id = id.to_owned();
        self.ids.make_unique(&mut id);
        id
    }

    /// A test that the document does not have: it says what is wrong.
    fn fail(&mut self, id: &str, why: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)?;
        sink.status(&failure(id, &text_file("tap meta", why.as_bytes()), self.now))
    }

    /// Passes on the test point that was held, if there is one.
    fn release(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !std::mem::take(&mut self.holds) {
            return Ok(());
        }
        self.text.flush(sink)?;
        self.held.release(sink)
    }

    fn push_text(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.push(bytes, self.now, sink)
    }
}

impl LineParser for Parser {
    fn arrive(&mut self) {
        self.now = self.clock.map(|clock| clock());
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if line.is_whole {
            return self.whole_line(line, sink);
        }
        match &mut self.block {
            Some(block) => block.raw(line.bytes, &mut self.held, sink),
            // Of what is too long to be read it is known how it ended, and how its name begins.
            None if line.is_start && is_point(line.bytes) => self.whole_line(line, sink),
            None => {
                self.release(sink)?;
                self.push_text(line.bytes, sink)
            }
        }
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)?;
        sink.flush()
    }

    /// Ends the document. Another one may follow.
    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_document(sink)
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

fn is_point(line: &[u8]) -> bool {
    matches!(line::parse(line.trim_ascii_start()), Some(TapLine::Point(_)))
}

/// A description without what is too long for an id.
fn named(description: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match description.get(..LONGEST_NAME) {
        Some(begin) if description.len() > LONGEST_NAME => {
            let (whole, _) = split_whole_characters(begin);
            Cow::Owned([whole, "…".as_bytes()].concat())
        }
        _ => description,
    }
}

/// Appends the description, or what stands for one.
fn push_name(description: &[u8], number: u64, id: &mut String) {
    if description.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(id, "test {number}");
    } else {
        push_id(description, id);
    }
}

/// How a test ended, and why.
fn status<'a>(point: &Point<'a>) -> (Status, &'a [u8]) {
    match (point.directive, point.is_ok) {
        (Some((Word::Skip, reason)), _) => (Status::Skip, reason),
        (Some((Word::Todo, reason)), true) => (Status::UxSuccess, reason),
        (Some((Word::Todo, reason)), false) => (Status::XFail, reason),
        (None, true) => (Status::Success, b""),
        (None, false) => (Status::Fail, b""),
    }
}
