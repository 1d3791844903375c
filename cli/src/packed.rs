//! Compressed files, read as what they hold.

use std::fmt;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use subunit::part;

/// What a gzip file begins with; the third byte is its only method.
const GZIP: &[u8] = &[0x1F, 0x8B, 0x08];
/// What a Zstandard frame begins with.
const ZSTANDARD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// A file as it is, or what it holds if it is compressed by gzip or Zstandard: its first bytes tell.
pub(crate) enum Unpacked<R: Read> {
    /// Nothing was read yet.
    New(Option<R>),
    /// The first bytes that were read, and the rest.
    Plain(Whole<R>),
    Packed(Box<dyn Read + Send>),
}

/// The first bytes of a file, and the rest.
type Whole<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

impl<R: Read + Send + 'static> Unpacked<R> {
    pub(crate) fn new(reader: R) -> Self {
        Unpacked::New(Some(reader))
    }

    /// Looks at the first bytes; those of a file that is not compressed are read into the buffer.
    fn begin(&mut self, mut reader: R, buffer: &mut [u8]) -> io::Result<usize> {
        let count = reader.read(buffer)?;
        let start = part(buffer, ..count);
        if count == 0 || !may_be_packed(start) && !is_packed(start) {
            *self = Unpacked::Plain(io::Cursor::default().chain(reader));
            return Ok(count);
        }
        let mut head = start.to_vec();
        while may_be_packed(&head) {
            let mut byte = [0];
            match reader.read(&mut byte)? {
                0 => break,
                _ => head.extend(byte),
            }
        }
        let [is_gzip, is_zstandard] = [GZIP, ZSTANDARD].map(|magic| head.starts_with(magic));
        let whole = io::Cursor::new(head).chain(reader);
        *self = match (is_gzip, is_zstandard) {
            (true, _) => Unpacked::Packed(Box::new(MultiGzDecoder::new(whole))),
            (_, true) => Unpacked::Packed(Box::new(zstd::Decoder::new(whole)?)),
            (false, false) => Unpacked::Plain(whole),
        };
        self.read(buffer)
    }
}

fn is_packed(head: &[u8]) -> bool {
    [GZIP, ZSTANDARD].iter().any(|magic| head.starts_with(magic))
}

/// Whether more bytes are needed to tell.
fn may_be_packed(head: &[u8]) -> bool {
    [GZIP, ZSTANDARD].iter().any(|magic| head.len() < magic.len() && magic.starts_with(head))
}

impl<R: Read + Send + 'static> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::New(reader) => match reader.take() {
                Some(reader) => self.begin(reader, buffer),
                None => Ok(0),
            },
            Unpacked::Plain(whole) => whole.read(buffer),
            Unpacked::Packed(reader) => reader.read(buffer).map_err(in_unpacking),
        }
    }
}

fn in_unpacking(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the compressed data is cut off"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            io::Error::new(io::ErrorKind::InvalidData, "the compressed data is damaged")
        }
        _ => error,
    }
}

impl<R: Read> fmt::Debug for Unpacked<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unpacked").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Gives one byte at a time.
    struct Slow(io::Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    fn check(file: &[u8], expected: Result<&[u8], &str>) {
        let mut found = [Vec::new(), Vec::new()];
        let [whole, slow] = &mut found;
        let file = io::Cursor::new(file.to_vec());
        let read = Unpacked::new(file.clone()).read_to_end(whole);
        let read_slowly = Unpacked::new(Slow(file)).read_to_end(slow);
        for (found, read) in found.iter().zip([read, read_slowly]) {
            match expected {
                Ok(bytes) => assert_eq!((read.unwrap(), &**found), (bytes.len(), bytes)),
                Err(text) => assert_eq!(read.unwrap_err().to_string(), text),
            }
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn what_is_not_compressed_stays_as_it_is() {
        for file in [
            &b""[..],
            b"a",
            b"\x1f",
            b"\x1f\x8b",
            b"\x1f\x8b\x07",
            b"\x28\xb5\x2f",
            b"(plain)",
            b"\xb3\x29\x01",
        ] {
            check(file, Ok(file));
        }
    }

    #[test]
    fn compressed_files_are_what_they_hold() {
        let bytes = b"stream ".repeat(10_000);
        check(&gzip(&bytes), Ok(&bytes));
        check(&zstandard(&bytes), Ok(&bytes));
        check(&[gzip(b"one "), gzip(b"two")].concat(), Ok(b"one two"));
        check(&[zstandard(b"one "), zstandard(b"two")].concat(), Ok(b"one two"));
        check(&gzip(b""), Ok(b""));
    }

    #[test]
    fn a_cut_and_damage_are_errors() {
        for packed in [gzip(&[7; 100]), zstandard(&[7; 100])] {
            check(&packed[..packed.len() - 3], Err("the compressed data is cut off"));
        }
        let mut damaged = gzip(&[7; 100]);
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        check(&damaged, Err("the compressed data is damaged"));
    }
}
