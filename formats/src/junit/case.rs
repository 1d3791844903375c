//! One record as a test case.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use memchr::memchr;
use streamresult::{Attachment, Outcome, PROPERTIES_FILE, Record};
use subunit::part;

use super::attachments::Folder;
use super::attempts::{self, Part};
use super::budget::{TextBudget, copy, show};
use super::case_writer::{CaseWriter, Section};
use super::escape;
use super::names::{cut, file_of};
use super::options::{Dialect, JunitOptions};
use super::properties::{CLASS, parts};
use crate::charset::Content;
use crate::why::{Cause, Ending, FAILURE, cause_in};

/// More tags are not written: some consumers count elements.
const MOST_TAGS: usize = 256;
/// A longer file of properties is output.
pub(super) const LONGEST_PROPERTIES: usize = 256 << 10;

/// The element that says how a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// It passed.
    None,
    Skipped,
    Failure,
    Error,
}

impl Element {
    pub(crate) const ALL: [Element; 4] = [Element::None, Element::Skipped, Element::Failure, Element::Error];

    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Element::Failure | Element::Error)
    }

    pub(crate) fn opening(self) -> &'static str {
        match self {
            Element::None => "",
            Element::Skipped => "\n<skipped",
            Element::Failure => "\n<failure",
            Element::Error => "\n<error",
        }
    }

    pub(crate) fn closing(self) -> &'static str {
        match self {
            Element::None => "",
            Element::Skipped => "</skipped>",
            Element::Failure => "</failure>",
            Element::Error => "</error>",
        }
    }
}

/// The element that stands for the outcome of this record.
pub(crate) fn element(record: &Record<'_>) -> Element {
    match record.outcome() {
        _ if record.is_damage() => Element::Error,
        Outcome::Fail | Outcome::UxSuccess => Element::Failure,
        Outcome::Unfinished => Element::Error,
        Outcome::Skip | Outcome::XFail => Element::Skipped,
        Outcome::Success | Outcome::Exists => Element::None,
    }
}

/// Writes the names and the duration of a case.
pub(crate) fn attributes(
    class: &str,
    name: &str,
    record: Option<&Record<'_>>,
    options: &JunitOptions,
    writer: &mut CaseWriter<'_>,
) {
    let out = writer.out();
    out.extend_from_slice(b" classname=\"");
    escape::attribute(class, out);
    out.extend_from_slice(b"\" name=\"");
    escape::attribute(name, out);
    out.push(b'"');
    if let Some(duration) = record.and_then(Record::duration) {
        out.extend_from_slice(b" time=\"");
        seconds(duration, out);
        out.push(b'"');
    }
    let file = record.filter(|record| has_colon(record)).and_then(|record| file_of(record.test_id()));
    if let (Dialect::Common, Some(file)) = (options.dialect, file) {
        out.extend_from_slice(b" file=\"");
        escape::attribute(&cut(file), out);
        out.push(b'"');
    }
    writer.end(Section::Attributes);
}

/// Only an id with a colon can name a file: most are not looked at any further.
fn has_colon(record: &Record<'_>) -> bool {
    memchr(b':', record.test_id_bytes()).is_some()
}

/// Appends a duration in seconds, with exactly three decimals.
pub(crate) fn seconds(duration: Duration, out: &mut Vec<u8>) {
    let milliseconds = duration.saturating_add(Duration::from_micros(500)).as_millis() as u64;
    // This is faster than formatting, and every case has one.
    let mut digits = [b'0'; 24];
    let mut rest = milliseconds;
    let mut first = digits.len() - 5;
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        if at == 20 {
            *digit = b'.';
        } else if rest > 0 {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            first = first.min(at);
        }
    }
    out.extend_from_slice(part(&digits, first..));
}

/// Writes all of a case except its names.
pub(crate) fn body(
    record: &Record<'_>,
    options: &JunitOptions,
    folder: Option<&mut Folder>,
    writer: &mut CaseWriter<'_>,
) -> io::Result<()> {
    let (element, ending) = (element(record), Ending::of(record));
    let detail = ending.detail(record);
    let attempts = attempts::failed(record);
    let mut case = Case { record, options, folder, element, ending, detail, attempts, is_detail_cut: false };
    if case.is_empty() {
        writer.glue("/>\n");
        return Ok(());
    }
    writer.glue(">");
    case.properties(writer);
    case.outcome(writer)?;
    case.other_attempts(writer)?;
    case.output(writer)?;
    writer.glue("\n</testcase>\n");
    Ok(())
}

/// Writes the outcome of something that is not a test but failed, with its text.
pub(crate) fn failure(message: &str, text: &[u8], writer: &mut CaseWriter<'_>) -> io::Result<()> {
    writer.glue(">");
    writer.glue(Element::Failure.opening());
    writer.out().extend_from_slice(b" message=\"");
    escape::attribute(message, writer.out());
    writer.out().extend_from_slice(b"\" type=\"Failure\"");
    writer.end(Section::Outcome);
    writer.glue(">");
    show(text, Content::of(None, text), &mut TextBudget::default(), writer)?;
    writer.end(Section::Text);
    writer.glue(Element::Failure.closing());
    writer.glue("\n</testcase>\n");
    Ok(())
}

struct Case<'a> {
    record: &'a Record<'a>,
    options: &'a JunitOptions,
    folder: Option<&'a mut Folder>,
    element: Element,
    ending: Ending,
    /// The file that became the text of the outcome.
    detail: Option<Attachment<'a>>,
    /// The attempts besides the one that it is about.
    attempts: Vec<u32>,
    /// Whether that text is not all of the file.
    is_detail_cut: bool,
}

impl<'a> Case<'a> {
    fn is_empty(&self) -> bool {
        self.element == Element::None
            && !self.has_properties()
            && self.attempts.is_empty()
            && self.outputs().next().is_none()
    }

    fn has_properties(&self) -> bool {
        self.options.dialect == Dialect::Common
            && (!self.record.tags().is_empty()
                || self.route().is_some()
                || self.is_skewed()
                || !self.own_properties().is_empty())
    }

    /// Whether files of the test that say nothing of its outcome are written.
    fn has_outputs(&self) -> bool {
        self.element.is_failure() || self.options.all_output
    }

    /// The lines of the file of properties, where it is not written as output.
    fn own_properties(&self) -> Vec<String> {
        let is_wanted = self.has_outputs() && self.options.dialect == Dialect::Common;
        let file = if is_wanted { self.record.attachment(PROPERTIES_FILE) } else { None };
        let lines = file.and_then(|file| lines_of(&file)).unwrap_or_default();
        let is_own = |line: &&str| !line.is_empty() && parts(line).is_none_or(|(name, _)| name != CLASS);
        lines.lines().filter(is_own).map(str::to_owned).collect()
    }

    /// The route code, where the suite does not say it.
    fn route(&self) -> Option<&'a str> {
        self.record.route_code().filter(|_| self.options.single_suite)
    }

    /// Whether the clock went back while the test ran.
    fn is_skewed(&self) -> bool {
        self.record.duration().is_some() && self.record.last() < self.record.first()
    }

    /// The attachments that go to `system-out` and `system-err`.
    fn outputs(&self) -> impl Iterator<Item = Attachment<'a>> + use<'a> {
        let detail = self.detail.map(|detail| detail.name());
        let record = *self.record;
        let has_properties = self.options.dialect == Dialect::Common;
        let attempts = !self.attempts.is_empty();
        let all = self.has_outputs().then(|| record.attachments()).into_iter().flatten();
        all.filter(move |file| {
            Some(file.name()) != detail
                && !(has_properties && file.name() == PROPERTIES_FILE && lines_of(file).is_some())
                && !(attempts && attempts::is_part(&record, file.name()))
        })
    }

    fn properties(&self, writer: &mut CaseWriter<'_>) {
        if !self.has_properties() {
            return;
        }
        let out = writer.out();
        out.extend_from_slice(b"\n<properties>");
        let mut left_out = 0;
        for (number, tag) in self.record.tags().iter().enumerate() {
            if number < MOST_TAGS { known_property("tag", tag, out) } else { left_out += 1 }
        }
        if left_out > 0 {
            known_property("tags", &format!("{left_out} more, left out"), out);
        }
        self.route().into_iter().for_each(|route| known_property("route", route, out));
        if self.is_skewed() {
            known_property("clock", "went back while the test ran", out);
        }
        for line in self.own_properties() {
            let (name, value) = parts(&line).unwrap_or((&line, ""));
            property(name, value, out);
        }
        out.extend_from_slice(b"</properties>");
        writer.end(Section::Properties);
    }

    fn outcome(&mut self, writer: &mut CaseWriter<'_>) -> io::Result<()> {
        if self.element == Element::None {
            return Ok(());
        }
        writer.glue(self.element.opening());
        let evidence = self.ending.evidence(self.record, self.detail.as_ref(), self.outputs())?;
        let cause = self.ending.cause(self.detail.as_ref(), &evidence)?;
        self.explain(&cause, writer);
        writer.end(Section::Outcome);
        writer.glue(">");
        let mut budget = TextBudget::default();
        if let Some(detail) = self.detail {
            self.is_detail_cut = !self.show_file(&detail, &mut budget, writer)?;
        }
        if !evidence.text.is_empty() {
            if self.detail.is_some() {
                budget.end_line(writer);
            }
            budget.piece(evidence.text.as_bytes(), writer);
        }
        writer.end(Section::Text);
        writer.glue(self.element.closing());
        Ok(())
    }

    /// Writes the attributes `message` and `type`.
    fn explain(&self, cause: &Cause, writer: &mut CaseWriter<'_>) {
        let message = if cause.message.is_empty() { self.ending.message() } else { &cause.message };
        explanation(message, self.ending.kind(cause).unwrap_or_default(), writer.out());
    }

    /// Writes the attempts that the case is not about, each with its text and output.
    fn other_attempts(&mut self, writer: &mut CaseWriter<'_>) -> io::Result<()> {
        let name = if self.element.is_failure() { "rerunFailure" } else { "flakyFailure" };
        for attempt in self.attempts.clone() {
            let text = attempts::file(self.record, attempt, Part::Text);
            let cause = match &text {
                Some(text) => cause_in(text)?,
                None => Cause::default(),
            };
            writer.out().extend_from_slice(format!("\n<{name}").as_bytes());
            let message = if cause.message.is_empty() { "failed" } else { &cause.message };
            explanation(message, cause.kind.as_deref().unwrap_or(FAILURE), writer.out());
            writer.out().extend_from_slice(b"><stackTrace>");
            self.part(text.as_ref(), writer)?;
            writer.out().extend_from_slice(b"</stackTrace>");
            for (part, element) in [(Part::Stdout, "system-out"), (Part::Stderr, "system-err")] {
                if let Some(output) = attempts::file(self.record, attempt, part) {
                    writer.out().extend_from_slice(format!("\n<{element}>").as_bytes());
                    self.part(Some(&output), writer)?;
                    writer.out().extend_from_slice(format!("</{element}>").as_bytes());
                }
            }
            writer.out().extend_from_slice(format!("</{name}>").as_bytes());
        }
        writer.end(Section::Attempts);
        Ok(())
    }

    /// Writes the text of a file of an attempt.
    fn part(&mut self, file: Option<&Attachment<'_>>, writer: &mut CaseWriter<'_>) -> io::Result<()> {
        let Some(file) = file else { return Ok(()) };
        let mut budget = TextBudget::default();
        self.show_file(file, &mut budget, writer)?;
        self.save(file, &mut budget, writer)
    }

    fn output(&mut self, writer: &mut CaseWriter<'_>) -> io::Result<()> {
        for is_stderr in [false, true] {
            let detail = self.detail.filter(|_| self.is_detail_cut && self.folder.is_some() && !is_stderr);
            let mut files = self.outputs().filter(|file| (file.name() == "stderr") == is_stderr).peekable();
            if files.peek().is_none() && detail.is_none() {
                continue;
            }
            writer.glue(if is_stderr { "\n<system-err>" } else { "\n<system-out>" });
            let mut budget = TextBudget::default();
            for file in files {
                self.output_file(&file, &mut budget, writer)?;
            }
            if let Some(detail) = detail {
                self.save(&detail, &mut budget, writer)?;
            }
            budget.close(writer);
            writer.end(if is_stderr { Section::Err } else { Section::Out });
            writer.glue(if is_stderr { "</system-err>" } else { "</system-out>" });
        }
        Ok(())
    }

    fn output_file(
        &mut self,
        file: &Attachment<'_>,
        budget: &mut TextBudget,
        writer: &mut CaseWriter<'_>,
    ) -> io::Result<()> {
        if !matches!(file.name(), "stdout" | "stderr") {
            budget.piece(format!("{}:\n", cut(file.name())).as_bytes(), writer);
        }
        self.show_file(file, budget, writer)?;
        self.save(file, budget, writer)?;
        budget.end_line(writer);
        writer.settle();
        Ok(())
    }

    /// Writes the text of a file as far as there is room, and whether that was all.
    fn show_file(
        &self,
        file: &Attachment<'_>,
        budget: &mut TextBudget,
        writer: &mut CaseWriter<'_>,
    ) -> io::Result<bool> {
        let place = if self.folder.is_some() { "in the attached file" } else { "left out" };
        let content = Content::of_attachment(file)?;
        if content == Content::Binary {
            let mime_type = cut(file.mime_type().unwrap_or("no known type"));
            budget.note(&format!("[{} bytes of {mime_type}, {place}]", file.len()), writer);
            return Ok(false);
        }
        let shown = copy(file, content, budget, writer)?;
        let more = file.len() - shown;
        match file.no_room().or_else(|| writer.no_room()) {
            _ if more == 0 => {}
            None => budget.note(&format!("[{more} bytes more, {place}]"), writer),
            Some(why) => budget.note(&format!("[{more} bytes more, left out: {}]", cut(why)), writer),
        }
        Ok(more == 0)
    }

    /// Writes a file to the folder of files, if there is one, and says where it is.
    fn save(
        &mut self,
        file: &Attachment<'_>,
        budget: &mut TextBudget,
        writer: &mut CaseWriter<'_>,
    ) -> io::Result<()> {
        if let Some(folder) = &mut self.folder {
            let path = folder.save(self.record.test_id(), file)?;
            budget.note(&format!("[[ATTACHMENT|{path}]]"), writer);
        }
        Ok(())
    }
}

/// Appends a `property`.
pub(crate) fn property(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<property name=\"");
    escape::attribute(&cut(name), out);
    property_value(value, out);
}

/// Appends a `property` with one of our own names, which needs no escapes.
fn known_property(name: &'static str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<property name=\"");
    out.extend_from_slice(name.as_bytes());
    property_value(value, out);
}

fn property_value(value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\" value=\"");
    escape::attribute(&cut(value), out);
    out.extend_from_slice(b"\"/>");
}

/// Appends the attributes `message` and, where there is one, `type`.
fn explanation(message: &str, kind: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b" message=\"");
    escape::attribute(message, out);
    out.push(b'"');
    if !kind.is_empty() {
        out.extend_from_slice(b" type=\"");
        escape::attribute(kind, out);
        out.push(b'"');
    }
}

/// The lines of a file of properties, if that is what it looks like.
fn lines_of<'a>(file: &Attachment<'a>) -> Option<Cow<'a, str>> {
    if file.kept() > LONGEST_PROPERTIES as u64 {
        return None;
    }
    match file.head(LONGEST_PROPERTIES).ok()? {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_seconds(duration: Duration, expected: &str) {
        let mut out = Vec::new();
        seconds(duration, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_time_has_three_decimals() {
        check_seconds(Duration::ZERO, "0.000");
        check_seconds(Duration::from_micros(1_499), "0.001");
        check_seconds(Duration::from_micros(1_500), "0.002");
        check_seconds(Duration::from_micros(999_500), "1.000");
        check_seconds(Duration::from_millis(12_345), "12.345");
        check_seconds(Duration::from_millis(100), "0.100");
        check_seconds(Duration::from_secs(u64::from(u32::MAX)), "4294967295.000");
    }
}
