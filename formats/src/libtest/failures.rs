//! Failures whose output is still to come: it stands behind the results of all tests.

use std::hash::BuildHasher as _;
use std::io;

use foldhash::fast::FixedState;
use subunit::{Event, Status};

use super::emit::{BinaryOut, OUTPUT};
use super::line::{EndKind, TestEnd};
use super::reason::reason;
use crate::held::{HeldFile, HeldTest};

/// At most this many failures wait, and bytes of their names; others are reported at once, and their output later.
const WAITING: usize = 10_000;
const WAITING_BYTES: usize = 1 << 20;
/// This many tests that ended are known by their hashes, for output that comes after the end.
const KNOWN: usize = 100_000;

/// A test that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) test: HeldTest,
    /// What stood behind the word.
    words: Vec<u8>,
    is_told: bool,
}

impl Failure {
    pub(super) fn new(mut test: HeldTest, ended: &TestEnd<'_>) -> Self {
        let words = match ended.outcome {
            EndKind::Failed(words) => words.to_vec(),
            _ => Vec::new(),
        };
        (test.status, test.took) = (Some(Status::Fail), ended.took);
        Failure { test, words, is_told: false }
    }

    /// Reports it, unless it was reported.
    pub(super) fn tell(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        if std::mem::replace(&mut self.is_told, true) {
            return Ok(());
        }
        let words = std::mem::take(&mut self.words);
        let ended = TestEnd { outcome: EndKind::Failed(&words), took: self.test.took };
        out.end(&mut self.test, &ended)
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
    /// The hashes of the tests that were reported last.
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
    output: HeldFile,
}

impl Failures {
    /// Notes a test that was reported.
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
        let bytes = failure.test.id.len() + failure.words.len();
        if self.waiting.len() >= WAITING || self.bytes + bytes > WAITING_BYTES {
            self.is_full = true;
            return Some(failure);
        }
        self.bytes += bytes;
        self.waiting.push(failure);
        self.is_sorted = false;
        None
    }

    /// Whether some could not wait because there were too many.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Where a failure waits.
    fn place(&mut self, name: &str) -> Option<usize> {
        if !self.is_sorted {
            self.waiting.sort_by(|one, other| one.test.id.cmp(&other.test.id));
            self.is_sorted = true;
        }
        // One name may stand there twice: the first that is left.
        let first = self.waiting.partition_point(|failure| &*failure.test.id < name);
        let same = self.waiting.get(first..)?.iter().take_while(|failure| failure.test.id == name);
        let told = same.take_while(|failure| failure.is_told).count();
        self.waiting.get(first + told).filter(|failure| failure.test.id == name).map(|_| first + told)
    }

    /// Whether a test of this name failed or was reported.
    pub(super) fn contains(&mut self, name: &str) -> bool {
        self.has_failed(name) || self.is_known(name)
    }

    pub(super) fn has_failed(&mut self, name: &str) -> bool {
        let _sorted = self.place(name);
        self.waiting.binary_search_by(|failure| failure.test.id.as_str().cmp(name)).is_ok()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The output of this test follows.
    pub(super) fn open(&mut self, name: &str, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let of = self.place(name);
        if let Some(failure) = of.and_then(|at| self.waiting.get_mut(at)) {
            failure.test.begin(out)?;
        }
        self.open = Some(Block { name: name.to_owned(), of, output: HeldFile::text(OUTPUT) });
        Ok(())
    }

    /// Takes output.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut BinaryOut<'_>) -> io::Result<()> {
        let Some(block) = &mut self.open else { return Ok(()) };
        block.output.push(bytes, None, &about(&block.name), out)
    }

    /// Ends the output, behind which libtest wrote this many newlines, and tells the failure.
    pub(super) fn close(&mut self, newlines: usize, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let Some(Block { name, of, mut output }) = self.open.take() else { return Ok(()) };
        output.trim_newlines(newlines);
        let failure = of.and_then(|place| self.waiting.get_mut(place));
        let reason = match &failure {
            Some(failure) if failure.words.is_empty() => reason(output.rest()).map(<[u8]>::to_vec),
            _ => None,
        };
        output.end(&about(&name), out)?;
        let Some(failure) = failure else { return Ok(()) };
        failure.words.extend(reason.unwrap_or_default());
        failure.tell(out)
    }

    /// Reports a failure that has no output.
    pub(super) fn tell_one(&mut self, name: &str, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let place = self.place(name);
        place.and_then(|place| self.waiting.get_mut(place)).map_or(Ok(()), |failure| failure.tell(out))
    }

    /// Reports all that wait.
    pub(super) fn tell_all(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.waiting.iter_mut().try_for_each(|failure| failure.tell(out))
    }
}

fn about(name: &str) -> Event<'_> {
    Event { test_id: Some(name), runnable: true, ..Event::default() }
}
