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
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now.as_secs());
        let objection = verified.as_ref().err().map(|error| objection(error, &certificates, name, at));
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
fn objection(error: &Error, chain: &[Certificate], name: &ServerName<'_>, now: SystemTime) -> String {
    let certificate = chain.first();
    let Error::InvalidCertificate(error) = error else {
        return match error {
            Error::General(reason) => reason.clone(),
            other => in_words(&other.to_string()),
        };
    };
    let of = |what: &dyn Fn(&Certificate) -> String| certificate.map(what).unwrap_or_default();
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => expired(chain, now),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let (who, when) = which(chain, |certificate| certificate.not_before > now);
            let from = when.map_or_else(String::new, |own| format!(", but from {} on", day(own.not_before)));
            format!("{who} is not valid yet{from}; is a clock wrong?")
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
        other => format!("the certificate is not valid: {}", in_words(&other.to_string())),
    }
}

fn expired(chain: &[Certificate], now: SystemTime) -> String {
    let (who, when) = which(chain, |certificate| certificate.not_after < now);
    let on = when.map_or_else(String::new, |found| format!(", on {}", day(found.not_after)));
    format!("{who} has expired{on}")
}

/// The first certificate of which this is true: the server's own, else one of those that vouch for it.
fn which(chain: &[Certificate], is_it: impl Fn(&Certificate) -> bool) -> (String, Option<&Certificate>) {
    match chain.iter().enumerate().find(|(_, certificate)| is_it(certificate)) {
        Some((0, own)) => ("the certificate".to_owned(), Some(own)),
        Some((_, other)) => (format!("the intermediate certificate {}", other.subject), Some(other)),
        None => ("the certificate of an authority that vouches for it".to_owned(), None),
    }
}

/// A message of the TLS library, in which names of Rust's are words.
pub(super) fn in_words(text: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    let text = text.replace("Other(OtherError(", "").replace("OtherError(", "").replace(')', "");
    for letter in text.chars() {
        if letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
            words.push(letter.to_ascii_lowercase());
        } else {
            words.push(letter);
        }
        before = letter;
    }
    words.replace("Context {", " {")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn certificate(subject: &str, end: u64) -> Certificate {
        let at = |days: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400);
        let (subject, issuer) = (subject.to_owned(), "CN=root".to_owned());
        Certificate { subject, issuer, names: Vec::new(), not_before: at(0), not_after: at(end) }
    }

    #[test]
    fn the_certificate_that_has_expired_is_named() {
        let check = |ends: [u64; 2], expected: &str| {
            let chain = [certificate("CN=own", ends[0]), certificate("CN=between", ends[1])];
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(20 * 86_400);
            assert_eq!(expired(&chain, now), expected);
        };
        check([10, 30], "the certificate has expired, on 1970-01-11 00:00:00Z");
        check([30, 10], "the intermediate certificate CN=between has expired, on 1970-01-11 00:00:00Z");
        check([30, 30], "the certificate of an authority that vouches for it has expired");
    }

    #[test]
    fn names_of_the_library_are_words() {
        assert_eq!(
            in_words("received fatal alert: HandshakeFailure"),
            "received fatal alert: Handshake failure"
        );
        assert_eq!(in_words("Other(OtherError(CaUsedAsEndEntity))"), "Ca used as end entity");
    }
}
