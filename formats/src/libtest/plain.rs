//! The tests of one binary, in plain text.
//!
//! libtest prints results first and the output of what failed behind all of them, so a failure waits for its output.
//! The text has four sections, and what ends one is known from what it says, never from its shape alone:
//!
//! | section | lines | ends with |
//! |---|---|---|
//! | `Results` | `test a ... ok`; anything else is text | `failures:`, `successes:` or the totals |
//! | `Outputs` | `---- a stdout ----` and what `a` wrote | `failures:` or `successes:` again |
//! | `MaybeList` | that heading came within an output, which may have printed it | the next line: the name of a known test, or not |
//! | `List` | the names once more | a line that is not indented |
//!
//! Two things make results hard to find. With `--nocapture`, `test a ... ` is followed by what `a` prints, and the
//! result comes behind it, on a line of its own or glued to the last one. Such a test is *pending*; a line that may
//! have the result at its end is a candidate until the next line shows whether libtest goes on. And tests run side by
//! side, so a result may follow the output of another test: what has begun and has no result is *unresolved*, and what
//! looks like a result behind other text is *glued*. The totals at the end settle both: they are taken for results if
//! that is what is missing, and are failures otherwise.

use std::io;
use std::time::Duration;

use memchr::memmem;
use subunit::Timestamp;

use super::counts::{Counts, discrepancy, unannounced};
use super::emit::{BinaryOut, string, test};
use super::failures::{Failure, Failures};
use super::line::{self, EndKind, Line, Named, TestEnd, Totals};
use super::pending::{NO_RESULT, Pending};
use crate::held::{HeldTest, before};

/// At most this many tests that began wait for their results.
const UNRESOLVED: usize = 1000;

/// The tests of a binary, from `running 3 tests` to `test result: …`.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    seen: Counts,
    /// How many tests there should be; unknown when the line that says so is missing.
    expected: Option<u64>,
    /// Whether totals may be missing: it is a harness of its own that only looks like libtest.
    is_own: bool,
    /// When the last thing happened.
    since: Option<Timestamp>,
    /// The test whose result is still to come, and behind which output stands.
    pending: Option<Pending>,
    /// Others that began.
    unresolved: Vec<Pending>,
    /// What looks like results behind output that has no end: they are if the totals tell as many more.
    glued: Vec<HeldTest>,
    section: Section,
    failures: Failures,
    has_dots: bool,
    /// The test whose result came last. Its buffers serve the next.
    last: HeldTest,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    /// Results of tests.
    #[default]
    Results,
    /// What tests wrote.
    Outputs(ListKind),
    /// `failures:` stands within what a test wrote: it ends if a name follows.
    MaybeList(ListKind),
    /// Names.
    List(ListKind),
}

/// Which tests a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListKind {
    Failures,
    Successes,
}

impl ListKind {
    fn heading(self) -> &'static [u8] {
        match self {
            ListKind::Failures => b"failures:\n",
            ListKind::Successes => b"successes:\n",
        }
    }
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineStep {
    Done,
    /// It is the last, and says that all went well, or not; with what is wrong about that.
    Ended(bool, Option<String>),
    /// Another binary begins.
    Begins,
}

impl Plain {
    pub(super) fn new(expected: Option<u64>, since: Option<Timestamp>) -> Self {
        Plain { expected, since, ..Plain::default() }
    }

    /// A binary that cargo named and whose first line does not say how many tests there are.
    pub(super) fn own(since: Option<Timestamp>) -> Self {
        Plain { since, is_own: true, ..Plain::default() }
    }

    /// Whether tests failed.
    pub(super) fn has_failed(&self) -> bool {
        self.seen.failed > 0
    }

    /// Whether lines are output of a test whose result is still to come.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether lines are output of a test, which may hold anything.
    pub(super) fn is_in_output(&self) -> bool {
        self.failures.is_open()
    }

    /// Takes a line, `content` being what it says and `raw` all of it.
    pub(super) fn line(
        &mut self,
        content: &[u8],
        raw: &[u8],
        out: &mut BinaryOut<'_>,
    ) -> io::Result<LineStep> {
        match self.section {
            Section::Results if self.pending.is_some() => self.pending_line(content, raw, out),
            Section::Results => self.result_line(content, raw, out),
            Section::Outputs(of) => self.output_line(of, content, raw, out),
            Section::MaybeList(of) => self.maybe_list(of, content, raw, out),
            Section::List(of) => self.list_line(of, content, raw, out),
        }
    }

    /// Takes a piece of a line that is too long to be anything but text.
    pub(super) fn text(&mut self, raw: &[u8], out: &mut BinaryOut<'_>) -> io::Result<()> {
        if self.failures.is_open() {
            return self.failures.push(raw, out);
        }
        match &mut self.pending {
            Some(pending) => {
                pending.dismiss(out)?;
                pending.push(raw, out)
            }
            None => out.push_text(raw),
        }
    }

    /// Hands on the output that waits for more.
    pub(super) fn flush(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.pending.as_mut().map_or(Ok(()), |pending| pending.flush(out))
    }

    fn result_line(&mut self, content: &[u8], raw: &[u8], out: &mut BinaryOut<'_>) -> io::Result<LineStep> {
        let parsed = line::parse(content);
        match parsed {
            Line::Blank => out.emitter.push_blank(),
            Line::Other => {
                let ended = line::ended(content);
                let waits = self.unresolved.iter().rposition(|test| !test.is_slow);
                match (ended, waits) {
                    (Some(ended), Some(at)) => {
                        let test = self.unresolved.remove(at);
                        self.resolve(test, &ended, out)?;
                    }
                    _ => {
                        self.note_glued(content, out);
                        out.push_text(raw)?;
                    }
                }
            }
            Line::Terse => {
                self.has_dots = true;
                out.push_text(raw)?;
            }
            _ => out.emitter.drop_blanks(),
        }
        match parsed {
            Line::Running(..) => return Ok(LineStep::Begins),
            Line::Result(named, ended) => self.result(named, &ended, out)?,
            Line::Began(named, output) => self.began(named, output, raw, out)?,
            Line::Slow(name, took) => self.slow(name, took, out)?,
            Line::TerseFailure(name) => {
                self.has_dots = true;
                let ended = TestEnd { outcome: EndKind::Failed(b""), took: None };
                self.result(Named { name, tag: None }, &ended, out)?;
            }
            Line::Failures => self.section = Section::Outputs(ListKind::Failures),
            Line::Successes => self.section = Section::Outputs(ListKind::Successes),
            Line::Totals(totals) => return self.totals(&totals, out),
            Line::Blank | Line::Other | Line::Terse => {}
        }
        Ok(LineStep::Done)
    }

    /// Output that has no end may stand before a result, when tests run at once and nothing is captured.
    fn note_glued(&mut self, content: &[u8], out: &BinaryOut<'_>) {
        if self.glued.len() >= UNRESOLVED || !content.ends_with(b"ok") && !content.ends_with(b"s>") {
            return;
        }
        let line = memmem::rfind(content, b"test ").and_then(|at| content.get(at..));
        if let Some(Line::Result(named, TestEnd { outcome: EndKind::Passed, took })) = line.map(line::parse) {
            let test = test(&string(named.name), named.tag);
            self.glued.push(HeldTest { took, time: out.now(), ..test });
        }
    }

    /// A line within the output of a test, or its result.
    fn pending_line(&mut self, content: &[u8], raw: &[u8], out: &mut BinaryOut<'_>) -> io::Result<LineStep> {
        let Some(mut pending) = self.pending.take() else { return Ok(LineStep::Done) };
        let parsed = line::parse(content);
        if let Some(candidate) = &mut pending.candidate {
            // A result that is glued to output is one if a line of libtest follows.
            let is_next = matches!(parsed, Line::Result(..) | Line::Began(..) | Line::Slow(..));
            let is_behind_blank = matches!(parsed, Line::Failures | Line::Successes | Line::Totals(_));
            if parsed == Line::Blank {
                candidate.blanks += 1;
                self.pending = Some(pending);
                return Ok(LineStep::Done);
            }
            if is_next || is_behind_blank && candidate.blanks > 0 {
                let ended = candidate.ended;
                pending.accept(out)?;
                self.resolve(pending, &ended, out)?;
                return self.result_line(content, raw, out);
            }
            pending.dismiss(out)?;
        }
        if let Some(ended) = line::ended(content) {
            self.resolve(pending, &ended, out)?;
            return Ok(LineStep::Done);
        }
        match parsed {
            Line::Result(..) | Line::Slow(..) => {
                self.pending = Some(pending);
                self.result_line(content, raw, out)
            }
            Line::Began(..) | Line::Failures | Line::Successes | Line::Totals(_) | Line::Running(..) => {
                self.leave_unresolved(pending, out)?;
                self.result_line(content, raw, out)
            }
            _ => {
                pending.line(content, raw, out)?;
                self.pending = Some(pending);
                Ok(LineStep::Done)
            }
        }
    }

    fn output_line(
        &mut self,
        of: ListKind,
        content: &[u8],
        raw: &[u8],
        out: &mut BinaryOut<'_>,
    ) -> io::Result<LineStep> {
        let is_open = self.failures.is_open();
        if let Some(name) = line::block(content) {
            let name = string(name);
            let is_new = of == ListKind::Failures && !is_open;
            if is_new || self.failures.contains(&name) {
                self.failures.close(1, out)?;
                out.emitter.drop_blanks();
                if !self.failures.contains(&name) {
                    self.unseen_failure(&name, out)?;
                }
                self.failures.open(&name, out)?;
                return Ok(LineStep::Done);
            }
        }
        if is_open && content == of.heading().trim_ascii_end() {
            self.section = Section::MaybeList(of);
        } else if is_open {
            self.failures.push(raw, out)?;
        } else if content == of.heading().trim_ascii_end() {
            out.emitter.drop_blanks();
            self.section = Section::List(of);
        } else if content.is_empty() {
            out.emitter.push_blank();
        } else {
            // It was no section after all, or the results go on.
            self.section = Section::Results;
            return self.result_line(content, raw, out);
        }
        Ok(LineStep::Done)
    }

    fn maybe_list(
        &mut self,
        of: ListKind,
        content: &[u8],
        raw: &[u8],
        out: &mut BinaryOut<'_>,
    ) -> io::Result<LineStep> {
        let is_list = line::listed(content).is_some_and(|name| self.failures.contains(&string(name)));
        if is_list {
            self.failures.close(2, out)?;
            self.section = Section::List(of);
        } else {
            self.failures.push(of.heading(), out)?;
            self.section = Section::Outputs(of);
        }
        self.line(content, raw, out)
    }

    fn list_line(
        &mut self,
        of: ListKind,
        content: &[u8],
        raw: &[u8],
        out: &mut BinaryOut<'_>,
    ) -> io::Result<LineStep> {
        let Some(name) = line::listed(content) else {
            self.section = Section::Results;
            return self.result_line(content, raw, out);
        };
        if of == ListKind::Failures {
            let name = string(name);
            if !self.failures.has_failed(&name) && !self.has_overflown(&name) {
                self.unseen_failure(&name, out)?;
            }
            self.failures.tell_one(&name, out)?;
        }
        Ok(LineStep::Done)
    }

    /// Whether enough tests failed that this one may have been reported at once.
    fn has_overflown(&mut self, name: &str) -> bool {
        self.failures.is_full() && self.failures.contains(name)
    }

    /// A failure that only the list at the end tells, or its output.
    fn unseen_failure(&mut self, name: &str, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let began = self.unresolved.iter().position(|other| other.test.id == name);
        if let Some(at) = began {
            self.unresolved.remove(at);
        }
        let ended = TestEnd { outcome: EndKind::Failed(b""), took: None };
        let test = HeldTest { time: self.since, has_begun: began.is_some(), ..test(name, None) };
        self.fail(Failure::new(test, &ended), out)
    }

    fn fail(&mut self, failure: Failure, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.seen.failed += 1;
        match self.failures.wait(failure) {
            None => Ok(()),
            Some(mut failure) => {
                self.failures.know(&failure.test.id);
                failure.tell(out)
            }
        }
    }

    fn result(&mut self, named: Named<'_>, ended: &TestEnd<'_>, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let name = string(named.name);
        let began = self.unresolved.iter().position(|other| other.test.id == name);
        if let Some(at) = began {
            self.unresolved.remove(at);
        }
        self.last.clear();
        (self.last.runnable, self.last.has_begun) = (true, began.is_some());
        self.last.id.push_str(&name);
        self.last.tags.extend(named.tag.map(str::to_owned));
        self.end_last(ended, out)
    }

    fn resolve(
        &mut self,
        mut pending: Pending,
        ended: &TestEnd<'_>,
        out: &mut BinaryOut<'_>,
    ) -> io::Result<()> {
        pending.flush(out)?;
        self.last = pending.test;
        self.end_last(ended, out)
    }

    /// The last test ended like this.
    fn end_last(&mut self, ended: &TestEnd<'_>, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.last.time = out.now();
        self.since = self.last.time;
        if matches!(ended.outcome, EndKind::Failed(_)) {
            let test = std::mem::take(&mut self.last);
            return self.fail(Failure::new(test, ended), out);
        }
        self.seen.add(ended.outcome);
        self.failures.know(&self.last.id);
        out.end(&mut self.last, ended)
    }

    fn began(
        &mut self,
        named: Named<'_>,
        output: &[u8],
        raw: &[u8],
        out: &mut BinaryOut<'_>,
    ) -> io::Result<()> {
        let mut pending = Pending::new(test(&string(named.name), named.tag), false);
        pending.test.begin_at(self.since, out)?;
        let end = if raw.ends_with(b"\n") { &b"\n"[..] } else { b"" };
        let rest = [output, end].concat();
        pending.line(output, &rest, out)?;
        self.pending = Some(pending);
        Ok(())
    }

    /// A test that takes long: it is running.
    fn slow(&mut self, name: &[u8], took: Duration, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let name = string(name);
        let is_known = |other: &Pending| other.test.id == name;
        if self.unresolved.iter().any(is_known) || self.pending.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        let now = out.now();
        let mut test = test(&name, None);
        test.begin_at(before(now, took).or(now), out)?;
        self.leave_unresolved(Pending::new(test, true), out)
    }

    fn leave_unresolved(&mut self, mut test: Pending, out: &mut BinaryOut<'_>) -> io::Result<()> {
        test.dismiss(out)?;
        test.flush(out)?;
        if self.unresolved.len() >= UNRESOLVED {
            self.unresolved.remove(0).lose(out)?;
        }
        self.unresolved.push(test);
        Ok(())
    }

    /// The last line: what it tells must have been seen.
    fn totals(&mut self, totals: &Totals, out: &mut BinaryOut<'_>) -> io::Result<LineStep> {
        let told = totals.counts;
        self.failures.tell_all(out)?;
        self.resolve_glued(&told, out)?;
        self.resolve_by(&told, out)?;
        let announced = self.expected.unwrap_or_default();
        let wrong = discrepancy(totals.is_ok, &told, &self.seen)
            .or_else(|| unannounced(totals.is_ok, announced, told.total().max(self.seen.total())));
        let wrong = wrong.map(|wrong| {
            let hint = "dots have no names: run without --quiet and --format terse\n";
            if self.has_dots { wrong + hint } else { wrong }
        });
        Ok(LineStep::Ended(totals.is_ok && wrong.is_none(), wrong))
    }

    fn resolve_glued(&mut self, told: &Counts, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let missing = told.without(&self.seen).passed;
        if missing != self.glued.len() as u64 {
            return Ok(());
        }
        for mut test in std::mem::take(&mut self.glued) {
            let ended = TestEnd { outcome: EndKind::Passed, took: test.took };
            self.seen.add(ended.outcome);
            out.end(&mut test, &ended)?;
        }
        Ok(())
    }

    /// Ends the tests whose results were not seen: the totals may tell them.
    fn resolve_by(&mut self, told: &Counts, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let missing = told.without(&self.seen);
        let tests = std::mem::take(&mut self.unresolved);
        let count = tests.len() as u64;
        let all = |outcome| Some(TestEnd { outcome, took: None });
        let ended = match missing.total() {
            0 => all(EndKind::Ignored(b"no result was told of it, and the totals are without it")),
            _ if missing == (Counts { passed: count, ..Counts::default() }) => all(EndKind::Passed),
            _ => None,
        };
        for mut pending in tests {
            match &ended {
                Some(ended) if missing.total() == 0 => {
                    pending.test.time = out.now();
                    out.end(&mut pending.test, ended)?;
                }
                Some(ended) => self.resolve(pending, ended, out)?,
                None => pending.lose(out)?,
            }
        }
        Ok(())
    }

    /// The binary ended, or the stream did, before its last line. Returns what is wrong with it.
    pub(super) fn lose(mut self, out: &mut BinaryOut<'_>) -> io::Result<Option<String>> {
        if matches!(self.section, Section::MaybeList(_)) {
            self.failures.push(b"failures:\n", out)?;
        }
        self.failures.close(0, out)?;
        if let Some(mut pending) = self.pending.take() {
            pending.dismiss(out)?;
            pending.flush(out)?;
            self.unresolved.push(pending);
        }
        self.failures.tell_all(out)?;
        if self.is_own {
            // It has other words than libtest for how a test ended; whether one failed is told by cargo.
            let ended = TestEnd { outcome: EndKind::Ignored(NO_RESULT), took: None };
            for pending in &mut self.unresolved {
                pending.test.time = out.now();
                out.end(&mut pending.test, &ended)?;
            }
            return Ok(None);
        }
        self.unresolved.drain(..).try_for_each(|test| test.lose(out))?;
        let seen = self.seen.total();
        let of = self.expected.map_or_else(String::new, |count| format!(" of {count}"));
        Ok(Some(format!("the tests ended without a line `test result`: {seen}{of} were told\n")))
    }
}
