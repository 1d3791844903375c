//! Streams written as text, a line a packet.
//!
//! ```text
//! id=boot status=inprogress time=100
//! id=boot file=log:ready\n mime=text/plain eof time=100.5
//! id=boot status=fail tag=slow tag=linux route=0/1 time=101.25
//! text=make: nothing to be done\n
//! raw=b3 29 01
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | `id=` `status=` `tag=` `mime=` `route=` | the field; `tag=` may be repeated, `tags` alone is an empty list |
//! | `time=SECONDS[.FRACTION]` | the timestamp |
//! | `file=NAME:BYTES` | a piece of a file; `fill=N` makes it N bytes of numbered lines instead |
//! | `eof`, `runnable`, `not-runnable` | the flags; an event with an id is runnable unless it says otherwise |
//! | `cut=N` | the packets of the line, without their last N bytes |
//! | `flip=N` | their byte N inverted |
//! | `text=…` | the rest of the line as it is, between packets |
//! | `raw=HEX` | bytes |
//!
//! Values know `\n`, `\t`, `\s` (a blank), `\\` and `\xHH`. Lines that begin with `#` and empty ones say nothing.

use std::num::ParseIntError;

use anyhow::{Context as _, Result, bail, ensure};
use subunit::{Event, File, Status, Tags, Timestamp, encode_chunks};

/// The bytes that these lines stand for.
///
/// # Errors
///
/// At the first line that is not in this notation, or is an event that cannot be written.
pub fn stream(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        line_into(line, &mut bytes).with_context(|| format!("in {line:?}"))?;
    }
    Ok(bytes)
}

/// Appends the bytes that this line stands for.
///
/// # Errors
///
/// When it is not in this notation, or is an event that cannot be written.
pub fn line_into(line: &str, out: &mut Vec<u8>) -> Result<()> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if let Some(text) = line.strip_prefix("text=") {
        out.extend(unescape(text)?);
        return Ok(());
    }
    if let Some(hex) = line.strip_prefix("raw=") {
        out.extend(bytes_of_hex(hex)?);
        return Ok(());
    }
    let mut words = LineFields::default();
    for word in line.split_ascii_whitespace() {
        words.take(word).with_context(|| format!("{word:?}"))?;
    }
    words.write(out)
}

/// The fields of a line, as far as they were read.
#[derive(Default)]
struct LineFields {
    id: Option<String>,
    status: Option<Status>,
    tags: Option<Vec<String>>,
    runnable: Option<bool>,
    file: Option<(String, Vec<u8>)>,
    mime: Option<String>,
    eof: bool,
    route: Option<String>,
    time: Option<Timestamp>,
    cut: usize,
    flip: Option<usize>,
}

impl LineFields {
    fn take(&mut self, word: &str) -> Result<()> {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let text = || Ok::<_, anyhow::Error>(String::from_utf8(unescape(value)?)?);
        match key {
            "id" => self.id = Some(text()?),
            "status" => self.status = Some(value.parse()?),
            "tag" => self.tags.get_or_insert_default().push(text()?),
            "tags" => self.tags = Some(Vec::new()),
            "runnable" => self.runnable = Some(true),
            "not-runnable" => self.runnable = Some(false),
            "file" => self.file = Some(file(value)?),
            "fill" => {
                self.file.as_mut().context("fill= comes after file=")?.1 = numbered_lines(value.parse()?)
            }
            "mime" => self.mime = Some(text()?),
            "eof" => self.eof = true,
            "route" => self.route = Some(text()?),
            "time" => self.time = Some(time(value)?),
            "cut" => self.cut = value.parse()?,
            "flip" => self.flip = Some(value.parse()?),
            _ => bail!("no such word"),
        }
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        let tags: Option<Vec<&str>> =
            self.tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect());
        let event = Event {
            test_id: self.id.as_deref(),
            status: self.status,
            tags: tags.as_deref().map(Tags::from).unwrap_or_default(),
            runnable: self.runnable.unwrap_or(self.id.is_some()),
            file: self.file.as_ref().map(|(name, bytes)| File { name, bytes }),
            mime_type: self.mime.as_deref(),
            eof: self.eof,
            route_code: self.route.as_deref(),
            timestamp: self.time,
        };
        let start = out.len();
        encode_chunks(&event, out)?;
        out.truncate(out.len().saturating_sub(self.cut).max(start));
        if let Some(at) = self.flip {
            *out.get_mut(start + at).context("flip= is past the packet's end")? ^= 0xFF;
        }
        Ok(())
    }
}

fn file(value: &str) -> Result<(String, Vec<u8>)> {
    let (name, bytes) = value.split_once(':').unwrap_or((value, ""));
    Ok((String::from_utf8(unescape(name)?)?, unescape(bytes)?))
}

/// This many bytes of lines that tell their number.
#[must_use]
pub fn numbered_lines(len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 16);
    for number in 1.. {
        if bytes.len() >= len {
            break;
        }
        bytes.extend(format!("line {number:09}\n").bytes());
    }
    bytes.truncate(len);
    bytes
}

fn time(value: &str) -> Result<Timestamp> {
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, ""));
    let nanoseconds = format!("{fraction:0<9}").parse()?;
    Timestamp::new(seconds.parse()?, nanoseconds).with_context(|| format!("{value} is not a time"))
}

fn bytes_of_hex(text: &str) -> Result<Vec<u8>> {
    let digits: String = text.split_ascii_whitespace().collect();
    ensure!(digits.len().is_multiple_of(2), "a byte is two digits");
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(hex(std::str::from_utf8(pair)?)?)).collect()
}

fn hex(pair: &str) -> Result<u8, ParseIntError> {
    u8::from_str_radix(pair, 16)
}

fn unescape(value: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend(plain.bytes());
        let code = escaped.chars().next().context("a backslash at the end")?;
        rest = escaped.strip_prefix(code).unwrap_or_default();
        match code {
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            's' => bytes.push(b' '),
            '\\' => bytes.push(b'\\'),
            'x' => {
                let (pair, after) = rest.split_at_checked(2).context("two digits come after \\x")?;
                bytes.push(hex(pair)?);
                rest = after;
            }
            other => bail!("no such escape: \\{other}"),
        }
    }
    bytes.extend(rest.bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use subunit::PacketBuf;

    use super::*;

    fn check(line: &str, expected: &Event<'_>) {
        assert_eq!(PacketBuf::parse(stream(line).unwrap().into()).unwrap().event(), *expected);
    }

    #[test]
    fn a_line_is_an_event() {
        check("id=a status=fail", &Event::status("a", Status::Fail));
        check("file=log:a\\sb\\n", &Event::file("log", b"a b\n"));
        let all = Event {
            tags: Tags::from(&["x", "y"]),
            runnable: false,
            file: Some(File { name: "log", bytes: b"\xff:" }),
            mime_type: Some("text/plain"),
            eof: true,
            route_code: Some("0/1"),
            timestamp: Timestamp::new(1, 500_000_000),
            ..Event::status("a b", Status::Skip)
        };
        let line = "id=a\\sb status=skip tag=x tag=y not-runnable file=log:\\xff: mime=text/plain eof route=0/1 time=1.5";
        check(line, &all);
    }

    #[test]
    fn bytes_between_packets_are_as_written() {
        assert_eq!(stream("# nothing\n\ntext=a b\\n\nraw=b3 0Aff\n").unwrap(), b"a b\n\xb3\x0a\xff");
    }

    #[test]
    fn a_packet_can_be_damaged() {
        let whole = stream("id=a status=fail").unwrap();
        assert_eq!(stream("id=a status=fail cut=3").unwrap(), whole[..whole.len() - 3]);
        assert_eq!(stream("id=a status=fail flip=0").unwrap()[0], 0xB3 ^ 0xFF);
    }

    #[test]
    fn what_is_not_in_the_notation_is_refused() {
        for line in ["id=a status=passed", "colour=red", "fill=3", "id=\\q", "id=\\xf", "raw=b", "time=x"] {
            assert!(stream(line).is_err(), "{line}");
        }
    }
}
