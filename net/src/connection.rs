//! How to get to a server: addresses, a connection, perhaps TLS.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::socket::Socket;
use super::trust::{Encrypted, read_decrypted};
use super::{Fault, FaultCause, Patience, Place, Stage, Trace, Trust, resolve};

/// Where a connection goes, and how.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where it goes.
    pub place: Place,
    /// Whom to trust, and by which name the server is known, where the connection is to be encrypted.
    pub tls: Option<(Arc<Trust>, String)>,
    /// The protocols that are proposed in the TLS handshake.
    pub protocols: &'static [&'static [u8]],
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    io: Io,
    patience: Patience,
    place: String,
}

enum Io {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

impl Route {
    /// Resolves the name.
    ///
    /// # Errors
    ///
    /// When it has no address, or the resolver does not say in time.
    pub fn resolve(&self, patience: &Patience, trace: &mut Trace) -> Result<Vec<SocketAddr>, Fault> {
        let Place::Tcp { host, port } = &self.place else { return Ok(Vec::new()) };
        let begin = Instant::now();
        let addresses = resolve::addresses(host, *port, patience);
        trace.phases.resolve = Some(begin.elapsed());
        addresses.map_err(|cause| Fault::new(Stage::Resolve, cause, host))
    }

    /// Resolves the name and connects, without TLS.
    ///
    /// # Errors
    ///
    /// As [`Route::resolve`], or when no connection is accepted in time.
    pub fn connect(&self, patience: &Patience, trace: &mut Trace) -> Result<Connection, Fault> {
        let socket = self.dial(patience, trace)?;
        Ok(self.connection(Io::Plain(socket), patience))
    }

    /// Resolves the name, connects, and does the TLS handshake where there is one to do.
    ///
    /// # Errors
    ///
    /// As [`Route::connect`], or when the handshake fails.
    pub fn open(&self, patience: &Patience, trace: &mut Trace) -> Result<Connection, Fault> {
        let socket = self.dial(patience, trace)?;
        let Some((trust, name)) = &self.tls else { return Ok(self.connection(Io::Plain(socket), patience)) };
        let begin = Instant::now();
        let (peer, done) = trust.connect(name, self.protocols, socket, patience);
        trace.phases.tls = Some(begin.elapsed());
        trace.peer = Some(peer);
        let stream = done.map_err(|cause| Fault::new(Stage::Tls, cause, &self.place))?;
        Ok(self.connection(Io::Encrypted(Box::new(stream)), patience))
    }

    fn connection(&self, io: Io, patience: &Patience) -> Connection {
        Connection { io, patience: patience.clone(), place: self.place.to_string() }
    }

    fn dial(&self, patience: &Patience, trace: &mut Trace) -> Result<Socket, Fault> {
        let addresses = self.resolve(patience, trace)?;
        let begin = Instant::now();
        let socket = self.dial_any(&addresses, patience, trace);
        trace.phases.connect = Some(begin.elapsed());
        trace.local = socket.as_ref().ok().and_then(Socket::local);
        socket
    }

    /// Tries one address after the other; what is left of the patience is shared among them.
    fn dial_any(
        &self,
        addresses: &[SocketAddr],
        patience: &Patience,
        trace: &mut Trace,
    ) -> Result<Socket, Fault> {
        if let Place::Unix(path) = &self.place {
            let socket = Socket::unix(path, patience);
            return socket
                .map_err(|error| Fault::new(Stage::Connect, FaultCause::of(&error, patience), &self.place));
        }
        let mut fault = Fault::new(Stage::Connect, FaultCause::NoSuchHost(String::new()), &self.place);
        for (number, address) in addresses.iter().enumerate() {
            let left = addresses.len() - number;
            let share = patience.share(u32::try_from(left).unwrap_or(u32::MAX));
            trace.address = Some(*address);
            match Socket::tcp(address, &share) {
                Ok(socket) => return Ok(socket.with(patience)),
                Err(error) => fault = Fault::new(Stage::Connect, FaultCause::of(&error, &share), address),
            }
        }
        Err(fault)
    }
}

impl Connection {
    /// Whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.io, Io::Encrypted(_))
    }

    /// What an error of reading or writing means.
    #[must_use]
    pub fn fault(&self, stage: Stage, error: &io::Error) -> Fault {
        Fault::new(stage, FaultCause::of(error, &self.patience), &self.place)
    }
}

impl Read for Connection {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut self.io {
            Io::Plain(socket) => socket.read(bytes),
            Io::Encrypted(stream) => read_decrypted(stream, bytes),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.io {
            Io::Plain(socket) => socket.write(bytes),
            Io::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.io {
            Io::Plain(socket) => socket.flush(),
            Io::Encrypted(stream) => stream.flush(),
        }
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Io::Plain(_) => "Plain",
            Io::Encrypted(_) => "Encrypted",
        })
    }
}
