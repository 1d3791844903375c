//! The test, as the stream reports it.

use std::io;

use process::Source;
use streamresult::{FLAKY_TAG, attempt_tag};
use subunit::{EncodeError, Event, File, Status, TEXT_TYPE, Tags, Timestamp};

use super::attempt::AttemptEnd;
use super::judgement::Judgement;
use crate::batches::Batches;

/// The test: what has been said about it, and what waits to be written.
#[derive(Debug)]
pub(super) struct Test<'a> {
    id: &'a str,
    route_code: Option<&'a str>,
    /// The tags of the test, then those of this attempt.
    tags: Vec<String>,
    own_tags: usize,
    /// The type of the output.
    mime_type: &'a str,
    /// Whether there may be several attempts.
    has_attempts: bool,
    /// Why each failed attempt failed.
    failed: Vec<String>,
    /// Whether this attempt wrote output, and error output.
    wrote: [bool; 2],
    pub(super) batches: Batches,
}

impl<'a> Test<'a> {
    pub(super) fn new(id: &'a str, route_code: Option<&'a str>, tags: &[String], mime_type: &'a str) -> Self {
        Test {
            id,
            route_code,
            tags: tags.to_vec(),
            own_tags: tags.len(),
            mime_type,
            has_attempts: false,
            failed: Vec::new(),
            wrote: [false; 2],
            batches: Batches::default(),
        }
    }

    /// How many attempts failed before this one.
    pub(super) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// Says that the test begins.
    pub(super) fn begin(&mut self, has_attempts: bool) -> io::Result<()> {
        self.has_attempts = has_attempts;
        self.tag_attempt();
        self.event(Event::status("", Status::InProgress))
    }

    /// Says what the command wrote.
    pub(super) fn wrote(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let at = usize::from(source == Source::Stderr);
        let begun = self.wrote.get_mut(at).is_some_and(|wrote| std::mem::replace(wrote, true));
        let mime_type = if source == Source::Stdout { self.mime_type } else { TEXT_TYPE };
        let name = self.output_name(source);
        self.event(Event {
            file: Some(File { name: &name, bytes }),
            mime_type: (!begun).then_some(mime_type),
            ..Event::default()
        })
    }

    /// Says that the attempt failed, and begins the next one.
    pub(super) fn retry(&mut self, ran: &AttemptEnd, ending: Judgement) -> io::Result<()> {
        self.end_output()?;
        let reason = ending.reason.unwrap_or_default();
        let prefix = format!("{}.", attempt_tag(self.failed.len() + 1));
        self.attach(&format!("{prefix}reason"), TEXT_TYPE, format!("{reason}\n").as_bytes())?;
        self.metrics(ran, &prefix)?;
        self.failed.push(reason);
        self.tag_attempt();
        Ok(())
    }

    /// Says how the test ended.
    pub(super) fn end(&mut self, ran: &AttemptEnd, ending: Judgement) -> io::Result<()> {
        self.end_output()?;
        let reason = self.reason(&ending);
        if !reason.is_empty() {
            self.attach("reason", TEXT_TYPE, reason.as_bytes())?;
        }
        self.metrics(ran, "")?;
        let is_flaky = ending.status == Status::Success && !self.failed.is_empty();
        self.tags.extend(is_flaky.then(|| FLAKY_TAG.to_owned()));
        self.tags.extend(ending.tag.map(str::to_owned));
        self.event(Event::status("", ending.status))
    }

    /// The reason of the last attempt, then those before.
    fn reason(&self, ending: &Judgement) -> String {
        let mut text = String::new();
        if let Some(reason) = &ending.reason {
            text += &format!("{reason}\n");
        } else if !self.failed.is_empty() {
            text += &format!("passed in attempt {}\n", self.failed.len() + 1);
        }
        for (number, reason) in (1..).zip(&self.failed) {
            text += &format!("attempt {number}: {reason}\n");
        }
        text
    }

    fn end_output(&mut self) -> io::Result<()> {
        for (at, source) in [Source::Stdout, Source::Stderr].into_iter().enumerate() {
            if self.wrote.get_mut(at).is_some_and(std::mem::take) {
                let name = self.output_name(source);
                self.event(Event { eof: true, ..Event::file(&name, b"") })?;
            }
        }
        Ok(())
    }

    fn output_name(&self, source: Source) -> String {
        let name = if source == Source::Stdout { "stdout" } else { "stderr" };
        // The first attempt does not know that there will be others.
        match self.failed.len() {
            0 => name.to_owned(),
            failed => format!("{}.{name}", attempt_tag(failed + 1)),
        }
    }

    fn metrics(&mut self, ran: &AttemptEnd, prefix: &str) -> io::Result<()> {
        match ran.metrics() {
            Some(json) => self.attach(&format!("{prefix}metrics.json"), "application/json", json.as_bytes()),
            None => Ok(()),
        }
    }

    fn attach(&mut self, name: &str, mime_type: &str, bytes: &[u8]) -> io::Result<()> {
        self.event(Event { mime_type: Some(mime_type), eof: true, ..Event::file(name, bytes) })
    }

    fn tag_attempt(&mut self) {
        self.tags.truncate(self.own_tags);
        if self.has_attempts {
            self.tags.push(attempt_tag(self.failed.len() + 1));
        }
    }

    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let event = Event {
            test_id: Some(self.id),
            runnable: true,
            tags: if tags.is_empty() { Tags::default() } else { Tags::from(&*tags) },
            route_code: self.route_code,
            timestamp: Some(Timestamp::now()),
            ..event
        };
        self.batches.push(&event).map_err(|error: EncodeError| error.into())
    }
}
