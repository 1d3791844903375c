//! Output that waits until it is known whether it is an attachment or text.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use subunit::part;

/// Output beyond this many bytes goes to a temporary file.
const IN_MEMORY: usize = 16 * 1024;
/// At most this many outputs have one, for a process may only open so many files.
const MOST_FILES: usize = 64;
/// How much is handed on at a time.
const BLOCK: usize = 64 * 1024;

/// How many temporary files there are: one less than references to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Files(Arc<()>);

/// Bytes, of which only a few are in memory.
#[derive(Debug, Default)]
pub(super) struct Held {
    start: Vec<u8>,
    rest: Option<(BufWriter<File>, Files)>,
}

impl Held {
    /// Adds bytes, and returns whether there was room for them.
    pub(super) fn push(&mut self, bytes: &[u8], files: &Files) -> io::Result<bool> {
        if self.rest.is_none() && self.start.len() + bytes.len() <= IN_MEMORY {
            self.start.extend_from_slice(bytes);
            return Ok(true);
        }
        if self.rest.is_none() {
            if Arc::strong_count(&files.0) > MOST_FILES {
                return Ok(false);
            }
            self.rest = Some((BufWriter::new(tempfile::tempfile()?), files.clone()));
        }
        if let Some((file, _)) = &mut self.rest {
            file.write_all(bytes)?;
        }
        Ok(true)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start.is_empty() && self.rest.is_none()
    }

    /// Lends all bytes, in pieces.
    pub(super) fn read(&mut self, mut lend: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if !self.start.is_empty() {
            lend(&self.start)?;
        }
        let Some((file, _)) = &mut self.rest else { return Ok(()) };
        file.flush()?;
        let file = file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(()),
                count => lend(part(&block, ..count))?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(held: &mut Held) -> Vec<u8> {
        let mut bytes = Vec::new();
        held.read(|piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        bytes
    }

    #[test]
    fn all_bytes_are_read_however_many() {
        for (piece, count) in [(1, 0), (10, 3), (IN_MEMORY, 2), (1000, 200)] {
            let mut held = Held::default();
            let mut expected = Vec::new();
            for number in 0..count {
                let bytes = vec![number as u8; piece];
                assert!(held.push(&bytes, &Files::default()).unwrap());
                expected.extend(bytes);
            }
            assert_eq!(held.is_empty(), count == 0);
            assert_eq!(read(&mut held), expected);
            assert_eq!(read(&mut held), expected, "it can be read again");
        }
    }

    #[test]
    fn the_files_have_an_end() {
        let files = Files::default();
        let mut many: Vec<_> = (0..=MOST_FILES).map(|_| Held::default()).collect();
        let long = vec![b'x'; IN_MEMORY + 1];
        let held: Vec<_> = many.iter_mut().map(|held| held.push(&long, &files).unwrap()).collect();
        assert_eq!(held.iter().filter(|held| !**held).count(), 1);
        many.truncate(1);
        assert!(Held::default().push(&long, &files).unwrap(), "there is room again");
    }
}
