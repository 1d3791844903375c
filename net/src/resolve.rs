//! Names become addresses.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{FaultCause, Patience};

/// How long to wait for the resolver before looking for a signal again.
const SLICE: Duration = Duration::from_millis(50);

/// The addresses of a host, each once, in the resolver's order.
///
/// The system's resolver knows no deadlines: it works in a thread of its own, which is left to itself when the
/// patience is over.
pub(super) fn addresses(host: &str, port: u16, patience: &Patience) -> Result<Vec<SocketAddr>, FaultCause> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = channel();
    let name = host.to_owned();
    let thread = std::thread::Builder::new().name("resolver".to_owned());
    let started = thread.spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        // Nobody may wait for it any longer.
        let _unheard = sender.send(found);
    });
    started.map_err(|error| FaultCause::of(&error, patience))?;
    loop {
        match receiver.recv_timeout(patience.remaining().min(SLICE)) {
            Ok(Ok(found)) => return distinct(found),
            Ok(Err(error)) => return Err(FaultCause::NoSuchHost(plain(&error.to_string()))),
            Err(RecvTimeoutError::Timeout) if !patience.is_over() => {}
            Err(_) => return Err(FaultCause::over(patience)),
        }
    }
}

fn distinct(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, FaultCause> {
    let mut addresses: Vec<SocketAddr> = Vec::with_capacity(found.len());
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        Err(FaultCause::NoSuchHost("it has no address".to_owned()))
    } else {
        Ok(addresses)
    }
}

/// The resolver's words without the standard library's.
fn plain(message: &str) -> String {
    message.trim_start_matches("failed to lookup address information: ").to_owned()
}
