//! A case: what its attributes and children say.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use streamresult::{PROPERTIES_FILE, StreamResult};
use subunit::{Event, Status, Tags, Timestamp};

use super::element::Detail;
use super::error::Failure;
use super::id::{self, Names};
use super::suite::Suite;
use super::tag::Tag;
use super::text::pieces;
use super::{secret, time, unique, words};
use crate::junit::names::{CaseName, cut};
use crate::junit::properties::CLASS;

/// Longer values of properties stay properties, as do those beyond this number.
const LONGEST_TAG: usize = 1024;
const MOST_TAGS: usize = 256;
/// Properties beyond this are left out.
const LONGEST_PROPERTIES: usize = 256 << 10;

/// What Mocha's reporter calls its report.
const MOCHA: &str = "Mocha Tests";

/// How a case ended. The gravest of what its children say holds, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CaseEnd {
    #[default]
    Success,
    XFail,
    Skip,
    /// It began, and nobody knows how it ended.
    Unfinished,
    UxSuccess,
    Fail,
}

impl CaseEnd {
    pub(crate) fn is_failure(self) -> bool {
        self >= CaseEnd::Unfinished
    }

    pub(crate) fn status(self) -> Status {
        match self {
            CaseEnd::Success => Status::Success,
            CaseEnd::XFail => Status::XFail,
            CaseEnd::Skip => Status::Skip,
            CaseEnd::Unfinished => Status::InProgress,
            CaseEnd::UxSuccess => Status::UxSuccess,
            CaseEnd::Fail => Status::Fail,
        }
    }
}

/// The case that is being read.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) route: Option<String>,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) ending: CaseEnd,
    /// What an attribute says of the outcome, where no child does.
    status: String,
    /// Words of such attributes that nobody knows.
    unknown: String,
    /// Whether an attribute says a word that is known.
    has_status: bool,
    /// Whether it was not run, as CTest and GoogleTest say it.
    is_not_run: bool,
    is_flaky: bool,
    /// Whether it is no test, but something of its suite.
    stands_for_suite: bool,
    /// Whether it says that it ran, and no result.
    pub(crate) is_bare_run: bool,
    counts_assertions: bool,
    /// How many assertions it counts.
    pub(crate) assertions: u64,
    /// Whether its first event went out.
    pub(crate) has_begun: bool,
    /// How many attempts came before or after the one that the case is about.
    pub(crate) attempts: u32,
    is_rerun: bool,
    /// Whether it may fail: it is yet to be done, as node has it, or marked so, as Catch2 has it.
    pub(crate) may_fail: bool,
    /// Whether its suite does not count that it failed.
    pub(crate) is_uncounted: bool,
    /// Whether an element says how it ended.
    is_explained: bool,
    pub(crate) failures: u64,
    tags: Vec<String>,
    properties: Vec<u8>,
    /// How often a name was given to a file.
    names: Vec<(String, u32)>,
    class: String,
    name: String,
    file: String,
}

/// What a case has to know of the document it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) suite: &'a Suite,
    /// All suites that it is in, of which that is the last.
    pub(crate) suites: &'a [Suite],
    /// The id of the case that it is in.
    pub(crate) within: Option<&'a str>,
    pub(crate) route: Option<&'a str>,
    pub(crate) separator: Option<&'a str>,
    /// The name of the report, which our writer gives for a class where there is none.
    pub(crate) report: Option<&'a str>,
    /// Whether the document is one suite: CTest gives its tests their names for classes.
    pub(crate) is_single: bool,
    /// When it begins if it does not say so; `None` where that is not known.
    pub(crate) clock: Option<Timestamp>,
}

impl Case {
    /// Begins a case with these attributes, and returns how long it took.
    pub(crate) fn open(&mut self, tag: &Tag<'_>, around: &Around<'_>) -> Result<Option<Duration>, Failure> {
        self.clear();
        let (mut duration, mut timestamp) = (None, None);
        tag.each(|key, value| {
            match key {
                "name" => self.name.push_str(&cut(&value)),
                "classname" => {
                    self.class.clear();
                    self.class.push_str(&cut(&value));
                }
                // PHPUnit has both, with backslashes here.
                "class" if self.class.is_empty() => self.class.push_str(&cut(&value)),
                "file" => self.file.push_str(&cut(&value)),
                "time" => duration = time::duration(&value),
                // GoogleTest says 1970 of what did not run.
                "timestamp" => {
                    timestamp = time::timestamp(&value).filter(|time| *time != Timestamp::default())
                }
                // Node says the message of the failure here too.
                "failure" => {}
                "status" | "result" | "outcome" => self.take_status(key, &value),
                _ => self.take_attribute(key, &value),
            }
            Ok(())
        })?;
        if !self.file.is_empty() && !id::is_in_file(&self.class, &self.file) {
            let file = std::mem::take(&mut self.file);
            self.add_property("file", &file);
            self.file = file;
        }
        self.route = around.route.map(str::to_owned);
        self.name_it(around);
        self.start = timestamp.or_else(|| around.clock.filter(|_| duration.is_some()));
        if let (None, Some(duration)) = (self.start, duration) {
            self.add_property("time", &duration.as_secs_f64().to_string());
        }
        self.end = self.start.zip(duration).and_then(|(start, duration)| time::after(start, duration));
        Ok(duration)
    }

    /// Begins a test that stands for something other than a case.
    pub(crate) fn stand_for(&mut self, id: &str, route: Option<&str>) {
        self.clear();
        self.stands_for_suite = true;
        self.id.push_str(id);
        self.route = route.map(str::to_owned);
    }

    fn clear(&mut self) {
        let texts = [&mut self.id, &mut self.class, &mut self.name, &mut self.file];
        for text in texts.into_iter().chain([&mut self.status, &mut self.unknown]) {
            text.clear();
        }
        (self.has_status, self.is_not_run, self.is_flaky, self.is_bare_run) = (false, false, false, false);
        self.stands_for_suite = false;
        (self.counts_assertions, self.assertions) = (false, 0);
        self.properties.clear();
        self.tags.clear();
        self.names.clear();
        (self.start, self.end) = (None, None);
        self.ending = CaseEnd::Success;
        self.has_begun = false;
        self.attempts = 0;
        (self.is_rerun, self.is_explained) = (false, false);
        (self.may_fail, self.is_uncounted) = (false, false);
        self.failures = 0;
    }

    fn name_it(&mut self, around: &Around<'_>) {
        self.class_it(around);
        let no_class = if self.is_named_twice(around) { Some(&*self.class) } else { around.report };
        // What the id does not tell our writer, as a class with a blank in it looks like a part of the name.
        let keeps_class = self.class.contains([' ', '(', '[']) && around.report != Some(&*self.class);
        let names = Names {
            class: &self.class,
            name: &self.name,
            file: (!self.file.is_empty()).then_some(&*self.file),
            separator: around.separator,
            no_class,
            route: around.route,
            suite: &around.suite.name,
        };
        names.id(&mut self.id);
        if keeps_class && CaseName::of(&self.id).class != self.class {
            let class = std::mem::take(&mut self.class);
            self.add_property(CLASS, &class);
            self.class = class;
        }
    }

    /// Gives a class to a case that says none, or one that says nothing: node's are all called `test`, and what PHPUnit
    /// calls `Error` has none.
    fn class_it(&mut self, around: &Around<'_>) {
        if let (Some(outer), true) = (around.within, self.class.is_empty()) {
            self.class.push_str(outer);
        } else if self.class == "test" && around.suite.is_of_node {
            self.class = unique::path(around.suites, around.separator.unwrap_or("."));
        } else if self.class.is_empty() && self.counts_assertions && !around.suite.name.is_empty() {
            self.class = around.suite.name.replace('\\', ".");
        }
    }

    /// Whether the class says nothing that the name does not: CTest gives tests their names for classes, as does
    /// jest-junit, and Mocha's reporter the ends of their names. None of our classes has a blank.
    fn is_named_twice(&self, around: &Around<'_>) -> bool {
        let has_blank = || self.class.contains(' ');
        match self.name.strip_suffix(&*self.class) {
            Some("") => around.is_single || has_blank(),
            Some(before) => before.ends_with(' ') && (has_blank() || around.report == Some(MOCHA)),
            None => false,
        }
    }

    /// Takes what GoogleTest, CTest and others say of the outcome beside or instead of a child.
    fn take_status(&mut self, key: &str, value: &str) {
        if value.trim_ascii().is_empty() {
            return;
        }
        let Some(ending) = words::ending(value) else {
            self.add_property(key, value);
            // Writing to a string cannot fail.
            let _ = write!(self.unknown, "{key}=\"{value}\" ");
            return;
        };
        self.is_bare_run = key == "status" && value == "run" && !self.has_status;
        self.is_not_run |= value == "notrun";
        self.is_flaky |= words::is_flaky(value);
        self.take_ending(key, value, ending);
    }

    fn take_ending(&mut self, key: &str, value: &str, ending: CaseEnd) {
        self.has_status = true;
        if ending > CaseEnd::Success {
            self.ending = self.ending.max(ending);
            self.failures = self.failures.max(u64::from(ending.is_failure()));
            let separator = if self.status.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = write!(self.status, "{separator}{key}=\"{value}\"");
        }
    }

    /// Takes an attribute without a use of its own.
    fn take_attribute(&mut self, key: &str, value: &str) {
        if let Some(ending) = words::flag(key, value) {
            return self.take_ending(key, value, ending);
        }
        if key == "assertions" {
            self.counts_assertions = true;
            self.assertions = value.trim_ascii().parse().unwrap_or(0);
        }
        self.add_property(key, value);
    }

    /// Ends the case: what its attributes say of the outcome, if its children say nothing. Words that nobody knows are
    /// no success, nor is a test of which there is only said that it failed again.
    pub(crate) fn take_words(&mut self) -> String {
        if self.is_rerun && !self.is_explained {
            self.ending = CaseEnd::Fail;
            self.failures = self.failures.max(1);
        }
        if !self.is_explained && !self.has_status && !self.unknown.is_empty() {
            self.ending = CaseEnd::Fail;
            self.failures = self.failures.max(1);
            let words = self.unknown.trim_ascii_end();
            return format!("{words}: it is not known what that means, so it is not taken for a success\n");
        }
        if self.is_explained { String::new() } else { std::mem::take(&mut self.status) }
    }

    /// What a detail of this type and message says. CTest writes that a test was skipped also where it could not run
    /// one, of which it says itself that it failed.
    pub(crate) fn ending_of(&self, detail: Detail, kind: &str, message: &str) -> CaseEnd {
        let is_own_skip = message.starts_with("SKIP_") || message == "Disabled";
        let is_of_ctest = self.is_not_run && self.class == self.name && !message.is_empty();
        match detail.ending(kind) {
            CaseEnd::Skip if is_of_ctest && !is_own_skip => CaseEnd::Fail,
            ending => ending,
        }
    }

    /// Takes a property: some are more than that.
    pub(crate) fn take_property(&mut self, name: &str, value: &str) {
        match name {
            "tag" if value.len() <= LONGEST_TAG && self.tags.len() < MOST_TAGS => self.add_tag(value),
            "route" if value.len() <= LONGEST_TAG && !self.has_begun => {
                let mut route = String::new();
                id::push(value, &mut route);
                let len = id::without_route(&self.id, &route).len();
                self.id.truncate(len);
                self.route = Some(route);
            }
            _ => self.add_property(name, value),
        }
    }

    pub(crate) fn add_tag(&mut self, tag: &str) {
        let mut text = String::new();
        id::push(tag, &mut text);
        if !self.tags.contains(&text) {
            self.tags.push(text);
        }
    }

    fn add_property(&mut self, name: &str, value: &str) {
        add_property(name, value, &mut self.properties);
    }

    /// Takes what an element says of the outcome.
    pub(crate) fn add(&mut self, ending: CaseEnd) {
        self.ending = self.ending.max(ending);
        self.is_explained = true;
        self.failures += u64::from(ending.is_failure());
    }

    /// Takes another attempt than the one that the case tells of: an earlier one, or a later one after a failure.
    pub(crate) fn attempt(&mut self, is_rerun: bool) {
        self.attempts += 1;
        self.is_rerun = is_rerun;
    }

    /// The number of the attempt that was taken last: where all failed, the case tells of the first.
    pub(crate) fn attempt_number(&self) -> u32 {
        self.attempts + u32::from(self.is_rerun)
    }

    /// Tags a test that took several attempts with their number, and one that passed in the end as flaky.
    pub(crate) fn tag_attempts(&mut self) {
        if self.attempts > 0 {
            self.add_tag(&format!("attempt-{}", self.attempts + 1));
        }
        if (self.attempts > 0 || self.is_flaky) && !self.ending.is_failure() {
            self.add_tag("flaky");
        }
    }

    /// A name that no other file of the case has: the second one is `traceback-2`.
    pub(crate) fn file_name(&mut self, name: &str) -> String {
        match self.names.iter_mut().find(|(given, _)| given == name) {
            Some((_, count)) => {
                *count += 1;
                format!("{name}-{count}")
            }
            None => {
                // Beyond these, files of one name become one.
                if self.names.len() < MOST_TAGS {
                    self.names.push((name.to_owned(), 1));
                }
                name.to_owned()
            }
        }
    }

    /// An event about the test.
    pub(crate) fn event(&self) -> Event<'_> {
        Event {
            test_id: Some(&self.id),
            runnable: !self.stands_for_suite,
            route_code: self.route.as_deref(),
            ..Event::default()
        }
    }

    /// Reports that the test begins, with its properties.
    pub(crate) fn begin(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        self.tell(Some(Status::InProgress), self.start, sink)?;
        self.tell_properties(sink)
    }

    fn tell_properties(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.properties.is_empty() {
            return Ok(());
        }
        let name = self.file_name(PROPERTIES_FILE);
        pieces(&name, &self.properties, &self.event(), sink)?;
        self.properties.clear();
        Ok(())
    }

    /// Reports how the test ended.
    pub(crate) fn finish(&mut self, status: Status, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.begin(sink)?;
        self.tell_properties(sink)?;
        let is_open = status == Status::InProgress;
        // One that is left open has said all but when it was last seen.
        if is_open && self.end.is_none() && self.tags.is_empty() {
            return Ok(());
        }
        self.tell(Some(status), self.end, sink)
    }

    fn tell(
        &self,
        status: Option<Status>,
        timestamp: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let event = Event { status, timestamp, ..self.event() };
        if self.tags.is_empty() {
            return sink.status(&event);
        }
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        sink.status(&Event { tags: Tags::from(tags.as_slice()), ..event })
    }
}

/// Appends a property as a line, without what is secret in it.
pub(crate) fn add_property(name: &str, value: &str, lines: &mut Vec<u8>) {
    let value = &*secret::shown(name, value);
    const MORE: &[u8] = b"(more, left out)\n";
    if lines.len() + name.len() + value.len() > LONGEST_PROPERTIES {
        if !lines.ends_with(MORE) {
            lines.extend_from_slice(MORE);
        }
        return;
    }
    for part in [&crate::visible::line(name), "=", &crate::visible::line(value), "\n"] {
        lines.extend_from_slice(part.as_bytes());
    }
}
