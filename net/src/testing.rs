//! Servers for tests: each says what it is told to, and stops when it is dropped.
#![expect(clippy::unwrap_used, reason = "what tests stand on fails loudly")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use process::{Deadline, Interrupt};

use super::{Client, Patience, Place, Trust, Url};

/// A server on a free port of this machine; every connection is served by a thread of its own.
pub struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// One that does this with every connection.
    pub fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
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
    pub fn saying(answer: &'static str) -> Self {
        Server::answering(move |_| answer.to_owned())
    }

    /// One that answers each request, of which the head is given, then closes the connection.
    pub fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Server::new(move |mut stream| {
            let head = head(&mut stream);
            let _gone = stream.write_all(answer(&head).as_bytes());
        })
    }

    /// One that accepts connections and says nothing.
    pub fn silent() -> Self {
        Server::new(|mut stream| {
            let _closed = stream.read_to_end(&mut Vec::new());
        })
    }

    /// The address of a path of it.
    pub fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// Where it is.
    pub fn place(&self) -> Place {
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
pub fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An answer with its length.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// A port of this machine on which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A client that trusts what the system trusts.
pub fn client() -> Client {
    Client::new(Trust::new(&[], false, false).unwrap(), None)
}

/// Half a second, of two for a test.
pub fn patience() -> Patience {
    let deadline = Deadline::after(Duration::from_secs(2));
    Patience::new(Duration::from_millis(500), deadline, &Interrupt::never())
}
