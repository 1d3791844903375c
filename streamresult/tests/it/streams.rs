//! `drive` and `edit`: streams of bytes.

use std::io::{self, Read};

use streamresult::{DAMAGE_ID, Edit, StreamResult, TextEdit, drive, edit, edit_packets};
use subunit::io::{Reader, Writer};
use subunit::{Event, File, Frame, MAX_PACKET, PacketBuf, Status};

use crate::script::{Lines, check_lines};

fn packet(event: &Event<'_>) -> Vec<u8> {
    PacketBuf::encode(event).unwrap().as_bytes().to_vec()
}

fn status(id: &str, status: Status) -> Vec<u8> {
    packet(&Event::status(id, status))
}

/// A packet with a byte of its checksum changed.
fn damaged() -> Vec<u8> {
    let mut bytes = status("broken", Status::Success);
    *bytes.last_mut().unwrap() ^= 0xFF;
    bytes
}

/// A stream with text before, between and after its packets, and damage.
fn stream() -> Vec<u8> {
    let parts = [
        b"starting\n".to_vec(),
        status("a", Status::InProgress),
        b"hello\n".to_vec(),
        damaged(),
        status("a", Status::Fail),
        b"bye".to_vec(),
    ];
    parts.concat()
}

#[test]
fn a_stream_is_pushed_with_its_text_and_its_damage() {
    let mut lines = Lines::default();
    drive(&stream()[..], &mut lines).unwrap();
    let damage = lines.0.remove(4);
    let error = lines.0.remove(4);
    check_lines(
        &lines.0,
        r"start
          - - file=stdout:starting\n norun
          a inprogress
          - - file=stdout:hello\n norun
          a fail
          - - file=stdout:bye norun
          stop",
    );
    assert!(damage.starts_with("subunit.parser - file=Packet data:"), "{damage}");
    assert!(damage.ends_with(" mime=application/octet-stream eof"), "{damage}");
    let offset = 9 + status("a", Status::InProgress).len() + 6;
    let expected =
        format!("subunit.parser fail file=Parser Error:damaged packet at offset {offset} of the stream");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.ends_with(" mime=text/plain;charset=utf8 eof"), "{error}");
}

/// Gives a part at each read, and says when it is asked for the next.
struct Parts<'a>(std::slice::Iter<'a, Vec<u8>>, &'a std::cell::RefCell<Vec<String>>);

impl Read for Parts<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.1.borrow_mut().push("read".to_owned());
        self.0.next().map_or(Ok(0), |part| part.as_slice().read(room))
    }
}

struct Calls<'a>(&'a std::cell::RefCell<Vec<String>>);

impl StreamResult for Calls<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.borrow_mut().push(event.test_id.unwrap_or("-").to_owned());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().push("flush".to_owned());
        Ok(())
    }
}

#[test]
fn the_sink_is_flushed_before_each_read_that_may_block() {
    let calls = std::cell::RefCell::default();
    let two = [status("a", Status::Success), status("b", Status::Success)].concat();
    let parts = [two, b"text".to_vec(), status("c", Status::Success)];
    drive(Parts(parts.iter(), &calls), &mut Calls(&calls)).unwrap();
    let calls = calls.into_inner().join(" ");
    assert!(calls.starts_with("flush read a b flush read - flush read c flush read"), "{calls}");
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    struct Full(Vec<&'static str>);
    impl StreamResult for Full {
        fn status(&mut self, _: &Event<'_>) -> io::Result<()> {
            self.0.push("status");
            Err(io::Error::other("full"))
        }

        fn stop_run(&mut self) -> io::Result<()> {
            self.0.push("stop");
            Err(io::Error::other("still full"))
        }
    }
    let mut full = Full(Vec::new());
    assert_eq!(drive(&stream()[..], &mut full).unwrap_err().to_string(), "full");
    assert_eq!(full.0, ["status", "stop"]);
}

#[test]
fn a_writer_is_a_sink_and_damage_survives_it() {
    let mut once = Writer::new(Vec::new());
    drive(&stream()[..], &mut once).unwrap();
    let once = once.into_inner().unwrap();
    let mut twice = Writer::new(Vec::new());
    drive(&once[..], &mut twice).unwrap();
    assert!(once == twice.into_inner().unwrap(), "packets pass as they are");
    let mut reader = Reader::new(&once[..]);
    let mut ids = Vec::new();
    while let Some(Frame::Packet(packet)) = reader.next_frame().unwrap() {
        ids.push(packet.test_id().unwrap_or("-").to_owned());
    }
    assert_eq!(ids, ["-", "a", "-", DAMAGE_ID, DAMAGE_ID, "a", "-"]);
}

fn check_edit(text: TextEdit, expected: &[Vec<u8>]) {
    let mut out = Vec::new();
    edit(&stream()[..], &mut out, text, |event, out| match event.status {
        Some(Status::Fail) => Edit::replace(out, &Event { status: Some(Status::XFail), ..*event }),
        _ => Ok(Edit::Drop),
    })
    .unwrap();
    assert_eq!(out, expected.concat());
}

#[test]
fn packets_are_edited_and_the_rest_stays_in_place() {
    let (text, damage, edited) =
        (|text: &str| text.as_bytes().to_vec(), damaged(), status("a", Status::XFail));
    let all = [text("starting\n"), text("hello\n"), damage.clone(), edited.clone(), text("bye")];
    check_edit(TextEdit::Keep, &all);
    check_edit(TextEdit::Drop, &[damage, edited]);
}

#[test]
fn a_packet_that_no_longer_fits_is_split() {
    let bytes = vec![b'x'; MAX_PACKET - 30];
    let file = Some(File { name: "log", bytes: &bytes });
    let stream = packet(&Event { file, eof: true, ..Event::status("a", Status::Fail) });
    let mut out = Vec::new();
    edit(&stream[..], &mut out, TextEdit::Keep, |event, out| {
        Edit::replace(out, &Event { route_code: Some("a long code before the route"), ..*event })
    })
    .unwrap();
    let mut lines = Vec::new();
    let mut len = 0;
    let mut reader = Reader::new(&out[..]);
    while let Some(Frame::Packet(packet)) = reader.next_frame().unwrap() {
        len += packet.file().map_or(0, |file| file.bytes.len());
        lines.push((packet.status(), packet.eof(), packet.route_code().map(str::len)));
    }
    assert_eq!(lines, [(None, false, Some(28)), (Some(Status::Fail), true, Some(28))]);
    assert_eq!(len, bytes.len());
}

#[test]
fn what_was_read_before_an_error_is_written() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let packet = status("a", Status::Success);
    let mut out = Vec::new();
    let error =
        edit_packets(packet.chain(Broken), &mut out, TextEdit::Keep, |_, _| Ok(Edit::Keep)).unwrap_err();
    assert_eq!(error.to_string(), "unplugged");
    assert_eq!(out, packet);
}
