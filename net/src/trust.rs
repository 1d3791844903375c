//! TLS: which certificates to trust, and what the handshake showed.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, ensure};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, version};

use super::socket::Socket;
use super::witness::Witness;
use super::{FaultCause, Patience, Peer};

/// Which certificates to trust.
#[derive(Debug)]
pub struct Trust {
    /// What the files say; none: what the system trusts.
    given: Option<Vec<CertificateDer<'static>>>,
    insecure: bool,
    only_tls13: bool,
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>, String>>,
}

/// An encrypted connection.
pub(super) type Encrypted = StreamOwned<ClientConnection, Socket>;

impl Trust {
    /// Trusts the certificates of these files (PEM), or those that the system trusts when there are none.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds no certificate.
    pub fn new(files: &[PathBuf], insecure: bool, only_tls13: bool) -> anyhow::Result<Self> {
        let mut given = Vec::new();
        for path in files {
            let shown = path.display();
            let text = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
            let found = found.with_context(|| format!("{shown} is not a file of certificates"))?;
            ensure!(!found.is_empty(), "{shown} holds no certificate (-----BEGIN CERTIFICATE-----)");
            given.extend(found);
        }
        let given = (!files.is_empty()).then_some(given);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Trust { given, insecure, only_tls13, provider, verifier: OnceLock::new() })
    }

    /// Does the handshake. What it showed is told in any case.
    pub(super) fn connect(
        &self,
        name: &str,
        protocols: &[&[u8]],
        mut socket: Socket,
        patience: &Patience,
    ) -> (Peer, Result<Encrypted, FaultCause>) {
        let witness = self.witness();
        let mut connection = match self.begin(name, protocols, &witness) {
            Ok(connection) => connection,
            Err(reason) => return (Peer::default(), Err(FaultCause::Local(reason))),
        };
        let done = handshake(&mut connection, &mut socket);
        let mut peer = witness.peer();
        peer.protocol = protocol(&connection);
        let done = done.map_err(|error| cause(&error, &peer, patience));
        (peer, done.map(|()| StreamOwned::new(connection, socket)))
    }

    /// What rustls is configured with to trust these, for libraries that make connections of their own.
    ///
    /// # Errors
    ///
    /// When the library refuses the versions of TLS that are asked for.
    pub fn config(&self, protocols: &[&[u8]]) -> Result<ClientConfig, String> {
        self.config_with(protocols, &self.witness())
    }

    fn witness(&self) -> Arc<Witness> {
        let given = self.given.clone().unwrap_or_default();
        Arc::new(Witness::new(self.verifier(), given, self.insecure, Arc::clone(&self.provider)))
    }

    fn config_with(&self, protocols: &[&[u8]], witness: &Arc<Witness>) -> Result<ClientConfig, String> {
        let versions: &[_] =
            if self.only_tls13 { &[&version::TLS13] } else { &[&version::TLS13, &version::TLS12] };
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(witness) as Arc<_>)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }

    fn begin(
        &self,
        name: &str,
        protocols: &[&[u8]],
        witness: &Arc<Witness>,
    ) -> Result<ClientConnection, String> {
        let server =
            ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is not a host name"))?;
        let config = self.config_with(protocols, witness)?;
        ClientConnection::new(Arc::new(config), server).map_err(|error| error.to_string())
    }

    /// The usual verification; why there is none.
    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, String> {
        self.verifier.get_or_init(|| self.build()).clone()
    }

    fn build(&self) -> Result<Arc<WebPkiServerVerifier>, String> {
        let certificates = match &self.given {
            Some(given) => given.clone(),
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err("this system trusts no authority at all; --ca names certificates to trust".to_owned());
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| error.to_string())
    }
}

fn handshake(connection: &mut ClientConnection, socket: &mut Socket) -> io::Result<()> {
    while connection.is_handshaking() {
        connection.complete_io(socket)?;
    }
    Ok(())
}

fn protocol(connection: &ClientConnection) -> Option<String> {
    let version = match connection.protocol_version()? {
        rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    Some([Some(version), suite].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// Why a handshake failed: what is wrong with the certificate, or what the library says.
fn cause(error: &io::Error, peer: &Peer, patience: &Patience) -> FaultCause {
    let Some(source) = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>()) else {
        return FaultCause::of(error, patience);
    };
    match (&peer.objection, source) {
        (Some(objection), rustls::Error::InvalidCertificate(_)) => FaultCause::Tls(objection.clone()),
        (_, rustls::Error::InvalidMessage(_)) => {
            FaultCause::Tls(format!("what answers there is not TLS ({source})"))
        }
        _ => FaultCause::Tls(super::witness::in_words(&source.to_string())),
    }
}

/// Reads what was decrypted. Many servers close the connection without saying so in TLS first; whoever needs the
/// length to be right counts it, as HTTP does.
pub(super) fn read_decrypted(stream: &mut Encrypted, bytes: &mut [u8]) -> io::Result<usize> {
    match stream.read(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        done => done,
    }
}
