//! The process that checks a target, or stands for one elsewhere: started, followed and ended in time.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use probe::helper::CHECK;
use process::timeouts::CLEANING;
use process::{
    Captured, Cause, ChildInput, Deadline, Ending, Exit, Follow, Interrupt, Sink, Source, Timeouts, Wait,
    last_line,
};
use subunit::{Frame, Packet, PacketBuf, PushReader, Status};
use transport::{NodeCommand, NodeExit, Transport};

/// How much later than its time a process may end by itself.
const TOLERANCE: Duration = Duration::from_millis(400);
/// Bytes of errors, and of what is not subunit, that are kept.
const KEEP: usize = 8 << 10;

/// What is to be started.
#[derive(Debug)]
pub(super) struct Job {
    /// The program with its arguments, at the place of the transport.
    pub(super) command: NodeCommand,
    /// Its name, for people.
    pub(super) called: String,
    pub(super) input: Input,
    /// The ids of the tests to run.
    pub(super) tests: BTreeSet<String>,
    /// When it must have ended.
    pub(super) deadline: Deadline,
}

/// What the process reads.
#[derive(Debug)]
pub(super) enum Input {
    /// The tests to run, one a line.
    Tests,
    /// This, and then nothing for as long as it has to go on: it leads to a process elsewhere, and the end of
    /// its input is the only thing that is sure to come through.
    Request {
        request: Vec<u8>,
        /// Where the other process is.
        place: String,
    },
}

/// How a process ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// What went wrong, if anything.
    pub(super) fault: Option<String>,
    /// Whether it ended because we were asked to.
    pub(super) interrupted: bool,
    /// What it wrote to stderr.
    pub(super) stderr: String,
    /// What it wrote among its results that is not subunit.
    pub(super) damage: Option<Damage>,
}

/// Whatever in a stream is not subunit.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    /// Where it begins and what it is.
    pub(super) words: String,
    /// Its bytes, as text.
    pub(super) text: String,
}

impl Job {
    /// A check here: this program once more.
    pub(super) fn here(
        program: &str,
        check: &'static str,
        args: &[OsString],
        tests: BTreeSet<String>,
        deadline: Deadline,
    ) -> Self {
        let called = format!("check-{check}");
        let mut command = NodeCommand::new(program).called(&called).arg(CHECK).arg(check);
        command.args.extend_from_slice(args);
        Job { command, called, input: Input::Tests, tests, deadline }
    }

    /// Runs it to its end where the transport leads, and hands its packets on.
    pub(super) fn run(
        mut self,
        transport: &dyn Transport,
        interrupt: &Interrupt,
        on_packet: impl FnMut(PacketBuf),
    ) -> Ended {
        let input = self.input.bytes(&self.tests);
        let mut results = Results::new(&mut self.tests, self.deadline, on_packet);
        // When it is late depends on what it told.
        let wait = Wait { deadline: Deadline::NEVER, interrupt };
        let follow = Follow { input: Some(input), ..Follow::new(wait, Timeouts::CHECK) };
        let child = match transport.spawn(&self.command, follow) {
            Ok(child) => child,
            Err(failure) => return Ended::broken(failure.to_string()),
        };
        match child.to_the_end(&mut results) {
            Ok(ending) => {
                results.read(None);
                let exit = transport.exit(&ending.exit);
                results.ended(&self.called, &self.input, &ending, &exit)
            }
            Err(error) => Ended::broken(format!("cannot follow {}: {error}", self.called)),
        }
    }
}

impl Input {
    fn bytes(&self, tests: &BTreeSet<String>) -> ChildInput<'_> {
        match self {
            Input::Tests => {
                let list: String = tests.iter().map(|id| format!("{id}\n")).collect();
                ChildInput::Bytes(list.into_bytes().into())
            }
            Input::Request { request, .. } => ChildInput::Held(request.into()),
        }
    }

    /// Where the process is to which the one that is followed leads; empty for one that leads nowhere else.
    fn place(&self) -> &str {
        match self {
            Input::Tests => "",
            Input::Request { place, .. } => place,
        }
    }
}

impl Ended {
    pub(super) fn broken(fault: String) -> Self {
        Ended { fault: Some(fault), ..Ended::default() }
    }

    /// Adds lines to what it wrote to stderr.
    pub(super) fn add_errors(&mut self, lines: &[String]) {
        let all = self.stderr.lines().map(str::to_owned).chain(lines.iter().cloned());
        self.stderr = all.collect::<Vec<_>>().join("\n");
    }

    /// What the check itself had to say beside its results; the way there may say more.
    pub(super) fn notes(&self) -> impl Iterator<Item = &str> {
        self.stderr.lines().filter(|line| line.starts_with("check-"))
    }
}

/// What a process has reported.
struct Results<'a, F> {
    stream: PushReader,
    errors: Captured,
    damage: Option<(String, Captured)>,
    /// The tests that have no result yet.
    unended: &'a mut BTreeSet<String>,
    /// When it is late; and when it is where all is told, and only what was made is still being removed.
    late: [Deadline; 2],
    on_packet: F,
}

impl<F: FnMut(PacketBuf)> Sink for Results<'_, F> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        if source == Source::Stderr {
            self.errors.push(bytes);
            return Ok(());
        }
        self.read(Some(bytes));
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.late[usize::from(self.unended.is_empty())]
    }
}

impl<'a, F: FnMut(PacketBuf)> Results<'a, F> {
    fn new(tests: &'a mut BTreeSet<String>, deadline: Deadline, on_packet: F) -> Self {
        let left = deadline.remaining().unwrap_or(Duration::MAX).saturating_add(TOLERANCE);
        Results {
            stream: PushReader::default(),
            errors: Captured::new(KEEP),
            damage: None,
            unended: tests,
            late: [left, left.saturating_add(CLEANING)].map(Deadline::after),
            on_packet,
        }
    }

    /// Reads the next bytes of the stream, or what is left at its end.
    fn read(&mut self, bytes: Option<&[u8]>) {
        let Results { stream, damage, unended, on_packet, .. } = self;
        let take = |frame: Frame<'_>, offset: u64| {
            let (words, bytes) = match frame {
                Frame::Packet(packet) => {
                    note(&packet, unended);
                    on_packet(packet.to_owned());
                    return Ok::<(), Infallible>(());
                }
                Frame::Text(bytes) => ("text".to_owned(), bytes),
                Frame::Corrupt(bytes, error) => (error.to_string(), bytes),
            };
            let new = || (format!("at byte {offset}: {words}"), Captured::new(KEEP));
            damage.get_or_insert_with(new).1.push(bytes);
            Ok(())
        };
        let Ok(()) = match bytes {
            Some(bytes) => stream.push(bytes, take),
            None => stream.end(take),
        };
    }

    fn ended(&self, called: &str, input: &Input, ending: &Ending, exit: &NodeExit) -> Ended {
        let stderr = self.errors.text().trim_end().to_owned();
        let place = input.place();
        let fault = match (ending.cause, exit) {
            (Cause::Stopped | Cause::TimedOut, _) => {
                let state = ending.asked.as_ref().map(|asked| asked.state.summary()).unwrap_or_default();
                Some(format!("{called} did not end in its time and was ended: {state}"))
            }
            (_, NodeExit::Process(Exit::Exited(0 | 1 | 4))) => None,
            (_, NodeExit::NotStarted) => {
                let said = self.damage.as_ref().map(|(_, kept)| kept.text()).unwrap_or_default();
                let said =
                    [stderr.as_str(), said.as_str()].into_iter().find_map(last_line).unwrap_or_default();
                Some(format!("{place} does not run the program: {said}"))
            }
            (_, NodeExit::Lost) => {
                let words =
                    last_line(&stderr).unwrap_or("without a word: the check may have been killed there");
                Some(format!("the connection to {place} was lost: {words}"))
            }
            (cause, NodeExit::Process(exit)) => Self::fault(called, cause, exit, &stderr),
        };
        let damage = self.damage.as_ref();
        let damage = damage.map(|(words, kept)| Damage { words: words.clone(), text: kept.text() });
        Ended { fault, interrupted: ending.cause == Cause::Interrupted, stderr, damage }
    }

    /// What is wrong with how the check itself ended.
    fn fault(called: &str, cause: Cause, exit: &Exit, stderr: &str) -> Option<String> {
        match (cause, exit) {
            (Cause::Interrupted, Exit::Exited(129 | 130 | 143)) => None,
            (Cause::Interrupted, Exit::Signalled { signal: 9, .. }) => {
                Some(format!("{called} was asked to end, did not, and was killed"))
            }
            (_, exit) => {
                let line = stderr.lines().next_back().unwrap_or_default();
                let colon = if line.is_empty() { "" } else { ": " };
                Some(format!("{called} ended by {exit}{colon}{line}"))
            }
        }
    }
}

/// Notes a result.
fn note(packet: &Packet<'_>, unended: &mut BTreeSet<String>) {
    let is_result = |status: Status| status.is_final() && status != Status::Exists;
    let id = packet.test_id().filter(|_| packet.status().is_some_and(is_result));
    if let Some(id) = id {
        unended.remove(id);
    }
}
