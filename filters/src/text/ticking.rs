//! A reader that calls a function at given times while it waits for input.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use subunit::part;

/// Bytes of one read.
const PIECE: usize = 64 << 10;
/// How many reads may be ahead.
const AHEAD: usize = 4;

/// Reads in a thread of its own, and calls a function while it waits: with the present time, for the time when it
/// is to be called next.
///
/// The thread ends with the input, or after a read for which nobody waits any more.
#[derive(Debug)]
pub(crate) struct TickingReader<F> {
    pieces: Receiver<io::Result<Vec<u8>>>,
    current: Vec<u8>,
    taken: usize,
    tick: F,
}

impl<F: FnMut(Instant) -> io::Result<Instant>> TickingReader<F> {
    /// Reads `input`, unless there can be no thread.
    pub(crate) fn new(input: impl Read + Send + 'static, tick: F) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(AHEAD);
        thread::Builder::new().spawn(move || read_all(input, &sender))?;
        Ok(TickingReader { pieces, current: Vec::new(), taken: 0, tick })
    }

    /// The next piece, or none at the end.
    fn wait(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let now = Instant::now();
            let next = (self.tick)(now)?;
            let patience = next.saturating_duration_since(now).max(Duration::from_millis(1));
            match self.pieces.recv_timeout(patience) {
                Ok(piece) => return piece.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl<F: FnMut(Instant) -> io::Result<Instant>> Read for TickingReader<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.current.len() {
            self.current = self.wait()?.unwrap_or_default();
            self.taken = 0;
        }
        let left = part(&self.current, self.taken..);
        let count = (&*left).read(into)?;
        self.taken += count;
        Ok(count)
    }
}

fn read_all(mut input: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(part(&buffer, ..count).to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if pieces.send(piece).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a piece of a text a read, slowly.
    struct Slow(Vec<&'static str>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(30));
            match self.0.pop() {
                Some("") => Err(io::Error::other("unplugged")),
                Some(text) => text.as_bytes().read(into),
                None => Ok(0),
            }
        }
    }

    fn check(pieces: &[&'static str], expected: Result<&str, &str>) {
        let mut ticks = 0;
        let tick = |now| {
            ticks += 1;
            Ok(now + Duration::from_millis(5))
        };
        let mut text = String::new();
        let read = TickingReader::new(Slow(pieces.to_vec()), tick).unwrap().read_to_string(&mut text);
        assert_eq!(
            read.map(|_| text.as_str()).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
        assert!(ticks > pieces.len() + 2, "{ticks}");
    }

    #[test]
    fn the_clock_ticks_while_input_is_waited_for() {
        check(&["c", "b", "a"], Ok("abc"));
        check(&["b", "", "a"], Err("unplugged"));
    }
}
