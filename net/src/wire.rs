//! HTTP by `ureq` over a connection of ours, and a log of what was exchanged.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::Connection;

/// Bytes of what is sent, and of what comes, to keep as they are.
const KEEP: usize = 16 * 1024;
/// Bytes that the head of an answer may have.
const HEAD: usize = 64 * 1024;
/// Bytes to read at a time; with room for these, a head that is too long is known for what it is.
const BLOCK: usize = 16 * 1024;

/// What was said on a connection, and when.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The beginning of what was sent.
    pub(super) sent: Vec<u8>,
    /// The beginning of what came.
    pub(super) received: Vec<u8>,
    /// When the last of the request was sent.
    pub(super) sent_at: Option<Instant>,
    /// When the first of the answer came.
    pub(super) first_at: Option<Instant>,
}

/// A log that both ends have.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedLog(Arc<Mutex<Log>>);

impl SharedLog {
    pub(super) fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes requests on this connection: only one, without redirects, proxies and limits of its own.
pub(super) fn agent(connection: Connection, log: SharedLog) -> Agent {
    let buffers = LazyBuffers::new(HEAD + BLOCK, BLOCK);
    let wire = Wire { connection, buffers, log };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .max_response_header_size(HEAD)
        .allow_non_standard_methods(true)
        .proxy(None)
        .user_agent(concat!("subunit-checks/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, Once(Mutex::new(Some(wire))), Nowhere)
}

/// Hands out the connection that there is.
#[derive(Debug)]
struct Once(Mutex<Option<Wire>>);

impl Connector<()> for Once {
    type Out = Wire;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, ureq::Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

/// The connection knows where it goes: nothing is left to be resolved.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(addresses)
    }
}

/// A connection, as `ureq` wants it. Its deadline is the connection's own.
#[derive(Debug)]
struct Wire {
    connection: Connection,
    buffers: LazyBuffers,
    log: SharedLog,
}

impl Wire {
    fn send(&mut self, amount: usize) -> io::Result<()> {
        let output = self.buffers.output();
        debug_assert!(amount <= output.len(), "no more is sent than there is");
        let bytes = output.get(..amount).unwrap_or_default();
        keep(&mut self.log.lock().sent, bytes);
        self.connection.write_all(bytes)?;
        self.connection.flush()
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.send(amount)?;
        self.log.lock().sent_at = Some(Instant::now());
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let input = self.buffers.input_append_buf();
        let amount = self.connection.read(input)?;
        let mut log = self.log.lock();
        if amount > 0 {
            log.first_at.get_or_insert_with(Instant::now);
        }
        debug_assert!(amount <= input.len(), "no more is read than there is room for");
        keep(&mut log.received, input.get(..amount).unwrap_or_default());
        drop(log);
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        self.connection.is_encrypted()
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEEP.saturating_sub(kept.len());
    kept.extend(bytes.iter().take(room));
}
