//! TLS to a server of PostgreSQL: verified, unless it is said that it need not be.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use net::Trust;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use rustls::ClientConfig;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Connect, TlsConnector, client};

use crate::network::{MinTls, NetArgs};

/// Which certificates to trust, in the form in which a helper gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TlsOptions {
    ca: Vec<PathBuf>,
    insecure: bool,
    only_tls13: bool,
}

impl TlsOptions {
    /// What the arguments say.
    pub(super) fn new(args: &NetArgs) -> anyhow::Result<Self> {
        let ca = args.ca.iter().map(|path| probe::absolute(path)).collect::<Result<_, _>>()?;
        Ok(TlsOptions { ca, insecure: args.insecure, only_tls13: args.min_tls == MinTls::V13 })
    }

    /// What makes connections of it.
    pub(super) fn connector(&self) -> Result<MakeTls, String> {
        let trust = Trust::new(&self.ca, self.insecure, self.only_tls13);
        let config = trust.map_err(|error| process::chain(error.as_ref()))?.config(&[])?;
        Ok(MakeTls(Arc::new(config)))
    }
}

/// Makes encrypted connections.
#[derive(Clone)]
pub(super) struct MakeTls(Arc<ClientConfig>);

/// An encrypted connection to be made to a server of this name.
pub(super) struct ToServer(TlsConnector, ServerName<'static>);

/// The handshake.
pub(super) struct Handshake(Connect<Socket>);

/// An encrypted connection.
pub(super) struct Encrypted(client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for MakeTls {
    type Stream = Encrypted;
    type TlsConnect = ToServer;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<ToServer, InvalidDnsNameError> {
        Ok(ToServer(TlsConnector::from(Arc::clone(&self.0)), ServerName::try_from(domain)?.to_owned()))
    }
}

impl TlsConnect<Socket> for ToServer {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Handshake;

    fn connect(self, stream: Socket) -> Handshake {
        Handshake(self.0.connect(self.1, stream))
    }
}

impl Future for Handshake {
    type Output = io::Result<Encrypted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_ok(Encrypted)
    }
}

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
