//! TAP to events.
//!
//! A line of TAP says little by itself. Three things are remembered to make sense of it:
//!
//! - **Where it is** ([`Nesting`]): the indentation says how deep in subtests a line is. Subtests come before the test
//!   point that they belong to, so a document that is deeper than the next test point is closed by it, and its parent
//!   is that test point; a comment `# Subtest: name` may have announced it, with the id that is kept for it. What is
//!   closed by less than its parent (the end, a shallower line) has lost it, and that is a failure. Or they stand
//!   behind their test point, in braces (`braces.rs`).
//! - **Which test point waits** ([`HeldPoint`]): whether diagnostics follow is known from the next line. A block of
//!   YAML may follow any test point of a document that has a version, comments are about what is `not ok`. So a test
//!   point is held when either may come, and released by any line that is neither; blank lines leave it waiting.
//! - **Which block is read** ([`Block`]): all lines are its own until it ends or one is not indented as it is.
//!
//! `prove -v` puts the documents of several files between lines of its own (`prove.rs`).
//!
//! Text between the lines is held, too, but only until something else is said or reading may block: it keeps its
//! place. A plan is checked when its document ends, since it may be anywhere.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use streamresult::StreamResult;
use subunit::{Status, Timestamp, part};

use super::block::{Block, Place};
use super::braces::{Brace, ends_in_brace, indentation};
use super::document::{Document, Nesting, Parent, Plan, skip_reason};
use super::held::HeldPoint;
use super::ids::Ids;
use super::line::{self, Line as TapLine, Point, Word, push_id, unescaped};
use super::prove::Prove;
use crate::charset::split_whole_characters;
use crate::colour::uncoloured;
use crate::held::HeldText;
use crate::lines::{Line, LineParser};

/// Subtests are indented by this many blanks. Those of KTAP may be by two.
const LEVEL: usize = 4;
/// Deeper subtests are text.
const MOST_LEVELS: usize = 64;
/// The tag of what was to be done, and is.
const TODO: &str = "todo";
/// Of a longer description an id has the beginning: all levels together fit into a packet.
const LONGEST_NAME: usize = 16 * 1024;

/// Turns TAP 12, 13 and 14 into events, as its lines come.
///
/// - A test is its test point; its id is the description, or `test 3` where there is none. A second test of the
///   same name is `name #2`. Subtests are below the test that they belong to: `parent/child`. One that is not
///   named at the head of its subtests is `test 3` in their ids.
/// - `SKIP` is a skip, `not ok … # TODO` an expected failure and `ok … # TODO` a success with the tag `todo`, or an
///   unexpected one ([`strict_todo`](TapParser::strict_todo)); the reason is a file `reason`. Comments after what is
///   `not ok` are its file `tap comment`, a block of YAML is the file `diagnostics.yaml`, and a block that
///   [`TapWriter`](super::TapWriter) wrote is the attachments it was made of.
/// - A test that says how long it took began that long before its test point came, as the [`clock`](TapParser::clock)
///   tells; the parent of subtests began with them. What was [`recorded`](TapParser::recorded) came at no known time.
/// - Of the output of `prove -v` each file is a document: `t/boot.t/name`. Files that failed though no test of theirs
///   did are failing tests, `t/boot.t`.
/// - Test points that a plan promised and that did not come fail, as `test 3`. `Bail out!` is a test that failed;
///   so is `tap document` when there is no plan, or it does not agree with the test points. All have a file
///   `tap meta` that says what is wrong.
/// - All that is not TAP is text (see [`text_event`](streamresult::text_event)), in its place, and so are other
///   comments.
///
/// A test point whose diagnostics may follow is passed on with the line after them.
///
/// ```
/// use formats::lines;
/// use formats::tap::TapParser;
/// use streamresult::{Outcome, Summary};
///
/// let mut summary = Summary::new();
/// lines::drive(TapParser::new(), &b"1..3\nok 1 - boot\nok 2 - net # SKIP no cable\n"[..], &mut summary)?;
/// assert_eq!(summary.count(Outcome::Success), 1);
/// assert_eq!(summary.count(Outcome::Skip), 1);
/// assert_eq!(summary.count(Outcome::Fail), 1, "the third test never came");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TapParser {
    clock: Option<fn() -> Timestamp>,
    is_recorded: bool,
    /// When the document was written, where it is not being written now.
    written: Option<Timestamp>,
    /// When the lines came that are being read.
    pub(super) now: Option<Timestamp>,
    pub(super) needs_plan: bool,
    strict_todo: bool,
    /// What the ids of all tests begin with.
    pub(super) prefix: String,
    pub(super) nesting: Nesting,
    pub(super) is_ktap: bool,
    /// By how many blanks subtests are indented, once that is known of KTAP.
    pub(super) indentation: Option<usize>,
    /// A comment that announced subtests, which did not come yet.
    pub(super) announced: Option<Announced>,
    pub(super) held: HeldPoint,
    pub(super) holds: bool,
    pub(super) block: Option<Block>,
    /// A test point that ends in a brace: the next line tells whether subtests follow.
    pub(super) brace: Option<Brace>,
    /// Whether the document was given up.
    pub(super) bailed_out: bool,
    pub(super) ids: Ids,
    pub(super) text: HeldText,
    /// The run of prove that the documents are of.
    pub(super) prove: Option<Box<Prove>>,
    /// How much failed.
    pub(super) failures: u64,
}

/// `# Subtest: name`
#[derive(Clone, Debug)]
pub(super) struct Announced {
    level: usize,
    name: Vec<u8>,
    time: Option<Timestamp>,
}

impl Default for TapParser {
    fn default() -> Self {
        TapParser {
            clock: None,
            is_recorded: false,
            written: None,
            now: None,
            needs_plan: true,
            strict_todo: false,
            prefix: String::new(),
            nesting: Nesting::default(),
            is_ktap: false,
            indentation: None,
            announced: None,
            held: HeldPoint::default(),
            holds: false,
            block: None,
            brace: None,
            bailed_out: false,
            ids: Ids::default(),
            text: HeldText::default(),
            prove: None,
            failures: 0,
        }
    }
}

impl TapParser {
    /// A parser at the start of a document. It knows no time, and takes a missing plan for a failure.
    #[must_use]
    pub fn new() -> Self {
        TapParser::default()
    }

    /// Has events carry the time when their line came.
    #[must_use]
    pub fn clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The document that begins was recorded, and is not being written now: its lines have no time. Where it is known
    /// when it was `written`, tests that say how long they took ended then, for want of anything better.
    pub fn recorded(&mut self, written: Option<Timestamp>) {
        (self.is_recorded, self.written) = (true, written);
    }

    /// The document that begins is being written: its lines have the time of the [`clock`](TapParser::clock).
    pub fn live(&mut self) {
        (self.is_recorded, self.written) = (false, None);
    }

    /// Takes `ok … # TODO` for an unexpected success, which fails the run.
    #[must_use]
    pub fn strict_todo(mut self) -> Self {
        self.strict_todo = true;
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
        let mut prefix = String::new();
        if !name.is_empty() {
            push_id(name.as_bytes(), &mut prefix);
            prefix.push('/');
        }
        self.set_prefix(prefix);
    }

    pub(super) fn set_prefix(&mut self, prefix: String) {
        self.prefix = prefix;
        self.nesting = Nesting::new(self.document());
    }

    pub(super) fn document(&self) -> Document {
        Document { path: self.prefix.clone(), ..Document::default() }
    }

    fn whole_line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.block.is_some() && self.block_line(line.content(), sink)? {
            return Ok(());
        }
        let content = uncoloured(line.content());
        let text = line.text.filter(|_| matches!(content, Cow::Borrowed(_)));
        if self.brace.is_some() {
            self.end_brace(Some(&content), sink)?;
        }
        if (self.prove.is_some() || self.may_begin_file()) && self.prove_line(&content, line.bytes, sink)? {
            return Ok(());
        }
        self.tap_line(&content, line.bytes, text, sink)
    }

    /// Takes a line that is TAP, or text. `text` is the same as text, if it is known to be one.
    pub(super) fn tap_line(
        &mut self,
        content: &[u8],
        raw: &[u8],
        text: Option<&str>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let indent = indentation(content);
        let inner = part(content, indent..);
        let said = line::parse(inner, self.is_ktap);
        let level = self.level(indent, said.is_some());
        match (said, level) {
            (Some(TapLine::Point(point)), Some(level)) if ends_in_brace(inner, &point) => {
                self.brace = Some(Brace { line: content.to_vec(), level, time: self.now });
                Ok(())
            }
            (Some(TapLine::Point(point)), Some(level)) => {
                let text = text.and_then(|text| text.get(indent + point.start..));
                let text = text.and_then(|text| text.get(..point.description.len()));
                self.point(level, &point, text, sink)
            }
            (Some(TapLine::Plan { last, comment, todo }), Some(level)) => {
                self.release(sink)?;
                self.plan(level, last, comment, todo);
                Ok(())
            }
            (Some(TapLine::Subtest(name)), Some(level)) if level <= self.nesting.depth() => {
                self.release(sink)?;
                self.announce(level, name);
                Ok(())
            }
            (Some(TapLine::Version { is_ktap }), Some(level)) => self.version(level, is_ktap, sink),
            (Some(TapLine::Pragma), Some(level)) if level < self.nesting.depth() => self.release(sink),
            (None, Some(level)) if inner.trim_ascii_end() == b"{" && self.may_open_braces(indent) => {
                self.open_braces(level);
                Ok(())
            }
            (None, Some(level)) if inner.trim_ascii_end() == b"}" && self.has_braces(level) => {
                self.close_braces(level, sink)
            }
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
                    self.push_text(raw, sink)
                }
            }
            _ => {
                if !content.trim_ascii().is_empty() {
                    self.release(sink)?;
                }
                self.push_text(raw, sink)?;
                // What is told of the test before its end comes after it, however the input is cut.
                if self.holds { self.text.flush(sink) } else { Ok(()) }
            }
        }
    }

    /// How deep in subtests a line is; nothing when it is not indented as they are.
    fn level(&mut self, indent: usize, is_said: bool) -> Option<usize> {
        if self.is_ktap && is_said && self.indentation.is_none() && matches!(indent, 2 | LEVEL) {
            self.indentation = Some(indent);
        }
        let unit = self.unit();
        Some(indent / unit).filter(|level| indent.is_multiple_of(unit) && *level < MOST_LEVELS)
    }

    pub(super) fn unit(&self) -> usize {
        self.indentation.unwrap_or(LEVEL)
    }

    /// Takes a line of a block of diagnostics; false when it is something else.
    fn block_line(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let Some(block) = &mut self.block else { return Ok(false) };
        let place = block.place(content);
        if let Place::Within(line) = place {
            block.line(line, &mut self.held, sink)?;
            self.rename();
            return Ok(true);
        }
        block.end(&mut self.held, sink)?;
        self.block = None;
        Ok(matches!(place, Place::End))
    }

    /// Gives the test the id that its block has.
    fn rename(&mut self) {
        let Some(name) = self.held.renamed.take().filter(|_| !self.held.test.has_begun) else { return };
        let id = &mut self.held.test.id;
        if id.is_char_boundary(self.held.path_len) {
            id.truncate(self.held.path_len);
            push_id(&named(Cow::Borrowed(name.as_bytes().trim_ascii())), id);
            self.ids.make_unique(id);
        }
    }

    fn version(&mut self, level: usize, is_ktap: bool, sink: &mut dyn StreamResult) -> io::Result<()> {
        if level == 0 && !self.nesting.outer.is_new() {
            self.end_document(sink)?;
        }
        self.release(sink)?;
        self.is_ktap |= is_ktap;
        self.open(level).is_versioned = true;
        Ok(())
    }

    fn announce(&mut self, level: usize, name: &[u8]) {
        if self.announced.as_ref().is_some_and(|above| above.level + 1 == level) {
            self.open(level);
        }
        let name = named(unescaped(name)).into_owned();
        if self.is_ktap && level > 0 && self.nesting.depth() > level && self.name_open(level, &name) {
            return;
        }
        self.announced = Some(Announced { level, name, time: self.now });
    }

    /// Names subtests that have begun with their version; false when they have begun otherwise.
    fn name_open(&mut self, level: usize, name: &[u8]) -> bool {
        let mut id = self.nesting.at(level - 1).path.clone();
        let document = self.nesting.at(level);
        if !document.is_new() || document.parent.is_some() || name.is_empty() {
            return false;
        }
        push_id(name, &mut id);
        self.ids.make_unique(&mut id);
        let document = self.nesting.at(level);
        document.path = format!("{id}/");
        document.parent = Some(Parent { id, name: name.to_owned() });
        true
    }

    fn plan(&mut self, level: usize, last: u64, comment: Option<&[u8]>, todo: &[u8]) {
        let document = self.open(level);
        if document.plan.is_some() {
            document.has_second_plan = true;
        } else {
            let reason = comment.map(|comment| unescaped(skip_reason(comment)).into_owned());
            document.plan = Some(Plan { last, reason });
            let numbers = std::str::from_utf8(todo).unwrap_or_default().split_ascii_whitespace();
            document.todo = numbers.filter_map(|number| number.parse().ok()).collect();
        }
    }

    fn point(
        &mut self,
        level: usize,
        point: &Point<'_>,
        text: Option<&str>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.hold_point(level, point, text, sink)?;
        let may_have_more = self.nesting.at(level).is_versioned || self.held.takes_comments;
        if may_have_more { Ok(()) } else { self.release(sink) }
    }

    /// Holds a test point until it is known what belongs to it.
    pub(super) fn hold_point(
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
        let description = description(point);
        let own = subtests.and_then(|subtests| subtests.parent);
        let (own, other): (Option<Parent>, _) = match own {
            Some(parent) if !description.is_empty() && !parent.is_named(&description) => (None, Some(parent)),
            own => (own, None),
        };
        if let Some(Parent { id, .. }) = other {
            self.lose_parent(&id, sink)?;
        }
        let document = self.open(level);
        let number = document.next(point.number);
        let is_part = document.is_todo || point.is_open && level > 0;
        let is_todo =
            point.directive.is_none() && (is_part && !point.is_ok || document.todo.contains(&number));
        let directive = if is_todo { Some((Word::Todo, &b""[..])) } else { point.directive };
        self.announced.take_if(|announced| announced.level == level);

        self.held.clear();
        let id = &mut self.held.test.id;
        match own {
            Some(parent) => {
                *id = parent.id;
                self.held.path_len = self.nesting.last().path.len();
            }
            None => {
                id.push_str(&self.nesting.last().path);
                self.held.path_len = id.len();
                // Nearly always it is known to be a text.
                match text.filter(|text| point.is_plain && (1..=LONGEST_NAME).contains(&text.len())) {
                    Some(text) => id.push_str(text),
                    None => push_name(&description, number, id),
                }
                self.ids.make_unique(id);
            }
        }
        let status = status(directive, point.is_ok, self.strict_todo);
        self.failures += u64::from(status.is_failure());
        let reason = directive.map_or(&b""[..], |(_, reason)| reason);
        // Mocha's word for no reason.
        if !reason.is_empty() && reason != b"-" {
            self.held.reason.extend_from_slice(&unescaped(reason));
        }
        self.held.indent = level * self.unit();
        self.held.takes_comments = !point.is_ok;
        self.held.is_todo = matches!(directive, Some((Word::Todo, _)));
        self.held.has_time = time.or(self.written).is_some();
        let test = &mut self.held.test;
        (test.status, test.time, test.began, test.took) = (Some(status), time, began, point.took);
        if status == Status::Success && directive.is_some() {
            test.tags.push(TODO.to_owned());
        }
        self.holds = true;
        self.text.flush(sink)
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
        if self.nesting.last().braces.is_some() {
            return self.lose_subtests(sink).map(|()| None);
        }
        let subtests = self.nesting.pop();
        subtests.iter().try_for_each(|subtests| self.check(subtests, false, sink))?;
        Ok(subtests)
    }

    /// Passes on the test point that was held, if there is one.
    pub(super) fn release(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !std::mem::take(&mut self.holds) {
            return Ok(());
        }
        let test = &mut self.held.test;
        if test.took.is_some() {
            test.time = test.time.or(self.written);
        }
        self.text.flush(sink)?;
        self.held.release(sink)
    }

    pub(super) fn push_text(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.push(bytes, self.now, sink)
    }
}

impl LineParser for TapParser {
    fn arrive(&mut self) {
        self.now = self.clock.filter(|_| !self.is_recorded).map(|clock| clock());
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
        self.end_brace(None, sink)?;
        let was_prove = self.end_prove(sink)?;
        if was_prove && self.nesting.outer.is_new() && self.nesting.depth() == 1 {
            return self.text.flush(sink);
        }
        self.end_document(sink)
    }
}

fn is_point(line: &[u8]) -> bool {
    matches!(line::parse(line.trim_ascii_start(), false), Some(TapLine::Point(_)))
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

/// The description of a test point as it is meant.
fn description<'a>(point: &Point<'a>) -> Cow<'a, [u8]> {
    if point.is_plain {
        return named(Cow::Borrowed(point.description));
    }
    let whole = unescaped(point.description);
    if point.more.is_empty() {
        return named(whole);
    }
    named(Cow::Owned([&*whole, &*unescaped(point.more)].concat()))
}

/// How a test ended.
fn status(directive: Option<(Word, &[u8])>, is_ok: bool, strict_todo: bool) -> Status {
    match (directive.map(|(word, _)| word), is_ok) {
        (Some(Word::Skip), _) => Status::Skip,
        (Some(Word::Todo), false) | (Some(Word::XFail), _) => Status::XFail,
        (Some(Word::Todo | Word::Bonus), true) if strict_todo => Status::UxSuccess,
        (Some(Word::Failed), _) | (_, false) => Status::Fail,
        (_, true) => Status::Success,
    }
}
