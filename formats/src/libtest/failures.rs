//! Failures whose output is still to come: it stands behind the results of all tests.

use std::hash::BuildHasher as _;
use std::io;
use std::time::Duration;

use foldhash::fast::FixedState;
use subunit::Timestamp;

use super::line::{Ended, Outcome};
use super::reason::reason;
use super::tell::{OUTPUT, Out, What, before};

/// So many failures wait, and as many bytes of their names; others are told at once, and their output after that.
const WAITING: usize = 10_000;
const WAITING_BYTES: usize = 1 << 20;
/// So many tests that ended are known by their hashes, for output that comes after the end.
const KNOWN: usize = 100_000;
/// Output is handed on in pieces of this size.
const PIECE: usize = 64 * 1024;

/// A test that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) name: String,
    pub(super) tag: Option<&'static str>,
    /// What stood behind the word.
    pub(super) words: Vec<u8>,
    pub(super) took: Option<Duration>,
    pub(super) at: Option<Timestamp>,
    /// Whether its beginning has been told.
    has_begun: bool,
    /// Whether it has been told.
    is_told: bool,
}

impl Failure {
    pub(super) fn new(
        name: &str,
        tag: Option<&'static str>,
        ended: &Ended<'_>,
        (has_begun, at): (bool, Option<Timestamp>),
    ) -> Self {
        let words = match ended.outcome {
            Outcome::Failed(words) => words.to_vec(),
            _ => Vec::new(),
        };
        Failure { name: name.to_owned(), tag, words, took: ended.took, at, has_begun, is_told: false }
    }

    /// Tells it.
    pub(super) fn tell(&self, out: &mut Out<'_>) -> io::Result<()> {
        let ended = Ended { outcome: Outcome::Failed(&self.words), took: self.took };
        out.end(&self.name, self.tag, &ended, (self.has_begun, self.at))
    }
}

/// The tests of a binary that ended, as far as something about them may come later.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    waiting: Vec<Failure>,
    bytes: usize,
    is_full: bool,
    /// Whether they are sorted by name.
    is_sorted: bool,
    /// The hashes of the tests that were told, the last of them.
    known: Vec<u64>,
    known_total: usize,
    known_is_sorted: bool,
    hasher: FixedState,
    open: Option<Block>,
}

/// The output that is being read.
#[derive(Clone, Debug)]
struct Block {
    name: String,
    /// Where the failure waits that it is of; it may be of a test that was told before.
    of: Option<usize>,
    text: Vec<u8>,
}

impl Failures {
    /// Notes a test that was told.
    pub(super) fn know(&mut self, name: &str) {
        let hash = self.hasher.hash_one(name);
        match self.known.get_mut(self.known_total % KNOWN) {
            Some(place) => *place = hash,
            None => self.known.push(hash),
        }
        self.known_total += 1;
        self.known_is_sorted = false;
    }

    fn is_known(&mut self, name: &str) -> bool {
        if !self.known_is_sorted {
            self.known.sort_unstable();
            self.known_is_sorted = true;
        }
        self.known.binary_search(&self.hasher.hash_one(name)).is_ok()
    }

    /// Lets a failure wait for its output; gives it back when too many wait.
    pub(super) fn wait(&mut self, failure: Failure) -> Option<Failure> {
        let bytes = failure.name.len() + failure.words.len();
        if self.waiting.len() >= WAITING || self.bytes + bytes > WAITING_BYTES {
            self.is_full = true;
            return Some(failure);
        }
        self.bytes += bytes;
        self.waiting.push(failure);
        self.is_sorted = false;
        None
    }

    /// Whether some were too many to wait.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Where a failure waits.
    fn place(&mut self, name: &str) -> Option<usize> {
        if !self.is_sorted {
            self.waiting.sort_by(|one, other| one.name.cmp(&other.name));
            self.is_sorted = true;
        }
        // One name may stand there twice: the first that is left.
        let first = self.waiting.partition_point(|failure| &*failure.name < name);
        let same = self.waiting.get(first..)?.iter().take_while(|failure| failure.name == name);
        let told = same.take_while(|failure| failure.is_told).count();
        self.waiting.get(first + told).filter(|failure| failure.name == name).map(|_| first + told)
    }

    /// Whether a test of this name failed or was told.
    pub(super) fn contains(&mut self, name: &str) -> bool {
        self.has_failed(name) || self.is_known(name)
    }

    pub(super) fn has_failed(&mut self, name: &str) -> bool {
        let _sorted = self.place(name);
        self.waiting.binary_search_by(|failure| failure.name.as_str().cmp(name)).is_ok()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The output of this test follows.
    pub(super) fn open(&mut self, name: &str, out: &mut Out<'_>) -> io::Result<()> {
        let of = self.place(name);
        let failure = of.and_then(|at| self.waiting.get(at));
        if let Some(began) = failure.and_then(|failure| before(failure.at, failure.took?)) {
            out.begin(name, Some(began))?;
        }
        self.open = Some(Block { name: name.to_owned(), of, text: Vec::new() });
        Ok(())
    }

    /// Takes output.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> io::Result<()> {
        let Some(block) = &mut self.open else { return Ok(()) };
        block.text.extend_from_slice(bytes);
        if block.text.len() < PIECE {
            return Ok(());
        }
        // The newlines at its end may be libtest's.
        let rest = block.text.split_off(block.text.len() - 2);
        let piece = std::mem::replace(&mut block.text, rest);
        out.tell(&block.name, &What { file: Some((OUTPUT, &piece)), ..What::default() })
    }

    /// Ends the output, behind which libtest wrote so many newlines, and tells the failure.
    pub(super) fn close(&mut self, newlines: usize, out: &mut Out<'_>) -> io::Result<()> {
        let Some(Block { name, of, text }) = self.open.take() else { return Ok(()) };
        let trailing = text.iter().rev().take(newlines).take_while(|byte| **byte == b'\n').count();
        let text = text.get(..text.len() - trailing).unwrap_or_default();
        if !text.is_empty() {
            out.tell(&name, &What { file: Some((OUTPUT, text)), eof: true, ..What::default() })?;
        }
        let Some(place) = of else { return Ok(()) };
        if let Some(failure) = self.waiting.get_mut(place).filter(|failure| failure.words.is_empty()) {
            failure.words.extend_from_slice(reason(text).unwrap_or_default());
        }
        self.tell(place, true, out)
    }

    /// Tells a failure that has no output.
    pub(super) fn tell_one(&mut self, name: &str, out: &mut Out<'_>) -> io::Result<()> {
        self.place(name).map_or(Ok(()), |place| self.tell(place, false, out))
    }

    /// Tells all that wait.
    pub(super) fn tell_all(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        (0..self.waiting.len()).try_for_each(|place| self.tell(place, false, out))
    }

    fn tell(&mut self, place: usize, has_begun: bool, out: &mut Out<'_>) -> io::Result<()> {
        let Some(failure) = self.waiting.get_mut(place).filter(|failure| !failure.is_told) else {
            return Ok(());
        };
        failure.is_told = true;
        failure.has_begun |= has_begun;
        failure.tell(out)?;
        failure.words = Vec::new();
        Ok(())
    }
}
