//! The process that carries bytes between us and a command in a container.
//!
//! It is to a container what ssh is to a host, and as easily ended: its input, its outputs and its exit code are those
//! of the command; 255 means that the engine failed. It waits as long as whoever started it waits for it.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, bail};
use net::Place;
use process::Wait;

use super::container::{EngineSession, ExecOrder, start_path};
use super::exit::LOST;

/// Bytes of the head of an answer.
const HEAD: u64 = 64 << 10;

pub(crate) fn main() -> ExitCode {
    match carry() {
        // The code that stands for the engine is never passed on as the code of a command.
        Ok(code) => ExitCode::from(u8::try_from(code).ok().filter(|code| *code != LOST).unwrap_or(3)),
        Err(error) => {
            let _told = writeln!(io::stderr(), "{}", process::chain(error.as_ref()));
            ExitCode::from(LOST)
        }
    }
}

fn carry() -> anyhow::Result<i64> {
    let mut input = BufReader::new(io::stdin());
    let mut line = String::new();
    input.read_line(&mut line)?;
    let order: ExecOrder = serde_json::from_str(&line).context("the order is not what it should be")?;
    let place = order.engine.parse().map_err(anyhow::Error::msg)?;
    let session = EngineSession::open(Some(&place), Wait::FOREVER)?;
    let id = session.create(&order)?;
    let path = session.engine.post(&start_path(&id), "").url.path().to_owned();
    let mut stream = Stream::connect(&place).context("cannot connect to the engine")?;
    start(&mut stream, &path)?;
    let mut output = BufReader::new(stream.again()?);
    accepted(&mut output)?;
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        // When the input ends, the input of the command has to end: that is what ends the command.
        let _sent = io::copy(&mut input, &mut stream);
        let _ended = stream.end();
    })?;
    split(&mut output, &mut io::stdout(), &mut io::stderr())?;
    Ok(session.code(&id)?)
}

/// Asks for the command to be started, and for the connection to become its own.
fn start(stream: &mut Stream, path: &str) -> io::Result<()> {
    let body = r#"{"Detach":false,"Tty":false}"#;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: engine\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: Upgrade\r\nupgrade: tcp\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes())
}

/// Reads the head of the answer: the connection is the command's after it.
fn accepted(output: &mut impl io::BufRead) -> anyhow::Result<()> {
    let mut head = output.take(HEAD);
    let mut status = String::new();
    head.read_line(&mut status)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        line.clear();
    }
    match status.split(' ').nth(1) {
        Some("101" | "200") => Ok(()),
        _ => {
            let mut reason = String::new();
            let _read = output.take(HEAD).read_to_string(&mut reason);
            bail!("the engine does not run the program: {} {}", status.trim(), reason.trim())
        }
    }
}

/// Output as engines send it, in frames: stream, three zeros, length in four bytes, payload.
fn split(input: &mut impl Read, stdout: &mut impl Write, stderr: &mut impl Write) -> anyhow::Result<()> {
    let mut head = [0; 8];
    loop {
        let got = fill(input, &mut head)?;
        let [stream @ 0..=2, 0, 0, 0, a, b, c, d] = head else {
            bail!("what the engine sends is not in frames");
        };
        match got {
            0 => return Ok(()),
            8 => {}
            _ => bail!("what the engine sends is cut"),
        }
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let target: &mut dyn Write = if stream == 2 { &mut *stderr } else { &mut *stdout };
        let copied = io::copy(&mut input.take(length), target)?;
        target.flush()?;
        if copied < length {
            bail!("what the engine sends is cut");
        }
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    buffer.fill(0);
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// A connection of which one half can end before the other.
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn connect(place: &Place) -> io::Result<Self> {
        match place {
            Place::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
            Place::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).map(Stream::Tcp),
        }
    }

    fn again(&self) -> io::Result<Self> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
        }
    }

    fn end(&self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(bytes),
            Stream::Tcp(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.flush(),
            Stream::Tcp(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_by_their_streams() {
        let check = |bytes: &[u8], expected: Result<(&str, &str), &str>| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            match (split(&mut &*bytes, &mut out, &mut err), expected) {
                (Ok(()), Ok(expected)) => {
                    assert_eq!((&*out, &*err), (expected.0.as_bytes(), expected.1.as_bytes()))
                }
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        };
        check(b"", Ok(("", "")));
        check(b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\x02no\x01\0\0\0\0\0\0\0", Ok(("one", "no")));
        check(b"\x01\0\0\0\0\0\0\x09cut", Err("is cut"));
        check(b"\x01\0\0\0\0", Err("is cut"));
        check(b"HTTP/1.1 500\r\n", Err("is not in frames"));
    }

    #[test]
    fn only_an_accepted_command_is_listened_to() {
        let check = |head: &str, expected: Result<&str, &str>| {
            let mut input = head.as_bytes();
            let done = accepted(&mut input);
            match (done, expected) {
                (Ok(()), Ok(rest)) => assert_eq!(input, rest.as_bytes()),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        };
        check("HTTP/1.1 101 UPGRADED\r\nupgrade: tcp\r\n\r\nrest", Ok("rest"));
        check("HTTP/1.1 200 OK\r\n\r\n", Ok(""));
        check(
            "HTTP/1.1 409 Conflict\r\n\r\n{\"message\":\"it is paused\"}",
            Err("409 Conflict {\"message\""),
        );
        check("", Err("does not run the program"));
    }
}
