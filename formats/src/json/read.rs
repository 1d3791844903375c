//! Lines to bytes.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use subunit::io::Writer;
use subunit::{Event, File, Packet, Status, Tags};

use crate::time;

/// What a line says. Unknown keys are errors: they would be lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<String>,
    status: Option<String>,
    route: Option<String>,
    time: Option<String>,
    tags: Option<Vec<String>>,
    runnable: Option<bool>,
    file: Option<Content>,
    mime: Option<String>,
    #[serde(default)]
    eof: bool,
    packet: Option<String>,
    text: Option<String>,
    base64: Option<String>,
    damage: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    name: String,
    text: Option<String>,
    base64: Option<String>,
}

/// Why a line could not be read: what is wrong with it.
#[derive(Debug)]
pub struct LineError(String);

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for LineError {}

fn error(what: impl fmt::Display) -> LineError {
    LineError(what.to_string())
}

/// Appends the bytes that a line stands for: a packet, text or damage. A file that is too long for a packet gets
/// several.
///
/// ```
/// let mut out = Vec::new();
/// formats::json::read_line(br#"{"id":"foo","status":"exists"}"#, &mut out)?;
/// assert_eq!(out, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
/// # Ok::<(), formats::json::LineError>(())
/// ```
///
/// # Errors
///
/// When it is not an object of this kind, or is an event that subunit cannot express; then nothing is appended.
pub fn read_line(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(error("not an object: {…}"));
    }
    let line: Line = serde_json::from_slice(line).map_err(explain)?;
    if let Some(damage) = &line.damage {
        line.is_alone("damage")?;
        out.extend(bytes_of("damage", damage)?);
    } else if line.text.is_some() || line.base64.is_some() {
        line.is_alone("text")?;
        out.extend_from_slice(&content(line.text.as_deref(), line.base64.as_deref())?);
    } else {
        line.event(out)?;
    }
    Ok(())
}

/// The message without the line's number, which is always 1.
fn explain(error: serde_json::Error) -> LineError {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    LineError(format!("{text} (column {})", error.column()))
}

impl Line {
    /// Checks that a line that is not an event has none of an event's fields.
    fn is_alone(&self, what: &str) -> Result<(), LineError> {
        let strings = [&self.id, &self.status, &self.route, &self.time, &self.mime, &self.packet];
        let event = strings.iter().any(|string| string.is_some())
            || self.tags.is_some()
            || self.runnable.is_some()
            || self.file.is_some()
            || self.eof;
        let both = self.damage.is_some() && (self.text.is_some() || self.base64.is_some());
        if event || both { Err(error(format!("{what} stands with other keys"))) } else { Ok(()) }
    }

    fn event(&self, out: &mut Vec<u8>) -> Result<(), LineError> {
        if self.error.is_some() {
            return Err(error("error stands without damage"));
        }
        let tags: Option<Vec<&str>> =
            self.tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect());
        let file = match &self.file {
            Some(file) => Some((file.name.as_str(), content(file.text.as_deref(), file.base64.as_deref())?)),
            None => None,
        };
        let time = |text: &String| {
            time::parse_rfc3339(text).ok_or_else(|| error(format!("{text:?} is not a time of 1970 to 2106")))
        };
        let event = Event {
            test_id: self.id.as_deref(),
            status: self.status.as_deref().map(status).transpose()?,
            tags: tags.as_deref().map(Tags::from).unwrap_or_default(),
            runnable: self.runnable.unwrap_or(self.id.is_some()),
            file: file.as_ref().map(|(name, bytes)| File { name, bytes }),
            mime_type: self.mime.as_deref(),
            eof: self.eof,
            route_code: self.route.as_deref(),
            timestamp: self.time.as_ref().map(time).transpose()?,
        };
        self.write(&event, out)
    }

    /// Writes the packet that is given, if it says what the fields say, else one that does.
    fn write(&self, event: &Event<'_>, out: &mut Vec<u8>) -> Result<(), LineError> {
        if let Some(packet) = &self.packet {
            let bytes = bytes_of("packet", packet)?;
            let packet = Packet::parse(&bytes).map_err(|what| error(format!("packet: {what}")))?;
            if packet.event() == *event {
                out.extend_from_slice(&bytes);
                return Ok(());
            }
        }
        let start = out.len();
        let mut writer = Writer::new(&mut *out);
        let written = writer.write(event).and_then(|()| writer.flush());
        drop(writer);
        written.map_err(|what| {
            out.truncate(start);
            error(what)
        })
    }
}

fn status(word: &str) -> Result<Status, LineError> {
    word.parse().map_err(|what| error(format!("{word:?} is {what}")))
}

fn content<'a>(text: Option<&'a str>, base64: Option<&str>) -> Result<Cow<'a, [u8]>, LineError> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(error("text and base64 stand together")),
        (Some(text), None) => Ok(Cow::Borrowed(text.as_bytes())),
        (None, Some(base64)) => bytes_of("base64", base64).map(Cow::Owned),
        (None, None) => Err(error("a file has neither text nor base64")),
    }
}

fn bytes_of(key: &str, base64: &str) -> Result<Vec<u8>, LineError> {
    BASE64_STANDARD.decode(base64).map_err(|what| error(format!("{key}: {what}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use subunit::io::Reader;
    use subunit::strategy;

    use super::*;
    use crate::json::FrameWriter;

    fn lines(stream: &[u8]) -> Vec<u8> {
        let mut lines = Vec::new();
        let mut writer = FrameWriter::default();
        let mut reader = Reader::new(stream);
        while let Some(frame) = reader.next_frame().unwrap() {
            writer.push(&frame, &mut lines);
        }
        lines
    }

    fn bytes(lines: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            read_line(line, &mut out).unwrap();
        }
        out
    }

    proptest! {
        #[test]
        fn any_stream_comes_back_to_the_byte(pieces in strategy::pieces()) {
            let stream: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
            let lines = lines(&stream);
            prop_assert!(lines.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\n'));
            prop_assert_eq!(bytes(&lines), stream);
        }

        #[test]
        fn no_line_is_too_strange(line in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut out = Vec::new();
            prop_assert!(read_line(&line, &mut out).is_ok() || out.is_empty());
        }
    }

    #[test]
    fn a_packet_in_another_form_comes_back_in_it() {
        // The test id's length takes two bytes where one would do.
        let mut packet = b"\xb3\x29\x01\x0d\x40\x03foo".to_vec();
        packet.extend(crc32(&packet).to_be_bytes());
        let lines = lines(&packet);
        assert!(String::from_utf8_lossy(&lines).contains(r#""packet":""#));
        assert_eq!(bytes(&lines), packet);
        let edited = String::from_utf8(lines).unwrap().replace("foo", "bar");
        let mut expected = Vec::new();
        subunit::encode(&Event::status("bar", Status::Exists), &mut expected).unwrap();
        assert_eq!(bytes(edited.as_bytes()), expected, "the fields count where they were changed");
    }

    /// Bit by bit, as the standard defines it.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |sum, byte| {
            (0..8)
                .fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 })
        })
    }

    #[test]
    fn a_file_that_is_too_long_gets_several_packets() {
        let line = format!(r#"{{"id":"a","file":{{"name":"log","text":"{}"}}}}"#, "x".repeat(5_000_000));
        let stream = bytes(line.as_bytes());
        assert_eq!(lines(&stream).split_inclusive(|byte| *byte == b'\n').count(), 2);
    }

    fn check_error(line: &str, expected: &str) {
        let mut out = Vec::new();
        assert_eq!(read_line(line.as_bytes(), &mut out).unwrap_err().to_string(), expected);
        assert!(out.is_empty());
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        check_error("{\"id\":1}", "invalid type: integer `1`, expected a string (column 7)");
        check_error("[]", "not an object: {…}");
        check_error("{}{}", "trailing characters (column 3)");
        check_error(
            "{\"idd\":\"x\"}",
            "unknown field `idd`, expected one of `id`, `status`, `route`, `time`, `tags`, `runnable`, `file`, `mime`, `eof`, `packet`, `text`, `base64`, `damage`, `error` (column 6)",
        );
        check_error(
            "{\"status\":\"ok\"}",
            "\"ok\" is not a status (exists, inprogress, success, uxsuccess, skip, fail and xfail are)",
        );
        check_error(
            "{\"time\":\"1960-01-01T00:00:00Z\"}",
            "\"1960-01-01T00:00:00Z\" is not a time of 1970 to 2106",
        );
        check_error("{\"text\":\"a\",\"id\":\"b\"}", "text stands with other keys");
        check_error("{\"text\":\"a\",\"base64\":\"b\"}", "text and base64 stand together");
        check_error("{\"id\":\"a\",\"file\":{\"name\":\"b\"}}", "a file has neither text nor base64");
        check_error("{\"damage\":\"?\"}", "damage: Invalid symbol 63, offset 0.");
        check_error("{\"id\":\"a\\u0000\"}", "test id holds a NUL, which subunit cannot carry");
        check_error("{\"id\":\"a\"", "EOF while parsing an object (column 9)");
    }
}
