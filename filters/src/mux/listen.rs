//! Sources that connect.

use std::fs::{self, Permissions};
use std::io;
use std::net::{self, ToSocketAddrs as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::args::Address;
use super::feed::Feed;
use super::hub::{Hub, Open, given};
use super::source::{Content, Source};

/// How long to wait when a connection cannot be had, which is when there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that sources connect to.
#[derive(Debug)]
pub(crate) enum BoundSocket {
    /// Removed from the file system when it is dropped.
    Unix(unix::UnixListener, SocketFile),
    Tcp(net::TcpListener),
}

impl BoundSocket {
    /// Begins to listen, so that children can connect from their start on.
    ///
    /// # Errors
    ///
    /// When the address is in use or cannot be had, or others could connect though `any` is not set.
    pub(crate) fn new(address: &Address, any: bool) -> anyhow::Result<Self> {
        let bound = match address {
            Address::Tcp(place) if !any && !is_loopback(place)? => bail!(
                "cannot listen on {address}: other machines could connect, without authentication; give \
                 tcp:127.0.0.1:PORT, or --listen-any if that is meant"
            ),
            Address::Unix(path) => bind(path).map(|socket| BoundSocket::Unix(socket, SocketFile::new(path))),
            Address::Tcp(place) => net::TcpListener::bind(place).map(BoundSocket::Tcp),
        };
        bound.with_context(|| format!("cannot listen on {address}"))
    }

    /// Where it listens, when the system chose the port.
    pub(crate) fn chosen(&self, address: &Address) -> Option<net::SocketAddr> {
        match (self, address) {
            (BoundSocket::Tcp(socket), Address::Tcp(place)) if place.ends_with(":0") => {
                socket.local_addr().ok()
            }
            _ => None,
        }
    }
}

/// Whether only this machine can connect there.
fn is_loopback(place: &str) -> anyhow::Result<bool> {
    let addresses = place.to_socket_addrs().with_context(|| format!("cannot listen on tcp:{place}"))?;
    Ok(addresses.into_iter().all(|address| address.ip().is_loopback()))
}

/// Binds a socket that this user alone can connect to; one that nobody listens on any more gives way.
fn bind(path: &Path) -> io::Result<unix::UnixListener> {
    let bound = match unix::UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            make_way(path)?;
            unix::UnixListener::bind(path)
        }
        bound => bound,
    }?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(bound)
}

/// Removes a socket that nobody listens on: anything else that is there is not ours to remove.
fn make_way(path: &Path) -> io::Result<()> {
    let in_use = |what: &str| Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return in_use("there is a file of that name that is no socket");
    }
    match unix::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => in_use("another program listens there"),
    }
}

/// A socket's file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Which file it is: device and number.
    file: Option<(u64, u64)>,
}

impl SocketFile {
    fn new(path: &Path) -> Self {
        SocketFile { path: path.to_owned(), file: file_at(path) }
    }
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may be gone already, and another be in its place.
        if self.file.is_some() && file_at(&self.path) == self.file {
            let _ = fs::remove_file(&self.path);
        }
    }
}

enum Listener {
    Unix { socket: UnixListener, _file: SocketFile },
    Tcp(TcpListener),
}

impl Listener {
    fn new(bound: BoundSocket) -> io::Result<Self> {
        match bound {
            BoundSocket::Unix(socket, file) => {
                socket.set_nonblocking(true)?;
                Ok(Listener::Unix { socket: UnixListener::from_std(socket)?, _file: file })
            }
            BoundSocket::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket).map(Listener::Tcp)
            }
        }
    }

    async fn accept(&self) -> io::Result<Feed> {
        match self {
            Listener::Unix { socket, .. } => socket.accept().await.map(|(socket, _)| Feed::Unix(socket)),
            Listener::Tcp(socket) => socket.accept().await.map(|(socket, _)| Feed::Tcp(socket)),
        }
    }
}

/// Takes connections, each of which is a source. With other sources, until these have ended and no
/// connection is open; alone, until told to stop.
pub(crate) async fn run(hub: Arc<Hub>, bound: BoundSocket, is_alone: bool) {
    let listener = match Listener::new(bound) {
        Ok(listener) => listener,
        Err(error) => return hub.tally().errors.push(format!("cannot listen: {error}")),
    };
    let mut connections = JoinSet::new();
    let mut stop = hub.stop();
    loop {
        tokio::select! {
            biased;
            () = given(&mut stop) => break,
            accepted = listener.accept(), if connections.len() < hub.settings.connections => match accepted {
                Ok(feed) => drop(connections.spawn(pass(Arc::clone(&hub), feed, hub.open_source()))),
                Err(_) => sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            () = hub.all_ended(), if !is_alone => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn pass(hub: Arc<Hub>, feed: Feed, _open: Open) {
    let name = hub.next_name();
    let Ok(mut rewrite) = hub.settings.rewrite(&name) else { return };
    let source = Source { feed, content: Content::stream(), rewrite: rewrite.clone(), close: hub.stop() };
    if let Err(error) = source.run(Arc::clone(&hub)).await {
        hub.fail(&name, &mut rewrite, &format!("the connection failed: {error}\n")).await;
    }
}
