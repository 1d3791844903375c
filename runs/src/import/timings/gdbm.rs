//! GNU dbm, as it is on machines of 64 bits that are little-endian: a table of buckets, each a table of places.
//!
//! All numbers below are offsets in bytes; `int` has 4 bytes, a place in the file 8.

use anyhow::Context as _;

use super::Pairs;

/// How a file begins, of the first kind and of the one that can be synchronised.
const MAGIC: [u32; 2] = [0x1357_9acf, 0x1357_9ad1];

/// The places of the directory and of its length, in the header.
const DIRECTORY: usize = 8;
const DIRECTORY_LEN: usize = 16;
const BUCKET_LEN: usize = 24;

/// Where the entries of a bucket begin: after its table of free space and its own two numbers.
const ENTRIES: usize = 112;
const ENTRY_LEN: usize = 24;
/// Within an entry.
const HASH: usize = 0;
const DATA: usize = 8;
const KEY_LEN: usize = 16;
const VALUE_LEN: usize = 20;
/// The hash of an entry that is not used.
const UNUSED: u32 = u32::MAX;

/// Reads the pairs; `None` when it is not such a file.
pub(super) fn read(file: &[u8]) -> Option<anyhow::Result<Pairs>> {
    let magic = int(file, 0).ok()?;
    MAGIC.contains(&magic).then(|| pairs(file))
}

fn pairs(file: &[u8]) -> anyhow::Result<Pairs> {
    let bucket_len = int(file, BUCKET_LEN)? as usize;
    let directory = bytes(file, place(file, DIRECTORY)?, int(file, DIRECTORY_LEN)? as usize)?;
    let mut pairs = Pairs::new();
    let mut last = None;
    for entry in directory.chunks_exact(8) {
        let at = place(entry, 0)?;
        // Buckets that are not full stand there several times, one after the other.
        if last.replace(at) != Some(at) {
            bucket(file, bytes(file, at, bucket_len)?, &mut pairs)?;
        }
    }
    Ok(pairs)
}

fn bucket(file: &[u8], bucket: &[u8], pairs: &mut Pairs) -> anyhow::Result<()> {
    for entry in bucket.get(ENTRIES..).unwrap_or_default().chunks_exact(ENTRY_LEN) {
        if int(entry, HASH)? == UNUSED {
            continue;
        }
        let at = place(entry, DATA)?;
        let (key, value) = (int(entry, KEY_LEN)? as usize, int(entry, VALUE_LEN)? as usize);
        let data = bytes(file, at, key.saturating_add(value))?;
        let (key, value) = data.split_at_checked(key).context("a key is too long")?;
        pairs.push((key.to_vec(), value.to_vec()));
    }
    Ok(())
}

fn bytes(file: &[u8], at: usize, len: usize) -> anyhow::Result<&[u8]> {
    at.checked_add(len).and_then(|end| file.get(at..end)).context("it ends too early")
}

fn int(file: &[u8], at: usize) -> anyhow::Result<u32> {
    let number = bytes(file, at, 4)?.first_chunk().copied();
    number.map(u32::from_le_bytes).context("it ends too early")
}

fn place(file: &[u8], at: usize) -> anyhow::Result<usize> {
    let number = bytes(file, at, 8)?.first_chunk().copied().map(u64::from_le_bytes);
    number.and_then(|number| usize::try_from(number).ok()).context("an offset is outside the file")
}
