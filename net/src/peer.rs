//! What a TLS handshake shows of the other side.

use super::Certificate;

/// What a TLS handshake showed.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The server's certificate, then those of its issuers, as it sent them.
    pub certificates: Vec<Certificate>,
    /// Why the certificate is not to be trusted.
    pub objection: Option<String>,
    /// The version of the protocol, and the cipher suite, once they are agreed upon.
    pub protocol: Option<String>,
}
