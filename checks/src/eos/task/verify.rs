//! Whether what is read back is what was written.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use process::helper::{Reporter, Stop};

use super::files::{BLOCK, read_file, write_file};
use super::throughput::has_room;
use super::{Volume, metric, value};
use crate::probe::{Aligned, Digest, Generator};

/// Bytes shown on each side of the first difference.
const AROUND: usize = 32;

/// Writes a file and compares what is read back through a new open, past the page cache where possible: byte
/// by byte with what was generated, and by checksums.
pub(super) fn verify(
    volume: &Volume,
    folder: &Path,
    reporter: &mut Reporter<impl Write>,
) -> Result<(), Stop> {
    if !has_room(volume, folder, reporter)? {
        return Ok(());
    }
    let path = folder.join(&volume.name);
    let mut local = Digest::new(volume.checksum);
    write_file(&path, volume.size, volume.seed, reporter, |bytes| local.update(bytes))?;
    let mut back = Digest::new(volume.checksum);
    let mut compare = Compare::new(volume.seed);
    let mut buffer = Aligned::new(BLOCK);
    let (_, total, cache) = read_file(&path, &mut buffer, reporter, |bytes| {
        back.update(bytes);
        compare.add(bytes);
    })?;
    let (local, back) = (local.finish(), back.finish());
    let missing = volume.size.abs_diff(total);
    metric(reporter, "size_bytes", volume.size as f64)?;
    metric(reporter, "mismatched_bytes", compare.differing.saturating_add(missing) as f64)?;
    let (algorithm, cache) = (volume.checksum.as_str(), cache.as_str());
    if local == back && missing == 0 {
        let text = format!("{algorithm} {local} written and read back ({total} bytes, cache={cache})");
        return reporter.value(value::SUMMARY, text);
    }
    let first = compare.first.unwrap_or_else(|| format!("the file has {total} bytes"));
    let text = format!(
        "what is read back is not what was written: {} of {} bytes differ; {algorithm} {local} was written, \
         {back} is read back (cache={cache}); {first}",
        compare.differing.saturating_add(missing),
        volume.size
    );
    reporter.value(value::BROKEN, text)
}

/// Compares bytes with those of a generator, as they come.
struct Compare {
    generator: Generator,
    expected: Vec<u8>,
    /// Bytes of the current block of the generator that were compared.
    used: usize,
    offset: u64,
    differing: u64,
    first: Option<String>,
}

impl Compare {
    fn new(seed: u64) -> Self {
        let (generator, expected) = (Generator::new(seed), vec![0; BLOCK]);
        Compare { generator, expected, used: BLOCK, offset: 0, differing: 0, first: None }
    }

    fn add(&mut self, mut bytes: &[u8]) {
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

    fn compare(&mut self, bytes: &[u8]) {
        let expected = self.expected.get(self.used..self.used + bytes.len()).unwrap_or_default();
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
}
