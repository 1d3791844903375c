//! The command `subunit-dump`: what is in a stream, one line per frame.

use std::fmt::Write as _;
use std::io::{self, Read, Write};

use cli::{Command, InputArgs, OutputArgs, PassthroughArgs, Shared, Streams, Verdict};
use formats::{time, visible};
use subunit::io::Reader;
use subunit::{Frame, Packet};

use crate::report::{ReportWriter, is_loose};
use crate::sources;

/// Show what is in a stream, one line for each packet, stretch of text and stretch of damage
///
/// Only the fields that a packet has are shown. Of attachments and text, the beginning is shown, and the length in
/// bytes; damage comes with its reason.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-dump",
    version,
    after_help = cli::help!(
        [Passed = "the stream was shown, whatever its tests did"],
        "  subunit-dump run.subunit | head\n  \
           subunit-dump --offsets run.subunit | grep damage\n  \
           make check | subunit-dump --hex"
    )
)]
pub struct Dump {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
    /// Begin each line with the offset and the length of the frame, in bytes
    #[arg(long)]
    offsets: bool,
    /// End each line with all bytes of the frame
    #[arg(long)]
    hex: bool,
}

impl Command for Dump {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, interrupt, .. } = streams;
        let mut page = ReportWriter::new(self.output.open(&Shared::new(output))?);
        sources::each(&self.input, input, &interrupt, |path, input| {
            if self.input.files.len() > 1 {
                writeln!(page, "stream {}", quoted(path.as_os_str().as_encoded_bytes()))?;
            }
            Ok(self.dump(input, &mut page)?)
        })?;
        page.finish()?;
        Ok(Verdict::Passed)
    }
}

impl Dump {
    fn dump(&self, input: impl Read, output: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        Reader::new(input).each(
            output,
            |output, frame, offset| {
                if self.passthrough.no_passthrough && is_loose(&frame) {
                    return Ok(());
                }
                line.clear();
                self.line(&frame, offset, &mut line);
                output.write_all(line.as_bytes())?;
                if self.hex {
                    write_hex(frame.as_bytes(), output)?;
                }
                output.write_all(b"\n")
            },
            |output| output.flush(),
        )
    }

    fn line(&self, frame: &Frame<'_>, offset: u64, line: &mut String) {
        let bytes = frame.as_bytes();
        if self.offsets {
            add(line, format_args!("{offset:>10} {:>7}  ", bytes.len()));
        }
        match frame {
            Frame::Packet(packet) => {
                line.push_str("packet");
                add_fields(packet, line);
            }
            Frame::Text(text) => add(line, format_args!("text {}", sample(text))),
            Frame::Corrupt(damage, error) => {
                let (shown, more) = beginning(damage);
                let shown = shown.escape_ascii();
                add(line, format_args!("damage {} \"{shown}\"{more}: {error}", damage.len()));
            }
        }
    }
}

fn add(line: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = line.write_fmt(words);
}

fn add_fields(packet: &Packet<'_>, line: &mut String) {
    let event = packet.event();
    let strings = [("id", event.test_id), ("status", event.status.map(|status| status.as_str()))];
    strings.into_iter().for_each(|(name, text)| add_string(name, text, line));
    if event.runnable != event.test_id.is_some() {
        line.push_str(if event.runnable { " runnable" } else { " not-runnable" });
    }
    if !event.tags.is_absent() {
        let tags: Vec<String> = event.tags.iter().map(value).collect();
        add(line, format_args!(" tags={}", tags.join(",")));
    }
    if let Some(file) = event.file {
        add(line, format_args!(" file={}:{}", value(file.name), sample(file.bytes)));
    }
    add_string("mime", event.mime_type, line);
    if event.eof {
        line.push_str(" eof");
    }
    add_string("route", event.route_code, line);
    add_string("time", event.timestamp.map(time::rfc3339).as_deref(), line);
}

fn add_string(name: &str, text: Option<&str>, line: &mut String) {
    if let Some(text) = text {
        add(line, format_args!(" {name}={}", value(text)));
    }
}

/// A word as it is, anything else in quotes.
fn value(text: &str) -> String {
    let is_plain = |character: char| !matches!(character, ' ' | '"' | '\\' | ',');
    if !text.is_empty() && text.chars().all(is_plain) && visible::line(text) == text {
        text.to_owned()
    } else {
        quoted(text.as_bytes())
    }
}

/// How many bytes there are, and which come first.
fn sample(bytes: &[u8]) -> String {
    let (shown, more) = beginning(bytes);
    format!("{} {}{more}", bytes.len(), quoted(shown))
}

/// The bytes that are shown, and the sign that there are others.
fn beginning(bytes: &[u8]) -> (&[u8], &'static str) {
    match bytes.split_at_checked(SHOWN) {
        Some((shown, [_, ..])) => (shown, "..."),
        _ => (bytes, ""),
    }
}

/// At most this many bytes of an attachment are shown.
const SHOWN: usize = 48;

/// These bytes in quotes, with nothing in them that a terminal would obey, and nothing that is ambiguous.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        text += &visible::line(&chunk.valid().replace('\\', r"\\").replace('"', r#"\""#));
        chunk.invalid().iter().for_each(|byte| add(&mut text, format_args!(r"\x{byte:02x}")));
    }
    text.push('"');
    text
}

fn write_hex(bytes: &[u8], output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"  |")?;
    let mut text = String::new();
    for piece in bytes.chunks(4096) {
        text.clear();
        piece.iter().for_each(|byte| add(&mut text, format_args!(" {byte:02x}")));
        output.write_all(text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cli::run_with;
    use subunit::{Event, File, PacketBuf, Status, Tags, Timestamp};

    use super::*;

    const FOO: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

    fn check(args: &[&str], input: &[u8], expected: &str) {
        let outcome = run_with::<Dump>(args, input);
        assert_eq!((outcome.verdict, outcome.output()), (Verdict::Passed, expected));
    }

    #[test]
    fn every_frame_is_a_line() {
        let mut damaged = FOO.to_vec();
        damaged[5] ^= 1;
        let input = [b"a \"b\"\n\xff", FOO, &damaged].concat();
        let text = "text 7 \"a \\\"b\\\"\\n\\xff\"";
        let damage = "damage 12 \"\\xb3)\\x01\\x0c\\x03goo\\x08U_\\x1b\": checksum is 08555f1b but the bytes give \
                      0997352c (at byte 8)";
        check(&[], &input, &format!("{text}\npacket id=foo status=exists\n{damage}\n"));
        check(
            &["--offsets", "--hex"],
            FOO,
            "         0      12  packet id=foo status=exists  | b3 29 01 0c 03 66 6f 6f 08 55 5f 1b\n",
        );
    }

    #[test]
    fn all_that_a_packet_has_is_shown() {
        let event = Event {
            test_id: Some("a b\x1b"),
            status: Some(Status::Fail),
            tags: Tags::from(&["x", ""]),
            runnable: false,
            file: Some(File { name: "log", bytes: &[b'.'; 50] }),
            mime_type: Some("text/plain;charset=utf8"),
            eof: true,
            route_code: Some("0/1"),
            timestamp: Timestamp::new(1_700_000_000, 500_000_000),
        };
        let dots = ".".repeat(48);
        let expected = format!(
            "packet id=\"a b\\x1b\" status=fail not-runnable tags=x,\"\" file=log:50 \"{dots}\"... \
             mime=text/plain;charset=utf8 eof route=0/1 time=2023-11-14T22:13:20.500Z\n"
        );
        check(&[], PacketBuf::encode(&event).unwrap().as_bytes(), &expected);
        let empty = PacketBuf::encode(&Event { tags: Tags::from(&[]), ..Event::default() }).unwrap();
        check(&[], empty.as_bytes(), "packet tags=\n");
    }
}
