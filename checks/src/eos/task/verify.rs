//! Whether what is read back is what was written.

use std::fmt::Write as _;
use std::path::Path;

use probe::{Algorithm, Aligned, Digest, Generator};
use process::helper::Stop;
use subunit::part;

use super::files::{BLOCK, read_file, write_file};
use super::throughput::has_room;
use super::{Fact, Reporter, Volume, attributes, metric};

/// Bytes shown on each side of the first difference.
const AROUND: usize = 32;

/// Writes a file and compares what is read back through a new open, past the page cache where possible: byte
/// by byte with what was generated, and by checksums. A server's own checksum is compared, too, but proves nothing:
/// it is of what came in, and not of what is stored.
pub(super) fn verify(volume: &Volume, folder: &Path, eos: bool, reporter: &mut Reporter) -> Result<(), Stop> {
    if !has_room(volume, folder, reporter)? {
        return Ok(());
    }
    let path = folder.join(&volume.name);
    let mut written = Digests::new(volume.checksum);
    write_file(&path, volume.size, volume.seed, reporter, |bytes| written.update(bytes))?;
    let server = if eos { attributes::checksum(&path, reporter)? } else { None };
    let mut back = Digest::new(volume.checksum);
    let mut compare = Compare::new(volume.seed);
    let mut buffer = Aligned::new(BLOCK);
    let (_, total, cache) = read_file(&path, &mut buffer, reporter, |bytes| {
        back.update(bytes);
        compare.add(bytes);
    })?;
    let (written, back) = (written.finish(), back.finish());
    let local = written.first().map(|(_, digits)| digits.clone()).unwrap_or_default();
    let missing = volume.size.abs_diff(total);
    let differing = compare.differing.saturating_add(missing);
    metric(reporter, "size_bytes", volume.size as f64)?;
    metric(reporter, "mismatched_bytes", differing as f64)?;
    let (algorithm, cache) = (volume.checksum.as_str(), cache.as_str());
    let server = server.map(|digits| opinion(&digits, &written));
    if let Some((_, text)) = &server {
        reporter.tell(Fact::evidence("server-checksum.txt", text.clone()))?;
    }
    // A checksum may be the same by chance: the short ones often are.
    if differing == 0 && local == back {
        if let Some((false, text)) = server {
            return reporter.tell(Fact::Warning(format!("what is read back is right, but {text}")));
        }
        let text = format!("{algorithm} {local} written and read back ({total} bytes, cache={cache})");
        return reporter.tell(Fact::Summary(text));
    }
    let first = compare.first.unwrap_or_else(|| format!("the file has {total} bytes"));
    let server = server.map_or_else(String::new, |(_, text)| format!("; {text}"));
    let text = format!(
        "what is read back is not what was written: {differing} of {} bytes differ; {algorithm} {local} was \
         written, {back} is read back (cache={cache}){server}; {first}",
        volume.size
    );
    reporter.tell(Fact::Broken(text))
}

/// Whether the server's checksum is one of what was written, and what there is to say of it. Which algorithm it
/// is of the server need not say.
pub(in crate::eos) fn opinion(server: &str, written: &[(Algorithm, String)]) -> (bool, String) {
    let same = |(_, digits): &&(Algorithm, String)| digits == server;
    match written.iter().find(same) {
        Some((algorithm, _)) => (
            true,
            format!(
                "the server's own checksum, {} {server}, is that of what was written",
                algorithm.as_str()
            ),
        ),
        None => {
            let all: Vec<_> = written
                .iter()
                .map(|(algorithm, digits)| format!("{} {digits}", algorithm.as_str()))
                .collect();
            (
                false,
                format!(
                    "the server's own checksum is {server}, of what was written it is {}",
                    all.join(", ")
                ),
            )
        }
    }
}

/// The checksums of what is written: the one that was asked for, and those that servers keep.
pub(in crate::eos) struct Digests(Vec<(Algorithm, Digest)>);

impl Digests {
    pub(in crate::eos) fn new(first: Algorithm) -> Self {
        let mut all = vec![first];
        let kept = [Algorithm::Adler32, Algorithm::Crc32c, Algorithm::Md5];
        all.extend(kept.into_iter().filter(|algorithm| *algorithm != first));
        Digests(all.into_iter().map(|algorithm| (algorithm, Digest::new(algorithm))).collect())
    }

    pub(in crate::eos) fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|(_, digest)| digest.update(bytes));
    }

    pub(in crate::eos) fn finish(self) -> Vec<(Algorithm, String)> {
        self.0.into_iter().map(|(algorithm, digest)| (algorithm, digest.finish())).collect()
    }
}

/// Compares bytes with those of a generator, as they come.
pub(in crate::eos) struct Compare {
    generator: Generator,
    expected: Vec<u8>,
    /// Bytes of the current block of the generator that were compared.
    used: usize,
    offset: u64,
    differing: u64,
    first: Option<String>,
}

impl Compare {
    pub(in crate::eos) fn new(seed: u64) -> Self {
        let (generator, expected) = (Generator::new(seed), vec![0; BLOCK]);
        Compare { generator, expected, used: BLOCK, offset: 0, differing: 0, first: None }
    }

    pub(in crate::eos) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.used == BLOCK {
                self.generator.fill(&mut self.expected);
                self.used = 0;
            }
            let len = bytes.len().min(BLOCK - self.used);
            let (now, later) = bytes.split_at(len);
            self.compare(now);
            self.used += len;
            self.offset += len as u64;
            bytes = later;
        }
    }

    /// How many bytes differ.
    pub(in crate::eos) fn differing(&self) -> u64 {
        self.differing
    }

    /// Where, and what is there.
    pub(in crate::eos) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    fn compare(&mut self, bytes: &[u8]) {
        let expected = part(&self.expected, self.used..self.used + bytes.len());
        if bytes == expected {
            return;
        }
        let differs = bytes.iter().zip(expected).map(|(one, other)| one != other);
        if self.first.is_none() {
            let at = differs.clone().position(|differs| differs).unwrap_or_default();
            self.first = Some(difference(self.offset + at as u64, at, expected, bytes));
        }
        self.differing += differs.filter(|differs| *differs).count() as u64;
    }
}

fn difference(offset: u64, at: usize, expected: &[u8], found: &[u8]) -> String {
    let start = at.saturating_sub(AROUND);
    let show = |bytes: &[u8]| {
        let mut text = String::new();
        for byte in bytes.iter().skip(start).take(2 * AROUND) {
            let _infallible = write!(text, "{byte:02x}");
        }
        text
    };
    let from = offset - (at - start) as u64;
    format!(
        "the first difference is at byte {offset}\nwritten   from byte {from}: {}\nread back from byte {from}: {}",
        show(expected),
        show(found)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: &[usize], sizes: &[usize], expected_first: Option<&str>) {
        let mut bytes = vec![0; 2 * BLOCK];
        Generator::new(5).fill(&mut bytes);
        for position in change {
            bytes[*position] ^= 1;
        }
        let mut compare = Compare::new(5);
        let mut rest = bytes.as_slice();
        for size in sizes {
            let (now, later) = rest.split_at(*size);
            compare.add(now);
            rest = later;
        }
        compare.add(rest);
        assert_eq!(compare.differing, change.len() as u64);
        let first = compare.first.as_deref().and_then(|text| text.lines().next());
        assert_eq!(first, expected_first);
    }

    #[test]
    fn the_same_bytes_do_not_differ_however_they_come() {
        check(&[], &[1, 4095, BLOCK], None);
    }

    #[test]
    fn a_flipped_bit_is_found_where_it_is() {
        check(&[BLOCK + 7], &[100], Some("the first difference is at byte 1048583"));
        check(&[0, 1, 9], &[], Some("the first difference is at byte 0"));
    }

    #[test]
    fn a_server_may_keep_any_of_the_usual_checksums() {
        let mut digests = Digests::new(Algorithm::Sha256);
        digests.update(b"Wikipedia");
        let written = digests.finish();
        let check = |server, agrees, part: &str| {
            let (found, text) = opinion(server, &written);
            assert_eq!(found, agrees);
            assert!(text.contains(part), "{text}");
        };
        check("11e60398", true, "adler32 11e60398, is that of what was written");
        check("11e60399", false, "is 11e60399, of what was written it is sha256 ");
    }
}
