//! The events of a command line: a status, and files piece by piece.

use std::io::{self, Write};

use process::Interrupt;
use subunit::{Event, Status, Tags, Timestamp};

use super::attachments::Opened;
use crate::batches::Batches;

const BLOCK: usize = 64 * 1024;

/// Writes one status in as many events as it takes: the tags and an interim status in the first, a final status in the
/// last.
pub(super) struct StatusWriter<'a> {
    output: &'a mut dyn Write,
    base: Event<'a>,
    status: Option<Status>,
    tags: &'a [&'a str],
    /// The time of all events; without it, that of the clock.
    time: Option<Timestamp>,
    is_first: bool,
    batches: Batches,
}

impl<'a> StatusWriter<'a> {
    pub(super) fn new(
        output: &'a mut dyn Write,
        base: Event<'a>,
        status: Option<Status>,
        tags: &'a [&'a str],
        time: Option<Timestamp>,
    ) -> Self {
        StatusWriter { output, base, status, tags, time, is_first: true, batches: Batches::default() }
    }

    /// Ends a file whose pieces others wrote.
    pub(super) fn end_of(&mut self, name: &str) -> io::Result<()> {
        self.event(Event { eof: true, ..Event::file(name, b"") }, true)?;
        self.batches.write_all(self.output)
    }

    /// Writes the status, with these files. When interrupted, it leaves out what would say that all is there: the end of
    /// the file and a final status.
    pub(super) fn files(&mut self, files: Vec<Opened>, end: bool, interrupt: &Interrupt) -> io::Result<()> {
        if files.is_empty() {
            self.event(Event::default(), true)?;
        }
        let mut left = files.len();
        for file in files {
            left -= 1;
            self.file(file, end, left == 0, interrupt)?;
            if interrupt.has_come() {
                break;
            }
        }
        self.batches.write_all(self.output)
    }

    fn file(&mut self, file: Opened, end: bool, is_last: bool, interrupt: &Interrupt) -> io::Result<()> {
        let Opened { mut source, name, mime_type } = file;
        let mut held = Held { name, mime_type, block: vec![0; BLOCK], len: None, is_said: false };
        let mut next = vec![0; BLOCK];
        loop {
            let count = source.read(&mut next)?;
            if count == 0 {
                break;
            }
            self.let_go(&mut held)?;
            std::mem::swap(&mut held.block, &mut next);
            held.len = Some(count);
            if source.is_ready() {
                self.batches.write_full(self.output)?;
            } else {
                self.let_go(&mut held)?;
                self.batches.write_all(self.output)?;
            }
        }
        let is_whole = !interrupt.has_come();
        let (ends, is_last) = (end && is_whole, is_last && is_whole);
        let is_final = is_last && self.status.is_some_and(Status::is_final);
        if held.len.is_some() || ends || is_final || (is_whole && !held.is_said) {
            self.piece(&mut held, ends, is_last)?;
        }
        Ok(())
    }

    /// Writes what is held back.
    fn let_go(&mut self, held: &mut Held) -> io::Result<()> {
        if held.len.is_some() { self.piece(held, false, false) } else { Ok(()) }
    }

    fn piece(&mut self, held: &mut Held, eof: bool, is_last: bool) -> io::Result<()> {
        let bytes = held.len.take().and_then(|len| held.block.get(..len)).unwrap_or_default();
        let is_first = !std::mem::replace(&mut held.is_said, true);
        let mime_type = held.mime_type.as_deref().filter(|_| is_first);
        self.event(Event { mime_type, eof, ..Event::file(&held.name, bytes) }, is_last)
    }

    fn event(&mut self, event: Event<'_>, is_last: bool) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let event = Event {
            test_id: self.base.test_id,
            status: self.status.filter(|status| if status.is_final() { is_last } else { is_first }),
            tags: if is_first && !self.tags.is_empty() { Tags::from(self.tags) } else { Tags::default() },
            runnable: self.base.runnable,
            route_code: self.base.route_code,
            timestamp: self.time.or_else(|| Some(Timestamp::now())),
            ..event
        };
        Ok(self.batches.push(&event)?)
    }
}

/// A file on its way. One block of it is held back, because it may be the last.
struct Held {
    name: String,
    mime_type: Option<String>,
    block: Vec<u8>,
    /// How much of the block is held, if anything.
    len: Option<usize>,
    is_said: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(status: Status, expected: [bool; 2]) {
        let mut output = Vec::new();
        let mut writer = StatusWriter::new(
            &mut output,
            Event::default(),
            Some(status),
            &["t"],
            Some(Timestamp::default()),
        );
        let pieces = [Event::file("log", b"a"), Event::file("log", b"b")];
        pieces
            .into_iter()
            .zip([false, true])
            .for_each(|(piece, is_last)| writer.event(piece, is_last).unwrap());
        writer.batches.write_all(writer.output).unwrap();
        let mut found = Vec::new();
        streamresult::drive(
            &*output,
            &mut streamresult::from_fn(|event| {
                found.push((event.status.is_some(), event.tags.contains("t")));
                Ok(())
            }),
        )
        .unwrap();
        assert_eq!(found, [(expected[0], true), (expected[1], false)]);
    }

    #[test]
    fn an_interim_status_comes_first_and_a_final_one_last() {
        check_one(Status::InProgress, [true, false]);
        check_one(Status::Fail, [false, true]);
        check_one(Status::Exists, [false, true]);
    }
}
