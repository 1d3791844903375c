//! Text of a report that is written at its end.
//!
//! If the temporary file cannot be written, the report goes on without the sections that do not fit, and says how much is
//! missing and why. Lists stay in memory, since part of a list would be taken for all of it.

use std::io::{self, BufRead as _, BufReader, Write};
use std::path::Path;

use streamresult::{Spool, Spooled};

/// Sections of text, each belonging to a group.
#[derive(Debug, Default)]
pub(crate) struct Postponed {
    spool: Spool,
    text: Spooled,
    /// The groups, and where their sections start; not kept where there is one group.
    starts: Vec<(u32, u64)>,
    /// Whether all of it is needed, whatever room there is.
    is_list: bool,
}

impl Postponed {
    /// A list: all of it is needed.
    pub(crate) fn list() -> Self {
        Postponed { is_list: true, ..Postponed::default() }
    }

    /// The same, with what does not stay in memory in this folder.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        Postponed { spool: self.spool.in_folder(folder), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Begins a section of this group.
    pub(crate) fn begin(&mut self, group: u32) {
        self.starts.push((group, self.text.len()));
    }

    /// Copies all of it, in order of arrival.
    pub(crate) fn copy(&self, out: &mut impl Write) -> io::Result<()> {
        self.spool.copy(&self.text, 0..self.text.len(), out)?;
        self.write_left_out(out)
    }

    /// Says how much was left out, and why.
    fn write_left_out(&self, out: &mut impl Write) -> io::Result<()> {
        match (self.spool.left_out(), self.spool.failure()) {
            (0, _) | (_, None) => Ok(()),
            (count, Some(why)) => writeln!(out, "\n[{count} bytes more, left out: {why}]\n"),
        }
    }

    /// Copies all of it, group by group; `head` writes what stands before a group.
    pub(crate) fn copy_groups<W: Write>(
        &self,
        out: &mut W,
        mut head: impl FnMut(u32, usize, &mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        let ends = self.starts.iter().skip(1).map(|(_, start)| *start).chain([self.text.len()]);
        let mut sections: Vec<(u32, u64, u64)> =
            self.starts.iter().zip(ends).map(|((group, start), end)| (*group, *start, end)).collect();
        sections.sort_by_key(|(group, start, _)| (*group, *start));
        for group in sections.chunk_by(|(one, _, _), (other, _, _)| one == other) {
            for (number, (name, start, end)) in group.iter().enumerate() {
                if number == 0 {
                    head(*name, group.len(), out)?;
                }
                self.spool.copy(&self.text, *start..*end, out)?;
            }
        }
        self.write_left_out(out)
    }

    /// Calls a function with each of the strings that were written with a NUL after them.
    pub(crate) fn strings(&self, mut call: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let mut reader = BufReader::new(self.text.reader(&self.spool));
        let mut string = Vec::new();
        while reader.read_until(0, &mut string)? > 0 {
            string.pop();
            call(&String::from_utf8_lossy(&string))?;
            string.clear();
        }
        Ok(())
    }
}

impl Write for Postponed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_list || self.spool.takes(&self.text, bytes.len()) {
            // What the file does not take stays in memory, and the spool knows why.
            let _ = self.spool.append(&mut self.text, bytes);
        } else {
            self.spool.leave_out(bytes.len());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_stand_by_group_and_within_in_order() {
        let mut text = Postponed::default();
        for (group, piece) in [(1, "a"), (0, "b"), (1, "c"), (0, "d")] {
            text.begin(group);
            text.write_all(piece.as_bytes()).unwrap();
        }
        let mut out = Vec::new();
        let head = |group, count, out: &mut Vec<u8>| write!(out, "{group}x{count}:");
        text.copy_groups(&mut out, head).unwrap();
        assert_eq!(out, b"0x2:bd1x2:ac");
    }

    #[test]
    fn long_text_is_read_back() {
        let mut text = Postponed::default();
        let strings: Vec<String> = (0..200_000).map(|number| format!("string {number}")).collect();
        strings.iter().for_each(|string| write!(text, "{string}\0").unwrap());
        for _ in 0..2 {
            let mut found = Vec::new();
            let mut keep = |string: &str| {
                found.push(string.to_owned());
                Ok(())
            };
            text.strings(&mut keep).unwrap();
            assert!(found == strings);
        }
    }
}
