//! From events to the report.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use streamresult::{Details, Extent, Outcome, Record, RecordSink, Records, Spool, StreamResult, Summary};
use subunit::{Event, Status, element};

use super::longest::Longest;
use super::section::{Sections, run_as_a_whole};
use super::skips::Skips;
use super::tally::Routes;
use super::{Conclusion, GroupBy, TextOptions, Tone, line};
use crate::harmless;
use crate::postponed::Postponed;
use crate::span::Span;

/// Late pieces of attachments beyond this many bytes are counted, not shown.
const LATE: u64 = 1 << 20;

/// Writes the report of a run: lines while it goes on, the rest with [`finish`](TextReport::finish).
///
/// ```
/// use formats::text::{Conclusion, TextOptions, TextReport};
/// use streamresult::StreamResult;
/// use subunit::{Event, Status};
///
/// let mut report = TextReport::new(Vec::new(), TextOptions { lines: true, ..TextOptions::default() });
/// report.status(&Event::status("boot", Status::Success))?;
/// report.stop_run()?;
/// let text = String::from_utf8(report.finish(Conclusion::default())?)?;
/// assert_eq!(text, "ok                   boot\n\nPASSED  1 test: 1 passed\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TextReport<W> {
    records: Records<(Tests<W>, Summary)>,
}

/// What is kept of the tests.
#[derive(Debug)]
struct Tests<W> {
    out: W,
    options: TextOptions,
    line: Vec<u8>,
    /// What failed, in full.
    failures: Postponed,
    /// The output of what did not fail, where lines do not have it.
    outputs: Postponed,
    /// The ids of what failed.
    failing: Postponed,
    flaky: Postponed,
    longest: Longest,
    skips: Skips,
    routes: Routes,
    late_left_out: u64,
    late_room: u64,
    /// The first and the latest time in the stream.
    span: Span,
}

impl<W: Write> TextReport<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W, options: TextOptions) -> Self {
        TextReport::of(out, options, None)
    }

    /// The same, with what does not stay in memory in this folder.
    pub fn in_folder(out: W, options: TextOptions, folder: &Path) -> Self {
        TextReport::of(out, options, Some(folder))
    }

    fn of(out: W, options: TextOptions, folder: Option<&Path>) -> Self {
        let place = |postponed: Postponed| match folder {
            Some(folder) => postponed.in_folder(folder),
            None => postponed,
        };
        let [failures, outputs] = [(); 2].map(|()| place(Postponed::default()));
        let [failing, flaky] = [(); 2].map(|()| place(Postponed::list()));
        let tests = Tests {
            out,
            options,
            line: Vec::new(),
            failures,
            outputs,
            failing,
            flaky,
            longest: Longest::new(options.slowest),
            skips: Skips::default(),
            routes: Routes::default(),
            late_left_out: 0,
            late_room: if options.all_output { u64::MAX } else { LATE },
            span: Span::default(),
        };
        // A summary tells of no file but why tests were skipped.
        let details = if options.summary_only { Details::Reason } else { Details::All };
        let spool = folder.map_or_else(Spool::default, |folder| Spool::default().in_folder(folder));
        let records = Records::new((tests, Summary::new())).details(details).with_spool(spool);
        TextReport { records }
    }

    /// The accounting of the run.
    pub fn summary(&self) -> &Summary {
        &self.records.sink().1
    }

    /// Calls a function with the id of each test that failed or did not finish, in order of appearance.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read, or the function fails.
    pub fn failing_ids(&mut self, call: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        self.records.sink_mut().0.failing.strings(call)
    }

    /// Writes everything except the lines, once the run has stopped.
    ///
    /// # Errors
    ///
    /// When writing fails, or what was set aside in temporary files cannot be read.
    pub fn finish(self, ending: Conclusion<'_>) -> io::Result<W> {
        let (mut tests, summary) = self.records.into_sink();
        let span = tests.span;
        let out = &mut tests.out;
        if tests.options.lines && !tests.options.summary_only && !tests.line.is_empty() {
            out.write_all(b"\n")?;
        }
        if !tests.outputs.is_empty() {
            write_head("output", tests.options.color, out)?;
            tests.outputs.copy(out)?;
        }
        let mut rest = Rest { out, color: tests.options.color };
        rest.failures(tests.failures, tests.options.group, &tests.routes)?;
        if tests.late_left_out > 0 {
            let count = tests.late_left_out;
            writeln!(
                rest.out,
                "{count} bytes more came after the end of their tests; --all-output shows them\n"
            )?;
        }
        rest.titles("flaky tests", &tests.flaky)?;
        rest.counted("skipped", tests.skips.into_list())?;
        rest.slowest(tests.longest.into_list())?;
        if tests.options.group == Some(GroupBy::Route) {
            rest.routes(&tests.routes)?;
        }
        rest.failing(&tests.failing, ending.rerun)?;
        rest.verdict(&summary, ending, span)?;
        Ok(tests.out)
    }
}

impl<W: Write> StreamResult for TextReport<W> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Some(time) = event.timestamp {
            self.records.sink_mut().0.span.add(time);
        }
        self.records.status(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.records.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.records.stop_run()
    }
}

impl<W: Write> RecordSink for Tests<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let outcome = record.outcome();
        if outcome == Outcome::Exists {
            return Ok(());
        }
        self.count(record)?;
        if self.options.summary_only {
            return Ok(());
        }
        if self.options.lines {
            self.line.clear();
            line::push(record, self.options.color, &mut self.line)?;
            self.out.write_all(&self.line)?;
        }
        if outcome.is_failure() {
            let group = self.group(record.route_code(), kind(outcome, record.is_damage()));
            self.failures.begin(group);
            self.sections().test(record, &mut self.failures)
        } else if self.options.all_output && record.attachments().len() > 0 {
            self.output(record)
        } else {
            Ok(())
        }
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let Some(file) = event.file else { return Ok(()) };
        let len = file.bytes.len() as u64;
        if self.options.summary_only {
            Ok(())
        } else if len <= self.late_room {
            self.late_room -= len;
            let group = self.group(event.route_code, LATE_KIND);
            self.failures.begin(group);
            self.sections().late(event, &mut self.failures)
        } else {
            self.late_left_out += len;
            Ok(())
        }
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() || self.options.summary_only {
            return Ok(());
        }
        if self.options.lines {
            Tone::Bad.write(
                &format!("{:19}", status.as_str().to_uppercase()),
                self.options.color,
                &mut self.out,
            )?;
            writeln!(self.out, "  {}", run_as_a_whole(event))?;
        }
        let group = self.group(event.route_code, kind(Outcome::of(Some(status)), false));
        self.failures.begin(group);
        self.sections().global(event, status, &mut self.failures)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The kinds of failures, in the order in which they stand when put together.
const KINDS: [&str; 5] = ["fail", "uxsuccess", "unfinished", "damage", "late attachments"];
const LATE_KIND: u32 = 4;

fn kind(outcome: Outcome, is_damage: bool) -> u32 {
    match outcome {
        _ if is_damage => 3,
        Outcome::Unfinished => 2,
        Outcome::UxSuccess => 1,
        _ => 0,
    }
}

impl<W: Write> Tests<W> {
    fn count(&mut self, record: &Record<'_>) -> io::Result<()> {
        if self.options.group == Some(GroupBy::Route) {
            self.routes.count(record);
        }
        let outcome = record.outcome();
        if outcome != Outcome::Unfinished {
            self.longest.note(record);
        }
        if outcome == Outcome::Skip {
            self.skips.note(record)?;
        }
        if record.is_flaky() {
            self.flaky.write_all(line::title(record.test_id(), record.route_code()).as_bytes())?;
            self.flaky.write_all(b"\0")?;
        }
        if outcome.is_failure() && !record.is_damage() {
            self.failing.write_all(record.test_id().as_bytes())?;
            self.failing.write_all(b"\0")?;
        }
        Ok(())
    }

    fn group(&mut self, route: Option<&str>, kind: u32) -> u32 {
        match self.options.group {
            None => 0,
            Some(GroupBy::Status) => kind,
            Some(GroupBy::Route) => self.routes.number(route),
        }
    }

    fn sections(&self) -> Sections {
        Sections { color: self.options.color, whole: self.options.all_output, latest: self.span.last() }
    }

    /// Writes the output of a test that did not fail: below its line, or with others after the run.
    fn output(&mut self, record: &Record<'_>) -> io::Result<()> {
        let sections = self.sections();
        if self.options.lines {
            sections.attachments(record, &mut self.out)
        } else {
            sections.test(record, &mut self.outputs)
        }
    }
}

/// Writes what comes after the lines.
struct Rest<'a, W> {
    out: &'a mut W,
    color: bool,
}

impl<W: Write> Rest<'_, W> {
    fn failures(&mut self, failures: Postponed, group: Option<GroupBy>, routes: &Routes) -> io::Result<()> {
        if failures.is_empty() {
            return Ok(());
        }
        let color = self.color;
        match group {
            None => {
                write_head("failures", color, self.out)?;
                failures.copy(self.out)
            }
            Some(by) => failures.copy_groups(self.out, |number, count, out| {
                let name =
                    if by == GroupBy::Route { routes.name(number) } else { element(&KINDS, number as usize) };
                write_head(&format!("failures: {name} ({count})"), color, out)
            }),
        }
    }

    fn counted(&mut self, name: &str, list: Vec<(u64, String)>) -> io::Result<()> {
        if list.is_empty() {
            return Ok(());
        }
        write_head(name, self.color, self.out)?;
        list.iter().try_for_each(|(count, what)| writeln!(self.out, "{count:9}  {what}"))?;
        writeln!(self.out)
    }

    fn slowest(&mut self, list: Vec<(Duration, String)>) -> io::Result<()> {
        if list.is_empty() {
            return Ok(());
        }
        write_head("slowest", self.color, self.out)?;
        let mut line = Vec::new();
        for (duration, title) in list {
            line.clear();
            line::push_duration(Some(duration), &mut line);
            self.out.write_all(&line)?;
            writeln!(self.out, "  {title}")?;
        }
        writeln!(self.out)
    }

    fn routes(&mut self, routes: &Routes) -> io::Result<()> {
        write_head("routes", self.color, self.out)?;
        routes.write(self.out)?;
        writeln!(self.out)
    }

    fn titles(&mut self, name: &str, titles: &Postponed) -> io::Result<()> {
        if titles.is_empty() {
            return Ok(());
        }
        write_head(name, self.color, self.out)?;
        let out = &mut *self.out;
        titles.strings(|title| writeln!(out, "  {title}"))?;
        writeln!(self.out)
    }

    fn failing(&mut self, failing: &Postponed, rerun: Option<&str>) -> io::Result<()> {
        if failing.is_empty() {
            return Ok(());
        }
        write_head("failing tests", self.color, self.out)?;
        let out = &mut *self.out;
        failing.strings(|id| writeln!(out, "  {}", harmless::line(id)))?;
        if let Some(rerun) = rerun {
            writeln!(self.out, "\n{}", harmless::line(rerun))?;
        }
        writeln!(self.out)
    }

    fn verdict(&mut self, summary: &Summary, ending: Conclusion<'_>, span: Span) -> io::Result<()> {
        let (word, tone) = ending.word(summary);
        tone.write(word, self.color, self.out)?;
        writeln!(self.out, "  {summary}{}", line::in_length(span))
    }
}

fn write_head(text: &str, color: bool, out: &mut impl Write) -> io::Result<()> {
    Tone::Notice.write(&format!("---- {text} ----"), color, out)?;
    out.write_all(b"\n")
}
