//! Inspects the file of a run before it is imported.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use formats::v1;
use streamresult::{DAMAGE_ID, StreamResult, drive};
use subunit::{Event, SIGNATURE, Timestamp, part};
use xxhash_rust::xxh3::Xxh3Default;

use super::source::open;

/// The format of a file's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// There are none.
    Empty,
    /// Lines of text.
    V1,
    /// Packets.
    V2,
    /// Something else.
    Unknown,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct FileSummary {
    pub(super) form: FileFormat,
    pub(super) digest: Digest,
    /// The earliest and the latest time of its events, or else when the file was written.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// Reads a file to its end, and gives the id of each event that has one.
pub(super) fn inspect(path: &Path, seen: impl FnMut(&str)) -> anyhow::Result<FileSummary> {
    inspect_file(path, seen).with_context(|| format!("cannot read {}", path.display()))
}

fn inspect_file(path: &Path, seen: impl FnMut(&str)) -> anyhow::Result<FileSummary> {
    let modified: Timestamp =
        fs::metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH).into();
    let mut input = HashingReader { inner: open(path)?, digest: Digest::default() };
    let mut head = Vec::new();
    input.by_ref().take(1).read_to_end(&mut head)?;
    let is_v2 = head == [SIGNATURE];
    let mut events = Events { seen, times: None, has_tests: false };
    let is_empty = head.is_empty();
    let all = head.chain(&mut input);
    if is_v2 {
        drive(all, &mut events)?
    } else {
        v1::drive(all, &mut events)?
    }
    let form = match (is_v2, events.has_tests) {
        _ if is_empty => FileFormat::Empty,
        (true, _) => FileFormat::V2,
        (false, true) => FileFormat::V1,
        (false, false) => FileFormat::Unknown,
    };
    let (first, last) = events.times.unwrap_or((modified, modified));
    Ok(FileSummary { form, digest: input.digest, first, last })
}

struct Events<F> {
    seen: F,
    times: Option<(Timestamp, Timestamp)>,
    has_tests: bool,
}

impl<F: FnMut(&str)> StreamResult for Events<F> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Some(id) = event.test_id {
            self.has_tests |= id != DAMAGE_ID;
            (self.seen)(id);
        }
        if let Some(time) = event.timestamp {
            let (first, last) = self.times.get_or_insert((time, time));
            *first = time.min(*first);
            *last = time.max(*last);
        }
        Ok(())
    }
}

/// A digest of 128 bits, by which two runs are told apart.
#[derive(Clone, Default)]
pub(super) struct Digest(Xxh3Default);

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Digest {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn text(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

struct HashingReader<R> {
    inner: R,
    digest: Digest,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.digest.push(part(into, ..count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: FileFormat) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        assert_eq!(inspect(file.path(), |_| ()).unwrap().form, expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn the_form_is_told_by_what_is_in_it() {
        check(b"", FileFormat::Empty);
        check(b"time: 2026-01-01 00:00:00Z\ntest: a\nsuccess: a\n", FileFormat::V1);
        check(b"test: begun", FileFormat::V1);
        check(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b", FileFormat::V2);
        check(b"\xb3 damaged from the first packet on", FileFormat::V2);
        check(b"\x1f\x8b\x08 compressed", FileFormat::Unknown);
        check(b"Ran 3 tests\nOK\n", FileFormat::Unknown);
    }

    #[test]
    fn the_digest_is_that_of_all_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"test: a\nsuccess: a\n").unwrap();
        let mut expected = Digest::default();
        expected.push(b"test: a\nsuccess: a\n");
        assert_eq!(inspect(file.path(), |_| ()).unwrap().digest.text(), expected.text());
    }
}
