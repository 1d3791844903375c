//! What is told of a command that is led, and how that comes from afar.

use std::time::Duration;

use process::{Cause, Ending, Exit, ProcState, Source};
use serde::{Deserialize, Serialize};
use subunit::{Event, Frame, PacketBuf, PushReader};

/// The names of files, without a test id, by which a far end reports.
const STDOUT: &str = "subunit-led.stdout";
const STDERR: &str = "subunit-led.stderr";
const STARTED: &str = "subunit-led.started";
const ENDED: &str = "subunit-led.ended";
/// What of an output is in one packet, at most.
const PIECE: usize = 64 << 10;

/// What is told of a command that is led, in its order; the end comes once, and last.
#[derive(Clone, Debug)]
pub enum Told {
    /// It runs, as this process of its node.
    Started(u32),
    /// It wrote this.
    Wrote(Source, Vec<u8>),
    /// It has ended, and nothing of it is left.
    Ended(LedEnd),
    /// The way to it broke, for this reason, or it was not started. What leads it there ends it.
    Lost(String),
}

/// Who is told.
pub type Heard = Box<dyn FnMut(Told) + Send>;

/// How a command that was led has ended.
#[derive(Clone, Debug)]
pub struct LedEnd {
    /// How its process ended.
    pub exit: Exit,
    /// Why.
    pub cause: Cause,
    /// Whether it was told to stop before.
    pub was_stopped: bool,
    /// From its start to its end.
    pub elapsed: Duration,
    /// What it left running, each by its number and name. It has been ended.
    pub left: Vec<String>,
}

impl LedEnd {
    /// Whether it ended by itself, with exit code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.cause == Cause::Itself && self.exit.success()
    }
}

impl From<Ending> for LedEnd {
    fn from(ending: Ending) -> Self {
        let Ending { exit, cause, elapsed, left, .. } = ending;
        LedEnd { exit, cause, was_stopped: false, elapsed, left }
    }
}

/// An end, as it is sent.
#[derive(Serialize, Deserialize)]
struct Sent {
    code: Option<i32>,
    signal: Option<i32>,
    core: bool,
    process: u32,
    cause: String,
    was_stopped: bool,
    elapsed: Duration,
    left: Vec<String>,
}

impl From<&LedEnd> for Sent {
    fn from(end: &LedEnd) -> Self {
        let (code, signal, core, process) = match &end.exit {
            Exit::Exited(code) => (Some(*code), None, false, 0),
            Exit::Signalled { signal, core } => (None, Some(*signal), *core, 0),
            Exit::Abandoned(state) => (None, None, false, state.pid),
        };
        let (cause, was_stopped) = (format!("{:?}", end.cause), end.was_stopped);
        Sent { code, signal, core, process, cause, was_stopped, elapsed: end.elapsed, left: end.left.clone() }
    }
}

impl From<Sent> for LedEnd {
    fn from(sent: Sent) -> Self {
        let exit = match (sent.code, sent.signal) {
            (Some(code), _) => Exit::Exited(code),
            (None, Some(signal)) => Exit::Signalled { signal, core: sent.core },
            (None, None) => Exit::Abandoned(ProcState { pid: sent.process, state: None, parts: Vec::new() }),
        };
        let causes = [Cause::TimedOut, Cause::Stopped, Cause::Interrupted];
        let cause = causes.into_iter().find(|cause| format!("{cause:?}") == sent.cause);
        let (was_stopped, elapsed) = (sent.was_stopped, sent.elapsed);
        LedEnd { exit, cause: cause.unwrap_or(Cause::Itself), was_stopped, elapsed, left: sent.left }
    }
}

impl Told {
    /// As packets.
    pub(super) fn packet(&self) -> Vec<u8> {
        match self {
            Told::Started(process) => packet(STARTED, process.to_string().as_bytes()),
            Told::Wrote(source, bytes) => {
                let name = if *source == Source::Stdout { STDOUT } else { STDERR };
                bytes.chunks(PIECE).flat_map(|piece| packet(name, piece)).collect()
            }
            Told::Ended(end) => packet(ENDED, &serde_json::to_vec(&Sent::from(end)).unwrap_or_default()),
            Told::Lost(_) => Vec::new(),
        }
    }

    fn of(name: &str, bytes: &[u8]) -> Option<Self> {
        match name {
            STDOUT => Some(Told::Wrote(Source::Stdout, bytes.to_vec())),
            STDERR => Some(Told::Wrote(Source::Stderr, bytes.to_vec())),
            STARTED => std::str::from_utf8(bytes).ok()?.parse().ok().map(Told::Started),
            ENDED => serde_json::from_slice::<Sent>(bytes).ok().map(|sent| Told::Ended(sent.into())),
            _ => None,
        }
    }
}

fn packet(name: &str, bytes: &[u8]) -> Vec<u8> {
    let file = Some(subunit::File { name, bytes });
    // A piece is always short enough.
    PacketBuf::encode(&Event { file, ..Event::default() })
        .map(|packet| packet.as_bytes().to_vec())
        .unwrap_or_default()
}

/// Reads what a far end reports.
#[derive(Default)]
pub(crate) struct Reports(PushReader);

impl Reports {
    pub(crate) fn push(&mut self, bytes: &[u8], hear: &mut dyn FnMut(Told)) {
        let taken = self.0.push(bytes, |frame, _| {
            if let Frame::Packet(packet) = frame
                && let Some(file) = packet.file()
                && let Some(told) = Told::of(file.name, file.bytes)
            {
                hear(told);
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = taken;
    }
}
