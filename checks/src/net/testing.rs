//! Servers for tests: each says what it is told to, and ends with its value.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use process::{Deadline, Interrupt};

use super::{Client, NetArgs, Place, Url};
use crate::probe::Limits;

/// A server on a free port of this machine; every connection is served by a thread of its own.
pub(crate) struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// One that does this with every connection.
    pub(crate) fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, serve) = (Arc::clone(&ended), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Server { address, ended, thread: Some(thread) }
    }

    /// One that answers every request with these bytes, then closes the connection.
    pub(crate) fn saying(answer: &'static str) -> Self {
        Server::answering(move |_| answer.to_owned())
    }

    /// One that answers each request, of which the head is given, then closes the connection.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Server::new(move |mut stream| {
            let head = head(&mut stream);
            let _gone = stream.write_all(answer(&head).as_bytes());
        })
    }

    /// One that accepts connections and says nothing.
    pub(crate) fn silent() -> Self {
        Server::new(|mut stream| {
            let _closed = stream.read_to_end(&mut Vec::new());
        })
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn place(&self) -> Place {
        Place::Tcp { host: "127.0.0.1".to_owned(), port: self.address.port() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// The head of a request.
pub(crate) fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An answer with its length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// A port of this machine on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn client() -> Client {
    NetArgs::default().client().unwrap()
}

/// Half a second for an operation, two for a test.
pub(crate) fn limits(interrupt: &Interrupt) -> Limits<'_> {
    let deadline = Deadline::after(Duration::from_secs(2));
    Limits { operation: Duration::from_millis(500), deadline, interrupt }
}
