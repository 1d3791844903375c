//! Verifies certificates, and remembers what was shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::day;
use super::{Certificate, Peer};

/// Verifies as usual, and remembers what was shown and why it was refused.
#[derive(Debug)]
pub(super) struct Witness {
    usual: Result<Arc<WebPkiServerVerifier>, String>,
    /// Certificates that are trusted as they are, also where they are no authority's.
    pinned: Vec<CertificateDer<'static>>,
    insecure: bool,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Peer>,
}

impl Witness {
    pub(super) fn new(
        usual: Result<Arc<WebPkiServerVerifier>, String>,
        pinned: Vec<CertificateDer<'static>>,
        insecure: bool,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Witness { usual, pinned, insecure, provider, seen: Mutex::default() }
    }

    /// What was shown so far.
    pub(super) fn peer(&self) -> Peer {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verify(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.pinned.iter().any(|pinned| pinned.as_ref() == end.as_ref()) {
            return verify_pinned(end, name, now);
        }
        match &self.usual {
            Ok(usual) => usual.verify_server_cert(end, others, name, staple, now).map(drop),
            Err(reason) => Err(Error::General(reason.clone())),
        }
    }
}

/// A certificate that was given to be trusted vouches for itself, but only for its names and while it is valid.
fn verify_pinned(end: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now.as_secs());
    let refused = |error| Err(Error::InvalidCertificate(error));
    match Certificate::parse(end) {
        None => return refused(CertificateError::BadEncoding),
        Some(certificate) if certificate.not_before > now => return refused(CertificateError::NotValidYet),
        Some(certificate) if !certificate.is_valid_at(now) => return refused(CertificateError::Expired),
        Some(_) => {}
    }
    // What an authority's certificate is not allowed to be, a server's own, this one was given to be.
    match ParsedCertificate::try_from(end) {
        Ok(parsed) => rustls::client::verify_server_name(&parsed, name),
        Err(error) => Err(error),
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verify(end, others, name, staple, now);
        let chain = std::iter::once(end).chain(others);
        let certificates: Vec<_> = chain.filter_map(|der| Certificate::parse(der)).collect();
        let objection = verified.as_ref().err().map(|error| objection(error, certificates.first(), name));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Peer { certificates, objection, protocol: None };
        match verified {
            Err(error) if !self.insecure => Err(match error {
                // So that all of them are known for what they are.
                Error::General(_) => Error::InvalidCertificate(CertificateError::UnknownIssuer),
                error => error,
            }),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a certificate is refused, in words that say what to do.
fn objection(error: &Error, certificate: Option<&Certificate>, name: &ServerName<'_>) -> String {
    let Error::InvalidCertificate(error) = error else {
        return match error {
            Error::General(reason) => reason.clone(),
            other => other.to_string(),
        };
    };
    let of = |what: &dyn Fn(&Certificate) -> String| certificate.map(what).unwrap_or_default();
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate has expired{}", of(&|own| format!(", on {}", day(own.not_after))))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let from = of(&|own| format!(", but from {} on", day(own.not_before)));
            format!("the certificate is not valid yet{from}; is a clock wrong?")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = of(&|own| format!(", but for {}", own.names.join(", ")));
            format!("the certificate is not for {}{names}", name.to_str())
        }
        CertificateError::BadSignature => {
            let issuer = of(&|own| format!(" {}", own.issuer));
            format!(
                "the issuer{issuer} is not trusted: another one of that name is; --ca FILE names certificates to trust"
            )
        }
        CertificateError::UnknownIssuer => {
            let issuer = of(&|own| format!(" ({})", own.issuer));
            format!("the certificate's issuer{issuer} is not trusted; --ca FILE names certificates to trust")
        }
        CertificateError::Other(_) if certificate.is_some_and(|own| own.subject == own.issuer) => {
            "the certificate is self-signed; --ca FILE names certificates to trust".to_owned()
        }
        other => format!("the certificate is not valid: {other}"),
    }
}
