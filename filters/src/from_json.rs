//! The command `json2subunit`: lines of JSON as a stream.

use std::io::{Read, Write};

use anyhow::{Context as _, bail};
use cli::{Command, InputArgs, Streams, Verdict};
use formats::json::read_line;
use subunit::{part, part_mut};

/// A packet has 4 MiB at most, and each of its bytes may be written as `\u0000`.
const LONGEST_LINE: usize = 32 << 20;
const READ: usize = 64 << 10;

/// Convert lines of JSON to a subunit stream
///
/// Reads what subunit2json writes; see there for the keys. Empty lines are skipped. It stops at a line that cannot be
/// read; what came before that line has been written.
#[derive(clap::Parser, Debug)]
#[command(
    name = "json2subunit",
    version,
    after_help = cli::help!(
        [Passed = "all lines were converted"],
        "  echo '{\"id\":\"boot\",\"status\":\"success\"}' | json2subunit | subunit-ls\n  \
           subunit2json run.subunit | grep -v '\"text\"' | json2subunit >packets.subunit"
    )
)]
pub struct FromJson {
    #[command(flatten)]
    input: InputArgs,
}

impl Command for FromJson {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let input = self.input.open(streams.input, &streams.interrupt);
        convert(input, streams.output)?;
        Ok(Verdict::Passed)
    }
}

fn convert(mut input: impl Read, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    let mut stream = Vec::new();
    loop {
        while let Some(line) = lines.next_line()? {
            stream.clear();
            let read = if line.trim_ascii().is_empty() { Ok(()) } else { read_line(line, &mut stream) };
            read.with_context(|| format!("line {}", lines.number))?;
            out.write_all(&stream)?;
        }
        if lines.eof {
            return Ok(());
        }
        out.flush()?;
        lines.fill(&mut input)?;
    }
}

/// Bytes that are handed out line by line.
#[derive(Default)]
struct Lines {
    buffer: Vec<u8>,
    /// What comes before this has been handed out.
    start: usize,
    /// There is no newline before this.
    searched: usize,
    /// The number of the last line, counted from 1.
    number: u64,
    eof: bool,
}

impl Lines {
    /// The next line that is there as a whole, without its newline.
    fn next_line(&mut self) -> anyhow::Result<Option<&[u8]>> {
        let unsearched = part(&self.buffer, self.searched..);
        let end = match unsearched.iter().position(|byte| *byte == b'\n') {
            Some(at) => self.searched + at,
            None if self.eof && self.start < self.buffer.len() => self.buffer.len(),
            None => {
                self.searched = self.buffer.len();
                if self.searched - self.start > LONGEST_LINE {
                    bail!("line {} is longer than {LONGEST_LINE} bytes", self.number + 1);
                }
                return Ok(None);
            }
        };
        let start = self.start;
        self.start = (end + 1).min(self.buffer.len());
        self.searched = self.start;
        self.number += 1;
        Ok(Some(part(&self.buffer, start..end)))
    }

    fn fill(&mut self, input: &mut impl Read) -> anyhow::Result<()> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let len = self.buffer.len();
        self.buffer.resize(len + READ, 0);
        let read = loop {
            match input.read(part_mut(&mut self.buffer, len..)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let count = read.as_ref().copied().unwrap_or_default();
        self.buffer.truncate(len + count);
        self.eof = count == 0;
        read?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const FOO: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
    const LINE: &str = "{\"id\":\"foo\",\"status\":\"exists\"}";

    fn check(input: &[u8], verdict: Verdict, packets: usize, errors: &str) {
        let outcome = cli::run_with::<FromJson>(&[], input);
        assert_eq!((outcome.verdict, outcome.errors()), (verdict, errors));
        assert_eq!(outcome.output, FOO.repeat(packets));
    }

    #[test]
    fn the_arguments_are_sound() {
        FromJson::command().debug_assert();
    }

    #[test]
    fn each_line_is_read_also_one_without_an_end() {
        check(b"", Verdict::Passed, 0, "");
        check(format!("{LINE}\r\n\n  \n{LINE}").as_bytes(), Verdict::Passed, 2, "");
        check(format!("{LINE}\n").repeat(10_000).as_bytes(), Verdict::Passed, 10_000, "");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_what_came_before_is_kept() {
        let error = "json2subunit: line 3: not an object: {…}\n";
        check(format!("{LINE}\n\nnull\n{LINE}\n").as_bytes(), Verdict::Error, 1, error);
        let long = vec![b' '; LONGEST_LINE + READ + 1];
        check(&long, Verdict::Error, 0, "json2subunit: line 1 is longer than 33554432 bytes\n");
    }
}
