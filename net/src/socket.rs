//! Sockets that never block for longer than the patience lasts.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, ipproto, sockopt};

use super::Patience;

/// How long to wait before a local socket whose queue is full is tried again.
const FULL: Duration = Duration::from_millis(10);

/// A connected socket.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    patience: Patience,
}

impl Socket {
    /// Connects to an address of the network.
    pub(super) fn tcp(address: &SocketAddr, patience: &Patience) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
        match rustix::net::connect(&fd, address) {
            Err(Errno::INPROGRESS) => {
                patience.writable(fd.as_fd())?;
                sockopt::socket_error(&fd)??;
            }
            done => done?,
        }
        sockopt::set_tcp_nodelay(&fd, true)?;
        Ok(Socket { fd, patience: patience.clone() })
    }

    /// Connects to a socket of this machine.
    pub(super) fn unix(path: &Path, patience: &Patience) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let address = SocketAddrUnix::new(path)?;
        loop {
            match rustix::net::connect(&fd, &address) {
                // Nobody says when there is room in the queue again.
                Err(Errno::AGAIN) if !patience.is_over() => std::thread::sleep(FULL),
                Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(Socket { fd, patience: patience.clone() }),
            }
        }
    }

    /// The same, with another patience.
    pub(super) fn with(self, patience: &Patience) -> Self {
        Socket { patience: patience.clone(), ..self }
    }

    /// The address of this end, of one of the network.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        rustix::net::getsockname(&self.fd).ok()?.try_into().ok()
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.fd, &mut *bytes) {
                Err(Errno::AGAIN) => self.patience.readable(self.fd.as_fd())?,
                // A peer that sends for ever is never waited for.
                Ok(_) if self.patience.is_over() => return Err(io::ErrorKind::TimedOut.into()),
                Err(Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::AGAIN) => self.patience.writable(self.fd.as_fd())?,
                Err(Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
