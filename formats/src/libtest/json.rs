//! The tests of binaries that write JSON, and what nextest says of several at once.

use std::collections::HashMap;
use std::io;

use streamresult::StreamResult;
use subunit::{Event, Status, Timestamp};

use super::counts::{Counts, discrepancy, unannounced};
use super::emit::{BinaryOut, ERROR, Emitter, OUTPUT, string, suite_id, test};
use super::line::{EndKind, TestEnd};
use super::message::{Message, NextestName, Text};
use super::names::{self, Names};
use super::pending::NO_RESULT;
use super::reason::reason;
use crate::held::{HeldTest, before, text_file};

/// At most this many binaries run at once, with at most this many tests each; and as many are known by name.
const OPEN: usize = 1024;
const TESTS: usize = 10_000;
const KNOWN: usize = 10_000;

/// The binaries that run.
#[derive(Clone, Debug, Default)]
pub(super) struct Json {
    suites: Vec<Suite>,
    /// What stands before the names of the tests of nextest's binaries: the first kind of binary decides that
    /// has a name, since the tests of others of that name are not told apart.
    prefixes: HashMap<String, String>,
    /// The key of the binary that runs and was not named when it began.
    alone: Option<String>,
    /// The test that began last, if that was not told yet: its result may be next and tell when.
    held: Option<(usize, String)>,
}

/// A binary.
#[derive(Clone, Debug, Default)]
struct Suite {
    /// nextest's name of the binary; empty when it has none.
    key: String,
    prefix: String,
    seen: Counts,
    told: Counts,
    expected: u64,
    is_ok: bool,
    /// How many of this name began and did not end.
    open: u64,
    /// The tests that run.
    tests: Vec<HeldTest>,
}

impl Suite {
    fn out<'a>(&'a self, emitter: &'a mut Emitter, sink: &'a mut dyn StreamResult) -> BinaryOut<'a> {
        BinaryOut { prefix: &self.prefix, emitter, sink }
    }

    fn is_nextests(&self) -> bool {
        !self.key.is_empty()
    }

    fn take(&mut self, name: &str) -> Option<HeldTest> {
        let at = self.tests.iter().position(|test| test.id == name)?;
        Some(self.tests.swap_remove(at))
    }
}

/// What the end of a binary means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageStep {
    /// It was not one of these messages after all.
    No,
    Done,
    /// A binary ended, well or not.
    Ended(bool),
}

impl Json {
    /// Whether a binary runs that writes JSON.
    pub(super) fn is_open(&self) -> bool {
        self.suites.iter().any(|suite| suite.open > 0)
    }

    /// Reports what was held back to see what comes next.
    pub(super) fn flush(&mut self, emitter: &mut Emitter, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some((at, name)) = self.held.take() else { return Ok(()) };
        let Some(suite) = self.suites.get_mut(at) else { return Ok(()) };
        let mut test = test(&name, None);
        test.began = emitter.now();
        test.begin(&mut suite.out(emitter, sink))?;
        if suite.tests.len() < TESTS {
            suite.tests.push(test);
        }
        Ok(())
    }

    pub(super) fn message(
        &mut self,
        message: &Message<'_>,
        names: &mut Names,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<MessageStep> {
        let event = message.event.as_deref().unwrap_or_default();
        match (&*message.kind, event, &message.name) {
            ("suite", "started", _) => self.begin(message, names, (emitter, sink))?,
            ("suite", "ok" | "failed", _) => return self.end(message, event == "ok", names, (emitter, sink)),
            ("suite", "discovery" | "completed", _) => {}
            ("test", "discovered", Some(name)) => {
                let name = &string(name.as_bytes());
                let event = Event::status(name, Status::Exists);
                BinaryOut { prefix: names.current(), emitter, sink }.status(&event)?;
            }
            ("bench", ..) | ("test", "started" | "ok" | "failed" | "ignored", _) => {
                let Some(name) = &message.name else { return Ok(MessageStep::No) };
                self.test(message, (name, event), names, (emitter, sink))?;
            }
            // It was told that it runs.
            ("test", "timeout", Some(_)) => self.flush(emitter, sink)?,
            _ => return Ok(MessageStep::No),
        }
        Ok(MessageStep::Done)
    }

    fn begin(
        &mut self,
        message: &Message<'_>,
        names: &mut Names,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<()> {
        self.flush(emitter, sink)?;
        let key = key_of(message);
        if let (Some(nextest), Some(key)) = (&message.nextest, &key) {
            let kind = nextest.kind.as_deref();
            let prefix = names::of_nextest(&nextest.package, &nextest.test_binary, kind);
            if self.prefixes.len() < KNOWN {
                self.prefixes.entry(key.clone()).or_insert(prefix);
            }
        } else if let Some(at) = self.alone.take().and_then(|key| self.place(&key)) {
            // One that was not named runs alone: the last one is over.
            self.suites.swap_remove(at).lose_and_report(emitter, sink)?;
        }
        let key = key.unwrap_or_else(|| self.alone.insert(String::new()).clone());
        let at = self.enter(&key, names, (emitter, sink))?;
        let Some(suite) = self.suites.get_mut(at) else { return Ok(()) };
        suite.open += 1;
        suite.expected = suite.expected.saturating_add(message.test_count.unwrap_or_default());
        Ok(())
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.suites.iter().position(|suite| suite.key == key)
    }

    /// Where the binary with this key is; it is entered when it is not there.
    fn enter(
        &mut self,
        key: &str,
        names: &mut Names,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<usize> {
        if let Some(at) = self.place(key) {
            return Ok(at);
        }
        self.flush(emitter, sink)?;
        if self.suites.len() >= OPEN {
            self.suites.remove(0).lose_and_report(emitter, sink)?;
        }
        let prefix = if key.is_empty() { names.begin_tests().to_owned() } else { self.prefix(key) };
        self.suites.push(Suite { key: key.to_owned(), prefix, is_ok: true, ..Suite::default() });
        Ok(self.suites.len() - 1)
    }

    fn prefix(&self, key: &str) -> String {
        let (package, binary) = key.split_once("::").unwrap_or((key, key));
        let known = self.prefixes.get(key).cloned();
        known.unwrap_or_else(|| names::of_nextest(package, binary, None))
    }

    /// The first test of a binary that was not named when it began names it.
    fn name_alone(&mut self, key: &str) {
        let is_new = |suite: &Suite| suite.tests.is_empty() && suite.seen.total() == 0;
        let at = self.place("").filter(|at| self.suites.get(*at).is_some_and(is_new));
        let Some(at) = at.filter(|_| self.alone.as_deref() == Some("")) else { return };
        self.alone = Some(key.to_owned());
        match self.place(key) {
            // It is one that ended before all of its tests did.
            Some(before) => {
                let Suite { open, expected, .. } = self.suites.swap_remove(at);
                // It was the last of the list, or is what took the place of the removed one.
                let before = if before == self.suites.len() { at } else { before };
                if let Some(suite) = self.suites.get_mut(before) {
                    suite.open += open;
                    suite.expected = suite.expected.saturating_add(expected);
                }
            }
            None => {
                let prefix = self.prefix(key);
                if let Some(suite) = self.suites.get_mut(at) {
                    key.clone_into(&mut suite.key);
                    suite.prefix = prefix;
                }
            }
        }
    }

    fn test(
        &mut self,
        message: &Message<'_>,
        (name, event): (&str, &str),
        names: &mut Names,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<()> {
        let nextest = NextestName::parse(name.trim_ascii_start());
        let name = string(nextest.map_or(name.trim_ascii_start(), |name| name.test).as_bytes());
        let key = nextest.map_or("", |name| name.binary);
        if nextest.is_some() {
            self.flush_other(&name, (emitter, sink))?;
            self.name_alone(key);
        }
        let at = self.enter(key, names, (emitter, sink))?;
        let is_held = self.held.as_ref().is_some_and(|held| held.0 == at && held.1 == name);
        if !is_held || event == "started" {
            self.flush(emitter, sink)?;
        }
        if event == "started" {
            self.held = Some((at, name.into_owned()));
            return Ok(());
        }
        let is_held = self.held.take().is_some();
        let Some(suite) = self.suites.get_mut(at) else { return Ok(()) };
        if key.is_empty() {
            // A test of a binary that never began: its end is due.
            suite.open = suite.open.max(1);
        }
        let figures = if &*message.kind == "bench" { message.figures() } else { String::new() };
        let outcome = outcome(message, event, &figures);
        suite.seen.add(outcome);
        let known = suite.take(&name);
        let attempt = nextest.and_then(|name| name.attempt).map(|attempt| format!("attempt-{attempt}"));
        let mut out = BinaryOut { prefix: &suite.prefix, emitter, sink };
        let (now, took) = (out.now(), message.took());
        let mut test = match known {
            Some(test) => HeldTest { time: after(test.began, took).or(now), ..test },
            None => {
                let is_running = is_held && !matches!(outcome, EndKind::Ignored(_));
                let began = took.and_then(|took| before(now, took)).or(now.filter(|_| is_running));
                let mut test = HeldTest { time: now, began, ..test(&name, None) };
                if began.is_some() || is_running {
                    test.begin_at(began, &mut out)?;
                }
                test
            }
        };
        test.has_begun = true;
        test.tags.extend(attempt);
        files(message, &test, &mut out)?;
        out.end(&mut test, &TestEnd { outcome, took: None })
    }

    /// Reports a test that began, unless it is this one.
    fn flush_other(
        &mut self,
        name: &str,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<()> {
        match &self.held {
            Some(held) if held.1 != name => self.flush(emitter, sink),
            _ => Ok(()),
        }
    }

    fn end(
        &mut self,
        message: &Message<'_>,
        is_ok: bool,
        names: &mut Names,
        (emitter, sink): (&mut Emitter, &mut dyn StreamResult),
    ) -> io::Result<MessageStep> {
        let Some(told) = message.counts() else { return Ok(MessageStep::No) };
        self.flush(emitter, sink)?;
        let key = key_of(message).or_else(|| self.alone.take()).unwrap_or_default();
        let at = self.enter(&key, names, (emitter, sink))?;
        let Some(suite) = self.suites.get_mut(at) else { return Ok(MessageStep::Done) };
        suite.open = suite.open.saturating_sub(1);
        suite.told = suite.told.and(&told);
        suite.is_ok &= is_ok;
        if suite.open > 0 {
            return Ok(MessageStep::Done);
        }
        let wrong = suite.wrong().or_else(|| suite.unannounced(message.filtered_out()));
        let is_green = suite.is_ok && wrong.is_none();
        if let Some(wrong) = wrong {
            emitter.fail(&suite_id(&suite.prefix), Some((ERROR, wrong.as_bytes())), sink)?;
        }
        if suite.is_nextests() {
            // It may end before all of its tests do, and begin again.
            suite.is_ok = true;
            suite.told = Counts { ignored: suite.told.ignored, ..Counts::default() };
            suite.seen = Counts { ignored: suite.seen.ignored, ..Counts::default() };
        } else {
            self.suites.swap_remove(at).lose_tests(emitter, sink)?;
        }
        Ok(MessageStep::Ended(is_green))
    }

    /// The stream ended, or the binary did: what is open never ends. Returns what is wrong with which binary.
    pub(super) fn lose(
        &mut self,
        emitter: &mut Emitter,
        sink: &mut dyn StreamResult,
    ) -> io::Result<Vec<(String, String)>> {
        self.flush(emitter, sink)?;
        self.alone = None;
        let mut wrong = Vec::new();
        for suite in std::mem::take(&mut self.suites) {
            wrong.extend(suite.lose(emitter, sink)?);
        }
        Ok(wrong)
    }
}

impl Suite {
    /// What is wrong with the totals.
    fn wrong(&self) -> Option<String> {
        let mut told = self.told;
        if self.is_nextests() {
            // These are of the binary, not of its run.
            told.ignored = 0;
        }
        discrepancy(self.is_ok, &told, &self.seen)
    }

    /// What is wrong with the number of tests that was announced. Some count those that were filtered out; nextest's
    /// binaries may end before all of their tests do.
    fn unannounced(&self, filtered_out: u64) -> Option<String> {
        let told = self.told.total().max(self.seen.total()).saturating_add(filtered_out);
        unannounced(self.is_ok && !self.is_nextests(), self.expected, told)
    }

    /// It never ends. Returns what is wrong with it.
    fn lose(
        mut self,
        emitter: &mut Emitter,
        sink: &mut dyn StreamResult,
    ) -> io::Result<Option<(String, String)>> {
        let ignored = self.told.ignored.saturating_sub(self.seen.ignored);
        if self.open == 0 && self.tests.len() as u64 <= ignored {
            self.skip_tests(emitter, sink)?;
            return Ok(None);
        }
        self.lose_tests(emitter, sink)?;
        let (seen, expected) = (self.seen.total(), self.expected);
        let message = format!("the tests ended without their totals: {seen} of {expected} were told\n");
        Ok((self.open > 0).then(|| (suite_id(&self.prefix).into_owned(), message)))
    }

    fn lose_and_report(self, emitter: &mut Emitter, sink: &mut dyn StreamResult) -> io::Result<()> {
        match self.lose(emitter, sink)? {
            Some((id, wrong)) => emitter.fail(&id, Some((ERROR, wrong.as_bytes())), sink),
            None => Ok(()),
        }
    }

    fn lose_tests(&mut self, emitter: &mut Emitter, sink: &mut dyn StreamResult) -> io::Result<()> {
        let ended = TestEnd { outcome: EndKind::Failed(NO_RESULT), took: None };
        self.end_tests(&ended, emitter, sink)
    }

    /// nextest says of ignored tests that they began, and may say nothing more.
    fn skip_tests(&mut self, emitter: &mut Emitter, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_tests(&TestEnd { outcome: EndKind::Ignored(b""), took: None }, emitter, sink)
    }

    fn end_tests(
        &mut self,
        ended: &TestEnd<'_>,
        emitter: &mut Emitter,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let mut tests = std::mem::take(&mut self.tests);
        let mut out = self.out(emitter, sink);
        tests.iter_mut().try_for_each(|test| {
            test.time = out.now();
            out.end(test, ended)
        })
    }
}

/// nextest's name of the binary that a message is about.
fn key_of(message: &Message<'_>) -> Option<String> {
    let nextest = message.nextest.as_ref()?;
    Some(format!("{}::{}", &*nextest.package, &*nextest.test_binary))
}

fn outcome<'a>(message: &'a Message<'_>, event: &str, figures: &'a str) -> EndKind<'a> {
    fn words<'a>(text: &'a Option<Text<'_>>) -> &'a [u8] {
        text.as_deref().unwrap_or_default().as_bytes()
    }
    match (&*message.kind, event) {
        ("bench", _) => EndKind::Measured(figures.as_bytes()),
        (_, "ok") => EndKind::Passed,
        (_, "ignored") => EndKind::Ignored(words(&message.message)),
        _ => {
            let output = || reason(words(&message.stdout)).unwrap_or_default();
            let told =
                [words(&message.message), words(&message.reason)].into_iter().find(|text| !text.is_empty());
            EndKind::Failed(told.unwrap_or_else(output))
        }
    }
}

fn after(began: Option<Timestamp>, took: Option<std::time::Duration>) -> Option<Timestamp> {
    Timestamp::from_epoch(began?.since_epoch().checked_add(took?)?)
}

/// What the test wrote.
fn files(message: &Message<'_>, test: &HeldTest, out: &mut BinaryOut<'_>) -> io::Result<()> {
    for (name, text) in [(OUTPUT, &message.stdout), ("stderr", &message.stderr)] {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            let Event { file, mime_type, eof, .. } = text_file(name, text.as_bytes());
            out.status(&Event { file, mime_type, eof, ..test.event() })?;
        }
    }
    Ok(())
}
