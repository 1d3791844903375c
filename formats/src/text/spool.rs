//! Text that waits for the end of the run: in memory while it is short, in a temporary file beyond.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// More bytes than this wait in a file.
const IN_MEMORY: usize = 1 << 20;

/// Sections of text, each of a group.
#[derive(Debug)]
pub(super) struct Spool {
    out: BufWriter<SpooledTempFile>,
    len: u64,
    /// The groups, and where their sections start; not kept where there is one group.
    starts: Vec<(u32, u64)>,
}

impl Spool {
    pub(super) fn new() -> Self {
        let file = SpooledTempFile::new(IN_MEMORY);
        Spool { out: BufWriter::with_capacity(32 << 10, file), len: 0, starts: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Begins a section of this group.
    pub(super) fn begin(&mut self, group: u32) {
        self.starts.push((group, self.len));
    }

    /// Copies all of it, in order of arrival.
    pub(super) fn copy(self, out: &mut impl Write) -> io::Result<()> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        io::copy(&mut file, out).map(drop)
    }

    /// Copies all of it, group by group; `head` writes what stands before a group.
    pub(super) fn copy_groups<W: Write>(
        self,
        out: &mut W,
        mut head: impl FnMut(u32, usize, &mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let ends = self.starts.iter().skip(1).map(|(_, start)| *start).chain([self.len]);
        let mut sections: Vec<(u32, u64, u64)> =
            self.starts.iter().zip(ends).map(|((group, start), end)| (*group, *start, end - start)).collect();
        sections.sort_by_key(|(group, start, _)| (*group, *start));
        for group in sections.chunk_by(|(one, _, _), (other, _, _)| one == other) {
            for (number, (name, start, len)) in group.iter().enumerate() {
                if number == 0 {
                    head(*name, group.len(), out)?;
                }
                file.seek(SeekFrom::Start(*start))?;
                io::copy(&mut (&mut file).take(*len), out)?;
            }
        }
        Ok(())
    }

    /// Calls a function with each of the strings that were written with a NUL after them.
    pub(super) fn strings(&mut self, mut call: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        self.out.flush()?;
        let file = self.out.get_mut();
        file.rewind()?;
        let mut reader = BufReader::new(file);
        let mut string = Vec::new();
        while reader.read_until(0, &mut string)? > 0 {
            string.pop();
            call(&String::from_utf8_lossy(&string))?;
            string.clear();
        }
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.len += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_stand_by_group_and_within_in_order() {
        let mut spool = Spool::new();
        for (group, text) in [(1, "a"), (0, "b"), (1, "c"), (0, "d")] {
            spool.begin(group);
            spool.write_all(text.as_bytes()).unwrap();
        }
        let mut out = Vec::new();
        let head = |group, count, out: &mut Vec<u8>| write!(out, "{group}x{count}:");
        spool.copy_groups(&mut out, head).unwrap();
        assert_eq!(out, b"0x2:bd1x2:ac");
    }

    #[test]
    fn long_text_is_read_back() {
        let mut spool = Spool::new();
        let strings: Vec<String> = (0..200_000).map(|number| format!("string {number}")).collect();
        strings.iter().for_each(|string| write!(spool, "{string}\0").unwrap());
        for _ in 0..2 {
            let mut found = Vec::new();
            let mut keep = |string: &str| {
                found.push(string.to_owned());
                Ok(())
            };
            spool.strings(&mut keep).unwrap();
            assert!(found == strings);
        }
    }
}
