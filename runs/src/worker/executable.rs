//! One executable, from its start to its end.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use process::{Cause, Deadline, Ending, Exit, Follow, Interrupt, Sink, Source, Timeouts, Wait};
use subunit::io::Writer;
use subunit::{Event, File, Status, TEXT_TYPE, Tags};

use super::at_this_time;

/// The exit code of a skip.
const SKIP: i32 = 77;

/// Runs a test, and says what becomes of it. When a signal comes it is left unfinished.
pub(super) fn run(
    id: &str,
    path: &Path,
    output: &mut Writer<impl Write>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    output.write(&at_this_time(Event::status(id, Status::InProgress)))?;
    output.flush()?;
    let follow = Follow {
        finds_leaks: true,
        ..Follow::new(Wait { deadline: Deadline::NEVER, interrupt }, Timeouts::COMMAND)
    };
    let child = match follow.start(Command::new(path).stdin(Stdio::null())) {
        Ok(child) => child,
        Err(error) => return fail(id, &format!("cannot start it: {error}\n"), None, output),
    };
    let ending = child.to_the_end(&mut Recorder { id, output })?;
    judge(id, &ending, output)
}

fn judge(id: &str, ending: &Ending, output: &mut Writer<impl Write>) -> io::Result<()> {
    match (ending.cause, &ending.exit) {
        (Cause::Interrupted, _) => Ok(()),
        (_, Exit::Exited(0 | SKIP)) if !ending.left.is_empty() => {
            let reason =
                format!("still running 100 ms after its end, and ended: {}\n", ending.left.join(", "));
            fail(id, &reason, Some("leaked"), output)
        }
        (_, Exit::Exited(0)) => output.write(&at_this_time(Event::status(id, Status::Success))),
        (_, Exit::Exited(SKIP)) => output.write(&at_this_time(Event::status(id, Status::Skip))),
        (_, exit) => fail(id, &format!("{exit}\n"), None, output),
    }
}

fn fail(id: &str, reason: &str, tag: Option<&str>, output: &mut Writer<impl Write>) -> io::Result<()> {
    let tags: Vec<&str> = tag.into_iter().collect();
    let event =
        Event { runnable: true, tags: Tags::from(tags.as_slice()), ..streamresult::failure(id, reason) };
    output.write(&at_this_time(event))
}

/// What a test writes becomes its files, as it comes.
struct Recorder<'a, W: Write> {
    id: &'a str,
    output: &'a mut Writer<W>,
}

impl<W: Write> Sink for Recorder<'_, W> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let name = if source == Source::Stdout { "stdout" } else { "stderr" };
        let file = Some(File { name, bytes });
        let event = Event { test_id: Some(self.id), file, mime_type: Some(TEXT_TYPE), ..Event::default() };
        self.output.write(&at_this_time(event))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
