//! What is said of a task: the test that it is, and the tests that it tells of.

use std::collections::BTreeSet;
use std::io;

use process::Source;
use streamresult::{StreamResult, failure};
use subunit::{Event, File, Status, TEXT_TYPE, Tags, Timestamp, encode_chunks};

use crate::compile::Task;
use crate::file::task::Expect;

/// What a reader of any output calls the test that the command itself would be. Here that is the task's own.
pub(super) const ITSELF: &str = "subunit-task.itself";

/// The test that a task is.
pub(super) struct Test<'a> {
    pub(super) task: &'a Task,
    suffix: String,
    packets: Vec<u8>,
    /// What is kept back of the tests within, because another attempt may follow.
    held: Vec<u8>,
    pub(super) holds: bool,
    /// Counted from one.
    pub(super) attempt: u32,
    wrote: [bool; 2],
    why: Vec<String>,
    running: BTreeSet<String>,
    pub(super) failed: Vec<String>,
    pub(super) total: usize,
    on_packets: &'a mut dyn FnMut(Vec<u8>),
}

impl<'a> Test<'a> {
    pub(super) fn new(task: &'a Task, on_packets: &'a mut dyn FnMut(Vec<u8>)) -> Self {
        Test {
            suffix: Task::suffix(&task.params),
            task,
            packets: Vec::new(),
            held: Vec::new(),
            holds: false,
            attempt: 1,
            wrote: [false; 2],
            why: Vec::new(),
            running: BTreeSet::new(),
            failed: Vec::new(),
            total: 0,
            on_packets,
        }
    }

    pub(super) fn hand_on(&mut self) {
        if !self.packets.is_empty() {
            (self.on_packets)(std::mem::take(&mut self.packets));
        }
    }

    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.own(Event::status("", Status::InProgress), &[])?;
        self.hand_on();
        Ok(())
    }

    /// Says what the task wrote.
    pub(super) fn wrote(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let at = usize::from(source == Source::Stderr);
        let begun = self.wrote.get_mut(at).is_some_and(|wrote| std::mem::replace(wrote, true));
        let name = self.file(if source == Source::Stdout { "stdout" } else { "stderr" });
        let mime_type = (!begun).then_some(TEXT_TYPE);
        self.own(Event { file: Some(File { name: &name, bytes }), mime_type, ..Event::default() }, &[])
    }

    /// What it leaves unsaid of the tests within: those that ran when it ended have failed.
    pub(super) fn close_running(&mut self) -> io::Result<()> {
        for id in std::mem::take(&mut self.running) {
            let why = format!("it was running when the task {} ended\n", self.task.id);
            self.within(&id, &failure("", &why))?;
        }
        Ok(())
    }

    /// Says that an attempt failed, of whose tests nothing else is said, and begins the next one.
    pub(super) fn retry(&mut self, reasons: &[String], numbers: Option<&str>) -> io::Result<()> {
        self.end_output()?;
        let name = format!("attempt-{}.", self.attempt);
        self.attach(&format!("{name}reason"), TEXT_TYPE, &lines(reasons))?;
        if let Some(numbers) = numbers {
            self.attach(&format!("{name}metrics.json"), "application/json", numbers)?;
        }
        self.why.push(reasons.first().cloned().unwrap_or_default());
        self.held.clear();
        self.failed.clear();
        self.total = 0;
        self.attempt += 1;
        self.hand_on();
        Ok(())
    }

    /// Lets go of what was kept back: no other attempt follows.
    pub(super) fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.packets.extend(held);
    }

    /// Says how it ended.
    pub(super) fn end(
        &mut self,
        status: Status,
        reasons: &[String],
        tags: &[&str],
        numbers: Option<&str>,
    ) -> io::Result<()> {
        self.end_output()?;
        let mut reasons = reasons.to_vec();
        let is_flaky = self.attempt > 1 && status == Status::Success;
        if is_flaky {
            reasons.push(format!("passed in attempt {}", self.attempt));
        }
        reasons.extend((1..).zip(&self.why).map(|(number, why)| format!("attempt {number}: {why}")));
        if !reasons.is_empty() {
            self.attach("reason", TEXT_TYPE, &lines(&reasons))?;
        }
        if let Some(numbers) = numbers {
            self.attach("metrics.json", "application/json", numbers)?;
        }
        let flaky = is_flaky.then_some("flaky");
        let tags: Vec<&str> = tags.iter().copied().chain(flaky).collect();
        self.own(Event::status("", status), &tags)?;
        self.hand_on();
        Ok(())
    }

    fn end_output(&mut self) -> io::Result<()> {
        for (at, name) in ["stdout", "stderr"].into_iter().enumerate() {
            if self.wrote.get_mut(at).is_some_and(std::mem::take) {
                let name = self.file(name);
                self.own(Event { eof: true, ..Event::file(&name, b"") }, &[])?;
            }
        }
        Ok(())
    }

    /// What a file of this attempt is called; the first one does not know that there will be others.
    fn file(&self, name: &str) -> String {
        if self.attempt == 1 { name.to_owned() } else { format!("attempt-{}.{name}", self.attempt) }
    }

    fn attach(&mut self, name: &str, mime_type: &str, text: &str) -> io::Result<()> {
        let event = Event { mime_type: Some(mime_type), eof: true, ..Event::file(name, text.as_bytes()) };
        self.own(event, &[])
    }

    /// Says something of the test that the task is.
    fn own(&mut self, event: Event<'_>, tags: &[&str]) -> io::Result<()> {
        let attempt = format!("attempt-{}", self.attempt);
        let attempt = (self.task.table.retries > 0).then_some(attempt.as_str());
        let tags: Vec<&str> = attempt.into_iter().chain(tags.iter().copied()).collect();
        let tags = if tags.is_empty() { Tags::default() } else { Tags::from(&*tags) };
        let timestamp = Some(Timestamp::now());
        let event = Event { test_id: Some(&self.task.id), tags, timestamp, runnable: true, ..event };
        Ok(encode_chunks(&event, &mut self.packets)?)
    }

    /// Says something of a test within, by its whole id.
    fn within(&mut self, id: &str, event: &Event<'_>) -> io::Result<()> {
        let status = event.status.map(|status| self.count(id, status));
        let timestamp = event.timestamp.or_else(|| Some(Timestamp::now()));
        let event = Event { test_id: Some(id), status, timestamp, ..*event };
        Ok(encode_chunks(&event, if self.holds { &mut self.held } else { &mut self.packets })?)
    }

    /// Counts a status, and says what it comes to where failing is expected.
    fn count(&mut self, id: &str, status: Status) -> Status {
        match status {
            Status::Exists => return status,
            Status::InProgress => {
                self.running.insert(id.to_owned());
                return status;
            }
            _ => {}
        }
        self.running.remove(id);
        self.total += 1;
        if !status.is_failure() {
            return status;
        }
        self.failed.push(id.to_owned());
        if self.task.table.expect == Expect::Pass { status } else { Status::XFail }
    }
}

impl StreamResult for Test<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        match (event.test_id, &event.file) {
            (Some(ITSELF), _) => Ok(()),
            (Some(id), _) => {
                let id = format!("{}{id}{}", self.task.table.prefix, self.suffix);
                self.within(&id, event)
            }
            (None, Some(file)) if event.route_code.is_none() && file.name == "stdout" => {
                self.wrote(Source::Stdout, file.bytes)
            }
            (None, _) => Ok(encode_chunks(event, &mut self.packets)?),
        }
    }
}

fn lines(reasons: &[String]) -> String {
    reasons.iter().map(|reason| format!("{reason}\n")).collect()
}
