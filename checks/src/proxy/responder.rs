//! A server of our own, to which a route can lead: it says a word to those who ask for it, and echoes WebSockets.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::websocket::{accept_key, read_frame, write_frame};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look whether to end.
const SLICE: Duration = Duration::from_millis(10);
/// Bytes that the head of a request may have.
const HEAD: usize = 64 * 1024;

/// A server on a free port, which ends with its value.
pub(super) struct Responder {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Listens on this address, and says this word.
    pub(super) fn start(address: IpAddr, word: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, word) = (Arc::clone(&ended), word.to_owned());
        let thread = std::thread::Builder::new().name("canary".to_owned()).spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                match listener.accept() {
                    // One at a time will do: whoever asks is the proxy, for us.
                    Ok((stream, _)) => drop(serve(stream, &word)),
                    Err(_) => std::thread::sleep(SLICE),
                }
            }
        })?;
        Ok(Responder { address, ended, thread: Some(thread) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, word: &str) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream)?;
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
    });
    let Some(key) = key else {
        let length = word.len();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{word}");
        return stream.write_all(answer.as_bytes());
    };
    let accept = accept_key(key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    let said = read_frame(&mut stream)?;
    write_frame(&mut stream, &said, None)
}

fn head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
