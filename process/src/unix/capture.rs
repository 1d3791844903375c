//! The output of a child in bounded memory.

use std::collections::VecDeque;
use std::io;
use std::process::Command;

use crate::{Ending, Follow, Sink, Source};

/// A child that has ended, with its outputs.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended, and why.
    pub ending: Ending,
    /// Its output.
    pub stdout: Captured,
    /// Its error output.
    pub stderr: Captured,
}

/// Runs a command to its end, and keeps this many bytes of each of its outputs: the first half and the last half.
///
/// # Errors
///
/// When it cannot be started or watched.
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
/// use process::{Deadline, Follow, Timeouts, Wait};
///
/// let wait = Wait::until(Deadline::after(Duration::from_secs(5)));
/// let finished = process::run(Command::new("echo").arg("ready"), Follow::new(wait, Timeouts::COMMAND), 1 << 16)?;
/// assert!(finished.ending.is_success());
/// assert_eq!(finished.stdout.text(), "ready\n");
/// # std::io::Result::Ok(())
/// ```
pub fn run(command: &mut Command, follow: Follow<'_>, keep: usize) -> io::Result<Finished> {
    let mut kept = BothOutputs { stdout: Captured::new(keep), stderr: Captured::new(keep) };
    let ending = follow.start(command)?.to_the_end(&mut kept)?;
    Ok(Finished { ending, stdout: kept.stdout, stderr: kept.stderr })
}

struct BothOutputs {
    stdout: Captured,
    stderr: Captured,
}

impl Sink for BothOutputs {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        match source {
            Source::Stdout => self.stdout.push(bytes),
            Source::Stderr => self.stderr.push(bytes),
        }
        Ok(())
    }
}

/// The beginning and the end of a stream, and how much was between them.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    omitted: u64,
}

impl Captured {
    /// Room for this many bytes, rounded down to an even number.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Captured { half: keep / 2, ..Captured::default() }
    }

    /// Adds bytes; what does not fit is dropped from the middle.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (head, tail) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        // Bytes that would be dropped at once need not go in.
        let (_, kept) = tail.split_at(tail.len().saturating_sub(self.half));
        let surplus = (self.tail.len() + kept.len()).saturating_sub(self.half);
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend(kept);
        let lost = tail.len() - kept.len() + surplus;
        self.omitted += u64::try_from(lost).unwrap_or(u64::MAX);
    }

    /// Bytes that were dropped.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// All of it; `None` where some was dropped.
    #[must_use]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        let Captured { mut head, tail, omitted, .. } = self;
        head.extend(tail);
        (omitted == 0).then_some(head)
    }

    /// What was kept as text, undecodable bytes replaced, with a line about what was dropped.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.omitted > 0 {
            bytes.extend(format!("\n[{} bytes left out]\n", self.omitted).into_bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The last line in which something is said, of what a program wrote.
#[must_use]
pub fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keep: usize, pieces: &[&str], expected: &str) {
        let mut captured = Captured::new(keep);
        for piece in pieces {
            captured.push(piece.as_bytes());
        }
        assert_eq!(captured.text(), expected);
    }

    #[test]
    fn output_that_fits_is_kept_as_it_is() {
        check(8, &["abc", "", "defgh"], "abcdefgh");
    }

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        check(4, &["abcdef", "g", "hi"], "ab\n[5 bytes left out]\nhi");
        check(4, &["abcdefghi"], "ab\n[5 bytes left out]\nhi");
        check(0, &["abc"], "\n[3 bytes left out]\n");
    }
}
