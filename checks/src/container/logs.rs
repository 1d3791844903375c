//! The container's log.

use net::encode;
use probe::{Finding, Limits};
use regex::Regex;

use super::engine::Engine;
use super::inspect::Inspect;
use crate::network::Evidence as _;

/// How much of a log is read.
const MOST: usize = 4 << 20;
/// How many matching lines a reason shows.
const SHOWN: usize = 3;

/// Whether a line among the last ones matches.
pub(super) fn logs(
    engine: &Engine,
    inspect: &Inspect,
    pattern: &Regex,
    lines: u32,
    limits: Limits<'_>,
) -> Finding {
    let path = format!("/containers/{}/logs?stdout=1&stderr=1&tail={lines}", encode(&inspect.id));
    let exchange = engine.get_long(&path, MOST, limits);
    let response = match exchange.answer() {
        Ok(response) if response.status == 200 => response,
        Ok(response) => {
            let reason = format!("the engine does not give its log: {}", response.describe());
            return exchange.witness(Finding::unknown(reason));
        }
        Err(finding) => return *finding,
    };
    let text = lossy(&Chunks(&response.body).text());
    judge(&text, pattern)
}

/// The finding about a log.
pub(super) fn judge(text: &str, pattern: &Regex) -> Finding {
    let matching: Vec<_> = text.lines().filter(|line| pattern.is_match(line)).collect();
    let finding = match matching.as_slice() {
        [] => Finding::fine(format!("no line of the last {} matches {pattern}", text.lines().count())),
        [.., last] => {
            let count = matching.len();
            Finding::broken(format!("{count} lines of its log match {pattern}, the last one: {last}"))
                .with_text("log.txt", text.to_owned())
        }
    };
    let evidence = matching.iter().rev().take(SHOWN).map(|line| format!("{line}\n")).collect();
    finding.with_metric("matching_lines", matching.len() as f64).with_text("matching.txt", evidence)
}

/// Output as engines send it, in frames: stream, three zeros, length in four bytes, payload. Of a container with a
/// terminal it comes as it is.
pub(super) struct Chunks<'a>(pub(super) &'a [u8]);

impl Chunks<'_> {
    /// All payloads, or all of it.
    pub(super) fn text(&self) -> Vec<u8> {
        let (mut text, mut rest) = (Vec::new(), self.0);
        while let [0..=2, 0, 0, 0, a, b, c, d, payload @ ..] = rest {
            let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            let (chunk, after) = payload.split_at(length.min(payload.len()));
            text.extend_from_slice(chunk);
            rest = after;
        }
        text.extend_from_slice(rest);
        text
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(lossy(&Chunks(bytes).text()), expected);
    }

    #[test]
    fn output_comes_in_frames_or_as_it_is() {
        check(b"", "");
        check(b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\x02\ntwo", "one\ntwo");
        check(b"a terminal's\r\n", "a terminal's\r\n");
        check(b"\x01\0\0\0\0\0\0\x09cut", "cut");
        check(b"\x01\0\0\0\xff\xff\xff\xffcut", "cut");
    }

    #[test]
    fn matching_lines_are_counted_and_the_last_is_shown() {
        let found = judge("fine\nERROR one\nERROR two\n", &Regex::new("^ERROR").unwrap());
        assert!(
            found
                .level
                .reason()
                .unwrap()
                .ends_with("2 lines of its log match ^ERROR, the last one: ERROR two")
        );
        assert_eq!(judge("fine\n", &Regex::new("ERROR").unwrap()).level.reason(), None);
    }
}
