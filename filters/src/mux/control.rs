//! Stdin as a control channel: what the reader of our output sends to a child's stdin.

use std::io::{self, Read};
use std::process::ChildStdin;
use std::sync::Arc;

use subunit::{Decoder, Event, Frame, PacketBuf, Step, part, part_mut};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::feed::Feed;
use super::hub::{Hub, SCRATCH};
use super::rewrite::Rewrite;

/// The file whose pieces are input.
const FILE: &str = "stdin";
/// How many packets wait for a child that does not read.
pub(crate) const WAITING: usize = 16;

/// Something for a child's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Bytes(Vec<u8>),
    /// Its end.
    End,
}

/// Writes to a child's input until it ends, or the child reads no more.
pub(crate) async fn write_input(stdin: ChildStdin, mut inputs: mpsc::Receiver<Input>) -> io::Result<()> {
    let mut stdin = pipe::Sender::from_owned_fd(stdin.into())?;
    while let Some(Input::Bytes(bytes)) = inputs.recv().await {
        stdin.write_all(&bytes).await?;
    }
    Ok(())
}

/// Reads packets and gives them to the children that they are for. At the end, the inputs of all children
/// end.
pub(crate) async fn run(hub: Arc<Hub>, mut rewrite: Rewrite, control: Box<dyn Read + Send>) {
    let mut feed = Feed::blocking(control, SCRATCH);
    let mut decoder = Decoder::new();
    let mut bytes = Vec::new();
    loop {
        let (end, error) = match read(&mut feed, &mut bytes).await {
            Ok(more) => (!more, None),
            Err(error) => (true, Some(format!("stdin cannot be read: {error}\n"))),
        };
        let (inputs, notes) = take(&mut decoder, &mut bytes, end, hub.settings.route.as_deref());
        for note in notes.into_iter().chain(error) {
            hub.write(|out| rewrite.note(&note, out)).await;
        }
        for (child, input) in inputs {
            let sender = hub.inputs().get(&child).cloned();
            let sent = match sender {
                Some(sender) => sender.send(input).await.is_ok(),
                None => false,
            };
            if !sent {
                let note = format!("no child {child:?} reads what was sent to its stdin\n");
                hub.write(|out| rewrite.note(&note, out)).await;
            }
        }
        if end {
            return hub.inputs().clear();
        }
    }
}

/// Appends what comes; false at the end.
async fn read(feed: &mut Feed, bytes: &mut Vec<u8>) -> io::Result<bool> {
    feed.readable().await?;
    let len = bytes.len();
    bytes.resize(len + SCRATCH, 0);
    let read = feed.try_read(part_mut(bytes, len..));
    bytes.truncate(len + read.as_ref().map_or(0, |count| *count));
    match read {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        read => read.map(|count| count > 0),
    }
}

type Inputs = Vec<(String, Input)>;

/// Takes the whole packets from the front of `bytes`: what is for whom, and what cannot be used.
fn take(decoder: &mut Decoder, bytes: &mut Vec<u8>, end: bool, route: Option<&str>) -> (Inputs, Vec<String>) {
    let (mut inputs, mut notes) = (Vec::new(), Vec::new());
    let mut at = 0;
    loop {
        let offset = decoder.offset();
        let Step::Frame { consumed: len, frame } = decoder.decode(part(bytes, at..), end) else { break };
        at += len;
        match frame {
            Frame::Packet(packet) => match addressed(&packet.event(), route) {
                Some(found) => inputs.extend(found),
                None => notes.push(format!("a packet at offset {offset} of stdin is for no child's stdin\n")),
            },
            Frame::Text(_) => notes.push(format!("text at offset {offset} of stdin is for nobody\n")),
            Frame::Corrupt(_, error) => {
                notes.push(format!("damaged packet at offset {offset} of stdin: {error}\n"));
            }
        }
    }
    bytes.drain(..at.min(bytes.len()));
    (inputs, notes)
}

/// Whom an event is for, and what it brings: its bytes, when its route ends there, or itself with the rest of
/// its route, for a child that is a multiplexer too.
fn addressed(event: &Event<'_>, route: Option<&str>) -> Option<Inputs> {
    let file = event.file.filter(|file| file.name == FILE)?;
    let code = event.route_code?;
    let code = route.and_then(|route| code.strip_prefix(route)?.strip_prefix('/')).unwrap_or(code);
    let to = |child: &str, input| (child.to_owned(), input);
    let Some((child, rest)) = code.split_once('/') else {
        let bytes = (!file.bytes.is_empty()).then(|| to(code, Input::Bytes(file.bytes.to_vec())));
        return Some(bytes.into_iter().chain(event.eof.then(|| to(code, Input::End))).collect());
    };
    let packet = PacketBuf::encode(&Event { route_code: Some(rest), ..*event }).ok()?;
    Some(vec![to(child, Input::Bytes(packet.as_bytes().to_vec()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stdin<'a>(route: &'a str, bytes: &'a [u8], eof: bool) -> Event<'a> {
        Event { route_code: Some(route), eof, ..Event::file(FILE, bytes) }
    }

    fn check(event: &Event<'_>, route: Option<&str>, expected: &[(&str, Input)]) {
        let expected: Inputs =
            expected.iter().map(|(child, input)| ((*child).to_owned(), input.clone())).collect();
        let mut bytes = PacketBuf::encode(event).unwrap().as_bytes().to_vec();
        let (inputs, notes) = take(&mut Decoder::new(), &mut bytes, false, route);
        assert_eq!((inputs, notes.len()), (expected, 0));
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_route_that_ends_at_the_child_brings_it_the_bytes() {
        let bytes = || Input::Bytes(b"c\n".to_vec());
        check(&stdin("w", b"c\n", false), None, &[("w", bytes())]);
        check(&stdin("w", b"c\n", true), None, &[("w", bytes()), ("w", Input::End)]);
        check(&stdin("w", b"", true), None, &[("w", Input::End)]);
        check(&stdin("host/w", b"c\n", false), Some("host"), &[("w", bytes())]);
    }

    #[test]
    fn a_route_that_goes_on_brings_the_child_a_packet() {
        let packet = PacketBuf::encode(&stdin("0/1", b"c\n", false)).unwrap();
        check(&stdin("w/0/1", b"c\n", false), None, &[("w", Input::Bytes(packet.as_bytes().to_vec()))]);
    }

    #[test]
    fn what_is_for_nobody_is_noted() {
        let other = PacketBuf::encode(&Event { route_code: Some("w"), ..Event::file("log", b"x") }).unwrap();
        let unrouted = PacketBuf::encode(&Event::file(FILE, b"x")).unwrap();
        let mut bytes = [other.as_bytes(), b"text\n", unrouted.as_bytes(), b"\xb3\x29"].concat();
        let (inputs, notes) = take(&mut Decoder::new(), &mut bytes, true, None);
        assert_eq!((inputs, notes.len()), (Vec::new(), 4));
    }
}
