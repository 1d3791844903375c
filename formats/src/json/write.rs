//! Frames to lines.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subunit::{Event, Frame, Packet, encode, part_mut};

use super::object::{Object, push_string};

/// Writes frames as lines.
///
/// ```
/// use formats::json::FrameWriter;
/// use subunit::{Event, Frame, PacketBuf, Status};
///
/// let mut writer = FrameWriter::default();
/// let mut out = Vec::new();
/// writer.push(&Frame::Text(b"ready\n"), &mut out);
/// let packet = PacketBuf::encode(&Event::status("boot", Status::Fail))?;
/// writer.push(&Frame::Packet(packet.packet()), &mut out);
/// assert_eq!(out, b"{\"text\":\"ready\\n\"}\n{\"id\":\"boot\",\"status\":\"fail\"}\n");
/// # Ok::<(), subunit::EncodeError>(())
/// ```
#[derive(Debug, Default)]
pub struct FrameWriter {
    /// What the packet would be, if it were written from its event.
    usual: Vec<u8>,
}

impl FrameWriter {
    /// Appends the line of a frame, with its newline.
    pub fn push(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        match frame {
            Frame::Packet(packet) => self.packet(packet, &mut object),
            Frame::Text(text) => push_bytes(text, &mut object),
            Frame::Corrupt(bytes, error) => {
                push_base64("damage", bytes, &mut object);
                object.string("error", &error.to_string());
            }
        }
        object.end();
        out.push(b'\n');
    }

    fn packet(&mut self, packet: &Packet<'_>, object: &mut Object<'_>) {
        let event = packet.event();
        push_event(&event, object);
        self.usual.clear();
        if encode(&event, &mut self.usual).is_err() || self.usual != packet.as_bytes() {
            push_base64("packet", packet.as_bytes(), object);
        }
    }
}

fn push_event(event: &Event<'_>, object: &mut Object<'_>) {
    let mut string = |key, value| {
        if let Some(value) = value {
            object.string(key, value);
        }
    };
    string("id", event.test_id);
    string("status", event.status.map(subunit::Status::as_str));
    string("route", event.route_code);
    if event.timestamp.is_some() {
        object.time("time", event.timestamp);
    }
    if !event.tags.is_absent() {
        object.strings("tags", event.tags);
    }
    if event.runnable != event.test_id.is_some() {
        object.truth("runnable", event.runnable);
    }
    if let Some(file) = event.file {
        let mut inner = Object::new(object.key("file"));
        inner.string("name", file.name);
        push_bytes(file.bytes, &mut inner);
        inner.end();
    }
    if let Some(mime_type) = event.mime_type {
        object.string("mime", mime_type);
    }
    if event.eof {
        object.truth("eof", true);
    }
}

/// Writes bytes as text where they are, else in base64.
fn push_bytes(bytes: &[u8], object: &mut Object<'_>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => push_string(text, object.key("text")),
        Err(_) => push_base64("base64", bytes, object),
    }
}

fn push_base64(key: &str, bytes: &[u8], object: &mut Object<'_>) {
    let out = object.key(key);
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // There is room for all of it.
    let _ = BASE64_STANDARD.encode_slice(bytes, part_mut(out, start..));
    out.push(b'"');
}
