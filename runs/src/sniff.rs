//! Which version of the protocol a stream is of.

use std::io::{self, Read};

use formats::recognise::is_v1;
use subunit::{SIGNATURE, part};

/// Text of this length before anything that tells is a stream of version 2, which keeps text as it is.
const MOST: usize = 64 * 1024;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Lines of text.
    V1,
    /// Packets.
    V2,
}

/// Reads the beginning of a stream, as far as it takes to tell its version; the bytes that were read come with it.
///
/// A packet's signature tells, or a line with which a stream of version 1 begins. What does not tell is taken for
/// version 2: stored as it is.
pub(super) fn protocol(input: &mut impl Read) -> io::Result<(Protocol, Vec<u8>)> {
    let mut head = Vec::new();
    let mut piece = vec![0; MOST];
    let mut line_start = 0;
    loop {
        let count = match input.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        head.extend_from_slice(part(&piece, ..count));
        while let Some(line) = next_line(&head, line_start, count == 0) {
            if let Some(protocol) = tell(line) {
                return Ok((protocol, head));
            }
            line_start += line.len();
        }
        if count == 0 || head.len() > MOST || head.contains(&SIGNATURE) {
            return Ok((Protocol::V2, head));
        }
    }
}

/// The line that begins there, if it is whole.
fn next_line(head: &[u8], start: usize, eof: bool) -> Option<&[u8]> {
    let rest = head.get(start..)?;
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => rest.get(..=end),
        None => (eof && !rest.is_empty()).then_some(rest),
    }
}

fn tell(line: &[u8]) -> Option<Protocol> {
    if line.contains(&SIGNATURE) {
        return Some(Protocol::V2);
    }
    is_v1(line).then_some(Protocol::V1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    fn check(stream: &[u8], expected: Protocol) {
        let (found, head) = protocol(&mut &*stream).unwrap();
        assert_eq!(found, expected, "{}", stream.escape_ascii());
        assert!(stream.starts_with(&head));
        let (found, head) = protocol(&mut Slow(stream)).unwrap();
        assert_eq!(found, expected, "{} in pieces", stream.escape_ascii());
        assert!(stream.starts_with(&head));
    }

    #[test]
    fn the_first_thing_that_tells_decides() {
        check(b"test: a\nsuccess: a\n", Protocol::V1);
        check(b"building\ntime: 2026-01-01 00:00:00Z\n", Protocol::V1);
        check(b"testing: a", Protocol::V1);
        check(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b", Protocol::V2);
        check(b"make: test\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b\ntest: a\n", Protocol::V2);
        check(b"\xb3 and\ntest: a\n", Protocol::V2);
    }

    #[test]
    fn what_does_not_tell_stays_as_it_is() {
        check(b"", Protocol::V2);
        check(b"time: is up\n test: a\nerror: no such file\n", Protocol::V2);
        check(&[b'x'; MOST + 1], Protocol::V2);
    }
}
