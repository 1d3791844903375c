//! As much of WebSockets as it takes to know that they go through: the handshake, and one short message each way.

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What the protocol adds to a key (RFC 6455, 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The last frame of a message, of text.
const TEXT: u8 = 0x81;
/// Set in the second byte where the bytes are masked.
const MASKED: u8 = 0x80;
/// Bytes of the longest message of one frame with a length of one byte.
const SHORT: usize = 125;

/// The answer to a key.
pub(super) fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}{GUID}")))
}

/// Writes a message of text, of at most 125 bytes, masked as clients must.
pub(super) fn write_frame(output: &mut impl Write, text: &[u8], mask: Option<[u8; 4]>) -> io::Result<()> {
    let length = u8::try_from(text.len()).ok().filter(|length| usize::from(*length) <= SHORT);
    let length = length.ok_or_else(|| invalid("the message is too long"))?;
    let mut frame = vec![TEXT, length | if mask.is_some() { MASKED } else { 0 }];
    frame.extend(mask.iter().flatten());
    frame.extend(masked(text, mask.unwrap_or_default()));
    output.write_all(&frame)?;
    output.flush()
}

/// Reads a message of text, of at most 125 bytes.
pub(super) fn read_frame(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = [0; 2];
    input.read_exact(&mut start)?;
    let [kind, length] = start;
    let (is_masked, length) = (length & MASKED != 0, usize::from(length & !MASKED));
    if kind != TEXT || length > SHORT {
        return Err(invalid("what came is not a short text message"));
    }
    let mut mask = [0; 4];
    if is_masked {
        input.read_exact(&mut mask)?;
    }
    let mut text = vec![0; length];
    input.read_exact(&mut text)?;
    Ok(masked(&text, mask).collect())
}

fn masked(text: &[u8], mask: [u8; 4]) -> impl Iterator<Item = u8> {
    text.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask)
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_the_standard() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn messages_are_read_back_as_they_were() {
        let check = |text: &[u8], mask| {
            let mut frame = Vec::new();
            write_frame(&mut frame, text, mask).unwrap();
            assert_eq!(read_frame(&mut frame.as_slice()).unwrap(), text);
        };
        check(b"hello", None);
        check(b"hello", Some([1, 2, 3, 4]));
        check(b"", Some([0; 4]));
        assert!(write_frame(&mut Vec::new(), &[0; 126], None).is_err());
        assert!(read_frame(&mut [0x88, 0].as_slice()).is_err());
        assert!(read_frame(&mut [TEXT, 5, b'h'].as_slice()).is_err());
    }
}
