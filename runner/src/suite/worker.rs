//! A worker: one process that runs a batch of tests, from its start to its end.

use std::collections::HashMap;
use std::io::{self, PipeReader};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use formats::human::show_duration;
use process::{Captured, Cause, Deadline, Ending, Follow, Interrupt, Sink, Source, Timeouts, Wait};
use streamresult::{StreamResult, TagChange};
use subunit::{Event, Status, TEXT_TYPE, Tags, Timestamp, encode_chunks};
use tempfile::NamedTempFile;

use super::program::Word;
use super::{Limits, Output};

/// How much of what a worker said last is kept for reasons.
const LAST_WORDS: usize = 4096;
/// More than this is handed on, though there is still more to read.
const PIECE: usize = 256 * 1024;

/// What a worker is to do.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) output: Box<dyn Output>,
    /// What it reads, where it is sent ids.
    pub(super) input: Option<PipeReader>,
    /// The file with its ids, which is there as long as the worker is.
    pub(super) _ids: Option<NamedTempFile>,
    /// What stands for it in route codes, and in the tag of its tests where there are several.
    pub(super) number: usize,
    pub(super) is_alone: bool,
    pub(super) limits: Limits,
    /// Ends when nobody wants it any more.
    pub(super) life: Arc<OwnedFd>,
}

/// How a worker ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) ending: io::Result<Ending>,
    /// Why it was made to end.
    pub(super) why: Option<String>,
    /// What it wrote to its error output last.
    pub(super) last_words: String,
    /// How long it took until its first test began, or it was ready for one.
    pub(super) startup: Option<Duration>,
    /// How many results came of tests that it was not sent.
    pub(super) dropped: usize,
    /// Whether it ended before it was told that there is nothing more.
    pub(super) is_early: bool,
}

impl Job {
    /// Runs the worker to its end, and hands on what it says as whole packets.
    pub(super) fn run(mut self, interrupt: &Interrupt, on_packets: &mut dyn FnMut(Vec<u8>)) -> Ended {
        let wait = Wait { deadline: Deadline::NEVER, interrupt };
        let follow = Follow {
            lifeline: Some(self.life.as_fd()),
            finds_leaks: true,
            ..Follow::new(wait, Timeouts::COMMAND)
        };
        let mut listener = Listener {
            output: self.output,
            events: Events {
                route: self.number.to_string(),
                tags: TagChange::new(
                    if self.is_alone { vec![] } else { vec![format!("worker-{}", self.number)] },
                    Vec::<String>::new(),
                ),
                packets: Vec::new(),
                running: HashMap::new(),
                begun: Instant::now(),
                startup: None,
            },
            on_packets,
            limits: self.limits,
            last: Instant::now(),
            last_words: Captured::new(LAST_WORDS),
        };
        if let Some(input) = self.input {
            self.command.stdin(input);
        }
        let started = follow.start(&mut self.command);
        // Its input is the worker's alone.
        drop(self.command);
        let ending = started.and_then(|child| child.to_the_end(&mut listener));
        let why =
            ending.as_ref().ok().filter(|ending| ending.cause == Cause::Stopped).map(|_| listener.why());
        let exit = ending.as_ref().ok().and_then(|ending| match ending.exit {
            process::Exit::Exited(status) if ending.cause == Cause::Itself => Some(status),
            _ => None,
        });
        let told = listener.output.finish(exit, &mut listener.events).and_then(|()| listener.idle());
        Ended {
            ending: told.and(ending),
            why,
            last_words: listener.last_words.text(),
            startup: listener.events.startup,
            dropped: listener.output.dropped(),
            is_early: false,
        }
    }
}

/// Hears a worker.
struct Listener<'a> {
    output: Box<dyn Output>,
    events: Events,
    on_packets: &'a mut dyn FnMut(Vec<u8>),
    limits: Limits,
    /// When it said something last.
    last: Instant,
    last_words: Captured,
}

impl Listener<'_> {
    fn hand_on(&mut self) {
        if !self.events.packets.is_empty() {
            (self.on_packets)(std::mem::take(&mut self.events.packets));
        }
    }

    /// How long the test has been running that has done so for the longest time.
    fn longest(&self) -> Option<Duration> {
        if self.output.is_test() { Some(self.events.begun.elapsed()) } else { self.events.longest() }
    }

    /// Which limit it has gone beyond.
    fn why(&self) -> String {
        let tests = self.limits.test.filter(|limit| self.longest().is_some_and(|took| took >= *limit));
        match (tests, self.limits.idle) {
            (Some(limit), _) => format!("timed out after {}", show_duration(limit)),
            (None, Some(limit)) => format!("nothing came for {}", show_duration(limit)),
            (None, None) => "it was ended".to_owned(),
        }
    }
}

impl Sink for Listener<'_> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        self.last = Instant::now();
        match source {
            Source::Stdout => self.output.feed(bytes, &mut self.events)?,
            Source::Stderr => {
                self.last_words.push(bytes);
                self.events.status(&Event { mime_type: Some(TEXT_TYPE), ..Event::file("stderr", bytes) })?;
            }
        }
        if self.events.packets.len() > PIECE {
            self.hand_on();
        }
        Ok(())
    }

    fn idle(&mut self) -> io::Result<()> {
        self.output.flush(&mut self.events)?;
        self.hand_on();
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        let left = |limit: Option<Duration>, since: Option<Duration>| {
            limit
                .zip(since)
                .map_or(Deadline::NEVER, |(limit, since)| Deadline::after(limit.saturating_sub(since)))
        };
        left(self.limits.test, self.longest()).earlier(left(self.limits.idle, Some(self.last.elapsed())))
    }
}

/// What a worker says, as packets, and what is known of its tests by it.
struct Events {
    route: String,
    tags: TagChange,
    packets: Vec<u8>,
    /// The tests that run, and since when.
    running: HashMap<String, Instant>,
    begun: Instant,
    startup: Option<Duration>,
}

impl Events {
    /// The same, of the tests that it told of.
    fn longest(&self) -> Option<Duration> {
        self.running.values().map(Instant::elapsed).max()
    }

    fn note(&mut self, id: &str, status: Status) {
        if status == Status::InProgress {
            let begun = self.begun;
            self.startup.get_or_insert_with(|| begun.elapsed());
            self.running.insert(id.to_owned(), Instant::now());
        } else if status != Status::Exists {
            self.running.remove(id);
        }
    }
}

impl StreamResult for Events {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let timestamp = event.timestamp.or_else(|| Some(Timestamp::now()));
        let Some(id) = event.test_id else {
            if Word::of(event).is_some() {
                let begun = self.begun;
                self.startup.get_or_insert_with(|| begun.elapsed());
            }
            let route_code =
                event.route_code.map_or_else(|| self.route.clone(), |own| format!("{}/{own}", self.route));
            let event = Event { timestamp, route_code: Some(&route_code), ..*event };
            return Ok(encode_chunks(&event, &mut self.packets)?);
        };
        if let Some(status) = event.status {
            self.note(id, status);
        }
        let tags = self.tags.apply(event.tags);
        let tags = tags.as_deref().map_or(event.tags, Tags::from);
        Ok(encode_chunks(&Event { timestamp, tags, ..*event }, &mut self.packets)?)
    }
}
