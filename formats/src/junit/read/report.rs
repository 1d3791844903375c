//! From the tokens of a document to events.

use std::collections::HashSet;
use std::io;

use streamresult::{DAMAGE_ID, DAMAGE_MESSAGE, PROPERTIES_FILE, StreamResult};
use subunit::{Event, Status, Timestamp};

use super::Options;
use super::case::{Around, Case, CaseEnd};
use super::counts::Missing;
use super::element::{Detail, Element, child};
use super::error::{Failure, problem};
use super::explanation::Explanation;
use super::files::Files;
use super::notes::{Notes, is_known};
use super::reference::References;
use super::scan::Token;
use super::suite::Suite;
use super::tag::{self, Tag};
use super::text::{Text, pieces};
use super::unique::Ids;

/// Elements within each other.
const DEEPEST: usize = 64;
/// Tests that are left open; more fail, since whoever reads the stream has to remember them.
const MOST_OPEN: usize = 1000;
/// A longer value of a property is left out.
const LONGEST_VALUE: usize = 256 << 10;

/// What is known of the document so far.
#[derive(Debug)]
pub(crate) struct Report {
    options: Options,
    /// The elements that are open, and their names one after the other.
    elements: Vec<Element>,
    names: String,
    lengths: Vec<usize>,
    references: References,
    suites: Vec<Suite>,
    /// What cases are in that are in no suite.
    outside: Suite,
    case: Case,
    /// The cases that the innermost results are within, and at what depth those results are.
    outer: Vec<(usize, Case)>,
    text: Text,
    files: Files,
    /// What there is to say about the document beside its tests.
    notes: Notes,
    ids: Ids,
    /// A property's name, and its value so far.
    property: (String, Vec<u8>),
    /// The name of the report, if its root says it.
    name: Option<String>,
    is_single: bool,
    has_root: bool,
    /// When the next case begins if nothing says when; it runs on across documents.
    clock: Timestamp,
    /// The tests that were left open, by route code and id.
    open: HashSet<(Option<String>, String)>,
}

impl Report {
    pub(crate) fn new(options: Options) -> Self {
        Report {
            clock: options.start,
            files: Files::new(options.attachments.clone()),
            options,
            elements: Vec::new(),
            names: String::new(),
            lengths: Vec::new(),
            references: References::default(),
            suites: Vec::new(),
            outside: Suite::default(),
            case: Case::default(),
            outer: Vec::new(),
            text: Text::default(),
            notes: Notes::default(),
            ids: Ids::default(),
            property: Default::default(),
            name: None,
            is_single: false,
            has_root: false,
            open: HashSet::new(),
        }
    }

    /// Takes the next token.
    #[inline]
    pub(crate) fn token(&mut self, token: Token<'_>, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        match token {
            Token::Text(bytes) => return self.take_text(bytes, false, sink),
            Token::CData(bytes) => return self.take_text(bytes, true, sink),
            _ => {}
        }
        self.references.end()?;
        self.references.begin();
        match token {
            Token::Start { tag, is_empty } => {
                let text = tag::text(tag);
                self.start(&Tag::new(&text), is_empty, sink)
            }
            Token::End(name) => self.end(&tag::text(name), sink),
            Token::Doctype if self.has_root => problem("a DOCTYPE within the document"),
            Token::Doctype | Token::Text(_) | Token::CData(_) => Ok(()),
        }
    }

    /// Takes the end of the input.
    pub(crate) fn finish(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        self.close_loose(sink)?;
        if let Some(name) = self.open_element() {
            return problem(format!("the document ends within <{name}>"));
        }
        if !self.has_root {
            return problem("there is no document");
        }
        self.reset();
        Ok(())
    }

    /// Ends what is open when the document is broken, so that all that came of it is told.
    pub(crate) fn give_up(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.close_text(sink)?;
        for (_, case) in &mut self.outer {
            case.begin(sink)?;
        }
        if self.is_in_test() {
            self.case.begin(sink)?;
        }
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.elements.clear();
        self.names.clear();
        self.lengths.clear();
        self.suites.clear();
        self.outer.clear();
        self.references.begin();
        self.text = Text::default();
        self.name = None;
        (self.is_single, self.has_root) = (false, false);
    }

    /// Takes what there was to say about documents so far beside their tests.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        self.notes.take()
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.add(note);
    }

    /// Whether a document has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_root
    }

    /// Whether what comes belongs to a test.
    fn is_in_test(&self) -> bool {
        let innermost = self.elements.iter().rev().find(|element| element.is_test() || element.is_suite());
        innermost.is_some_and(|element| element.is_test())
    }

    fn open_element(&self) -> Option<&str> {
        self.names.get(self.names.len() - self.lengths.last()?..)
    }

    fn start(&mut self, tag: &Tag<'_>, is_empty: bool, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        self.close_loose(sink)?;
        let parent = self.elements.last().copied();
        let element = child(parent, tag.name())?;
        if self.elements.len() == DEEPEST {
            return problem(format!("more than {DEEPEST} elements within each other"));
        }
        self.open(element, parent, tag, sink)?;
        self.elements.push(element);
        if is_empty {
            return self.close(sink);
        }
        self.names.push_str(tag.qualified);
        self.lengths.push(tag.qualified.len());
        Ok(())
    }

    fn end(&mut self, name: &str, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let name = name.trim_ascii_end();
        match self.open_element() {
            Some(open) if open == name => {}
            Some(open) => return problem(format!("</{}> ends <{open}>", crate::visible::line(name))),
            None => return problem(format!("</{}> ends nothing", crate::visible::line(name))),
        }
        self.close_loose(sink)?;
        let len = self.lengths.pop().unwrap_or_default();
        self.names.truncate(self.names.len() - len);
        self.close(sink)
    }

    /// Takes a piece of text: of a file, of a property, or what stands between elements.
    #[inline]
    fn take_text(&mut self, raw: &[u8], is_cdata: bool, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let element = self.elements.last().copied();
        let is_awaited =
            self.text.is_open || self.references.is_in_one() || element == Some(Element::Property);
        if !is_awaited && raw.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut references = std::mem::take(&mut self.references);
        // Outside of a document, nothing is markup but what begins one.
        let (bytes, resolved) = match (element, is_cdata) {
            (None, _) => (raw, Ok(())),
            (_, true) => references.cdata(raw),
            (_, false) => references.text(raw),
        };
        let told = self.take_resolved(bytes, element, sink);
        self.references = references;
        told.map_err(Failure::Io).and(resolved)
    }

    fn take_resolved(
        &mut self,
        mut bytes: &[u8],
        element: Option<Element>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if element == Some(Element::Property) {
            let (_, value) = &mut self.property;
            if value.len() + bytes.len() <= LONGEST_VALUE {
                value.extend_from_slice(bytes);
            }
            return Ok(());
        }
        if !self.text.is_open {
            bytes = bytes.trim_ascii_start();
            if bytes.is_empty() {
                return Ok(());
            }
            self.open_loose(element, sink)?;
        }
        if element.is_some_and(Element::is_output) {
            self.files.look(bytes);
        }
        let suite = self.suites.last().unwrap_or(&self.outside);
        let event = event_of(self.text.is_of_case, &self.case, suite);
        self.text.push(bytes, &event, sink)
    }

    /// Begins text that stands between elements.
    fn open_loose(&mut self, element: Option<Element>, sink: &mut dyn StreamResult) -> io::Result<()> {
        // Also what stands behind an element that divides one which is not of the format.
        let is_of_case = element.is_some_and(|element| !element.is_suite()) && self.is_in_test();
        if is_of_case {
            begin(&mut self.case, &mut self.open, sink)?;
        }
        let name = if is_of_case { self.case.file_name("text") } else { "stdout".to_owned() };
        self.text.open(&name, is_of_case, false);
        Ok(())
    }

    /// Ends text that stands between elements.
    fn close_loose(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let is_loose = self.text.is_open && !self.elements.iter().any(|element| element.has_text());
        if is_loose { Ok(self.close_text(sink)?) } else { Ok(()) }
    }

    fn close_text(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !self.text.is_open {
            return Ok(());
        }
        let suite = self.suites.last().unwrap_or(&self.outside);
        self.text.close(&event_of(self.text.is_of_case, &self.case, suite), sink)
    }

    /// Begins an element.
    fn open(
        &mut self,
        element: Element,
        parent: Option<Element>,
        tag: &Tag<'_>,
        sink: &mut dyn StreamResult,
    ) -> Result<(), Failure> {
        let is_of_case = self.is_in_test();
        if element != Element::Inside && parent.is_some_and(Element::is_divided) {
            self.close_text(sink)?;
        }
        if is_of_case && element.is_result() {
            self.outer.push((self.elements.len(), std::mem::take(&mut self.case)));
        }
        match element {
            Element::Suites | Element::Suite => return self.open_suite(element, parent, tag),
            Element::Case => return self.open_case(tag),
            Element::Property => return self.open_property(tag),
            Element::Properties => return Ok(()),
            Element::Inside => {
                if tag.name() == "stackTrace" && self.text.is_blank() {
                    self.text.forget();
                }
                return Ok(());
            }
            Element::OfSuite(_) => {
                let suite = self.suites.last().unwrap_or(&self.outside);
                self.case.stand_for(suite.id(), suite.route.as_deref());
                let (_, outer) = self.suites.split_last().unwrap_or((&self.outside, &[]));
                self.ids.give(&mut self.case, outer, ".");
            }
            _ => {}
        }
        let is_of_test = is_of_case || element.is_test();
        if is_of_test {
            begin(&mut self.case, &mut self.open, sink)?;
        }
        if let Element::Attempt { is_rerun } = element {
            self.case.attempt(is_rerun);
        }
        self.open_text(element, is_of_test, tag)?;
        self.files.begin();
        Ok(())
    }

    /// Begins an element whose text becomes a file.
    fn open_text(&mut self, element: Element, is_of_test: bool, tag: &Tag<'_>) -> Result<(), Failure> {
        let explanation = if element.is_detail() || matches!(element, Element::Other { .. }) {
            Explanation::of(element, tag)?
        } else {
            Explanation::default()
        };
        let mut ending = CaseEnd::Success;
        if let Element::Detail(detail) | Element::OfSuite(detail) = element {
            ending = self.case.ending_of(detail, &explanation.kind, &explanation.message);
            self.case.add(ending);
            self.case.may_fail |= explanation.lets_fail();
            self.case.is_uncounted |= explanation.is_uncounted();
        }
        if let Element::Other { of_case } = element
            && !is_known(tag.name())
        {
            let of = if of_case { "testcase" } else { "testsuite" };
            let name = crate::visible::line(tag.name());
            self.notes
                .add(format!("<{name}> within <{of}> is not JUnit XML: it is kept, and decides nothing"));
        }
        let is_damage = element == Element::Detail(Detail::Error) && self.case.id == DAMAGE_ID;
        let name = match element {
            // As it was called before our writer made a case of it.
            _ if is_damage => DAMAGE_MESSAGE.to_owned(),
            _ => element.file_name(tag.name(), self.case.attempt_number(), ending),
        };
        let name = if is_of_test { self.case.file_name(&name) } else { name };
        self.text.open(&name, is_of_test, element.is_output());
        *self.text.explanation() = explanation;
        Ok(())
    }

    fn open_suite(
        &mut self,
        element: Element,
        parent: Option<Element>,
        tag: &Tag<'_>,
    ) -> Result<(), Failure> {
        let mut suite = Suite::new(tag, element == Element::Suites)?;
        if parent.is_none() {
            self.has_root = true;
            self.is_single = element == Element::Suite;
            let is_named = element == Element::Suites && !suite.name.is_empty();
            self.name = is_named.then(|| suite.name.clone());
        }
        if let Some(outer) = self.suites.last() {
            suite.is_within(outer);
        }
        self.ids.enter(&mut suite, &self.suites);
        self.suites.push(suite);
        Ok(())
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Result<(), Failure> {
        self.has_root = true;
        let suite = self.suites.last().unwrap_or(&self.outside);
        let within = match self.outer.last() {
            Some((depth, outer)) if *depth == self.elements.len() => Some(&*outer.id),
            _ => None,
        };
        let around = Around {
            suite,
            suites: &self.suites,
            within,
            route: suite.route.as_deref(),
            separator: self.options.separator.as_deref(),
            report: self.name.as_deref(),
            is_single: self.is_single,
            clock: self.suites.iter().rev().find_map(Suite::dated).unwrap_or(Some(self.clock)),
        };
        let duration = self.case.open(tag, &around)?;
        self.ids.give(&mut self.case, &self.suites, self.options.separator.as_deref().unwrap_or("."));
        if duration.is_some()
            && let Some(end) = self.case.end
        {
            let dated = self.suites.iter_mut().rev().find_map(|suite| suite.clock.as_mut());
            *dated.unwrap_or(&mut self.clock) = end;
        }
        Ok(())
    }

    fn open_property(&mut self, tag: &Tag<'_>) -> Result<(), Failure> {
        let (name, text) = &mut self.property;
        name.clear();
        text.clear();
        tag.each(|key, value| {
            match key {
                "name" => name.push_str(&value),
                "value" => text.extend_from_slice(value.as_bytes()),
                _ => {}
            }
            Ok(())
        })
    }

    /// Ends the innermost element.
    fn close(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let Some(element) = self.elements.pop() else { return Ok(()) };
        self.close_element(element, sink)?;
        if let Some((_, case)) = self.outer.pop_if(|(depth, _)| *depth == self.elements.len()) {
            self.case = case;
        }
        Ok(())
    }

    fn close_element(&mut self, element: Element, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        match element {
            Element::Suites | Element::Suite => self.close_suite(sink)?,
            Element::Case => self.close_case(sink)?,
            Element::Property => self.close_property(),
            Element::Properties => self.close_properties(sink)?,
            // The white space behind a stack trace is none of it.
            Element::Inside
                if self.elements.last().is_some_and(|parent| matches!(parent, Element::Attempt { .. })) =>
            {
                self.close_text(sink)?;
            }
            Element::Inside => {}
            _ => {
                self.close_text(sink)?;
                if element.is_output() && self.text.is_of_case {
                    self.files.attach(&mut self.case, sink)?;
                }
                if let Element::OfSuite(_) = element {
                    self.close_test(sink)?;
                }
            }
        }
        Ok(())
    }

    fn close_case(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let status = self.case.take_words();
        if !status.is_empty() {
            begin(&mut self.case, &mut self.open, sink)?;
            let name = if self.case.ending.is_failure() { "traceback" } else { "reason" };
            pieces(name, status.as_bytes(), &self.case.event(), sink)?;
        }
        let suite = self.suites.last_mut().unwrap_or(&mut self.outside);
        suite.shown.tests += 1;
        suite.shown.bare_runs += u64::from(self.case.is_bare_run);
        suite.shown.assertions = suite.shown.assertions.saturating_add(self.case.assertions);
        suite.shown.attempts += u64::from(self.case.attempts);
        self.close_test(sink)
    }

    /// Ends a test: a case, or what stands for something of a suite.
    fn close_test(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let suite = self.suites.last_mut().unwrap_or(&mut self.outside);
        suite.shown.failures += if self.case.is_uncounted { 0 } else { self.case.failures };
        begin(&mut self.case, &mut self.open, sink)?;
        if self.case.may_fail && self.case.ending == CaseEnd::Fail {
            self.case.ending = CaseEnd::XFail;
        }
        let suite = self.suites.last_mut().unwrap_or(&mut self.outside);
        suite.shown.skipped += u64::from(matches!(self.case.ending, CaseEnd::Skip | CaseEnd::XFail));
        self.case.tag_attempts();
        let mut status = self.case.ending.status();
        if self.case.ending == CaseEnd::Unfinished {
            let is_kept = self.open.len() < MOST_OPEN;
            if is_kept {
                self.open.insert((self.case.route.clone(), self.case.id.clone()));
            } else {
                status = Status::Fail;
            }
        }
        Ok(self.case.finish(status, sink)?)
    }

    fn close_suite(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let Some(mut suite) = self.suites.pop() else { return Ok(()) };
        for wrong in suite.wrong() {
            self.notes
                .add(format!("the suite {}: {wrong} cannot be right", crate::visible::line(suite.id())));
        }
        if let Some(text) = suite.failed() {
            self.tell_of_suite(&suite, CaseEnd::Fail, &text, sink)?;
            suite.shown.failures += 1;
        }
        if self.options.counts
            && let Some(missing) = suite.missing(&self.suites)
        {
            let (ending, text) = match missing {
                Missing::Lost(what) => (CaseEnd::Fail, what),
                Missing::Skipped(count) => {
                    suite.shown.skipped = suite.shown.skipped.saturating_add(count);
                    (CaseEnd::Skip, format!("tests that the suite counts as skipped: {count}\n"))
                }
            };
            self.tell_of_suite(&suite, ending, &text, sink)?;
            // What is around this one counts the same, and need not say so again.
            suite.shown_as_declared();
        }
        self.ids.leave();
        if let Some(outer) = self.suites.last_mut() {
            outer.add(&suite);
        }
        Ok(())
    }

    /// Reports a test that stands for something of a suite.
    fn tell_of_suite(
        &mut self,
        suite: &Suite,
        ending: CaseEnd,
        text: &str,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.case.stand_for(suite.id(), suite.route.as_deref());
        self.ids.give(&mut self.case, &self.suites, ".");
        self.case.add(ending);
        begin(&mut self.case, &mut self.open, sink)?;
        let file = if ending.is_failure() { "traceback" } else { "reason" };
        pieces(file, text.as_bytes(), &self.case.event(), sink)?;
        self.case.finish(ending.status(), sink)
    }

    fn close_property(&mut self) {
        let (name, value) = &self.property;
        let value = &*String::from_utf8_lossy(value);
        if self.is_in_test() {
            self.case.take_property(name, value);
        } else if let Some(suite) = self.suites.last_mut() {
            suite.take_property(name, value);
        }
    }

    fn close_properties(&mut self, sink: &mut dyn StreamResult) -> Result<(), Failure> {
        let Some(suite) = self.suites.last_mut() else { return Ok(()) };
        if suite.properties.is_empty() {
            return Ok(());
        }
        let mut text = format!("[{}]\n", crate::visible::line(suite.id())).into_bytes();
        text.append(&mut suite.properties);
        let event = Event { route_code: suite.route.as_deref(), ..Event::default() };
        Ok(pieces(PROPERTIES_FILE, &text, &event, sink)?)
    }
}

/// An event of what the text belongs to.
fn event_of<'a>(is_of_case: bool, case: &'a Case, suite: &'a Suite) -> Event<'a> {
    if is_of_case { case.event() } else { Event { route_code: suite.route.as_deref(), ..Event::default() } }
}

/// Reports that a case begins. If a test of its name was left open, that one ends: no later one may end it instead.
#[inline]
fn begin(
    case: &mut Case,
    open: &mut HashSet<(Option<String>, String)>,
    sink: &mut dyn StreamResult,
) -> io::Result<()> {
    if !case.has_begun && !open.is_empty() && open.remove(&(case.route.clone(), case.id.clone())) {
        sink.status(&Event { status: Some(Status::Fail), ..case.event() })?;
    }
    case.begin(sink)
}
