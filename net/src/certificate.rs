//! What a certificate says.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What a certificate says about its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose certificate it is.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub not_before: SystemTime,
    /// When it expires.
    pub not_after: SystemTime,
}

impl Certificate {
    /// Reads a certificate; `None` if the bytes are not one.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Self> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let content = parsed.tbs_certificate();
        let names = content.get_extension::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0);
        Some(Certificate {
            subject: content.subject().to_string(),
            issuer: content.issuer().to_string(),
            names: names.unwrap_or_default().iter().filter_map(name).collect(),
            not_before: content.validity().not_before.to_system_time(),
            not_after: content.validity().not_after.to_system_time(),
        })
    }

    /// For how many days it is still valid: below zero when it has expired.
    #[must_use]
    pub fn days_left(&self, now: SystemTime) -> f64 {
        let days = |time: Duration| time.as_secs_f64() / 86_400.0;
        match self.not_after.duration_since(now) {
            Ok(left) => days(left),
            Err(error) => -days(error.duration()),
        }
    }

    /// The moment when it expires, as people write it.
    #[must_use]
    pub fn last_day(&self) -> String {
        day(self.not_after)
    }

    /// Whether it is valid now.
    #[must_use]
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Certificate { subject, issuer, names, .. } = self;
        write!(formatter, "{subject}, for {}, issued by {issuer}, ", names.join(" "))?;
        write!(formatter, "valid from {} to {}", day(self.not_before), day(self.not_after))
    }
}

/// A moment, as people write it.
pub(super) fn day(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let four = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            let sixteen = <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            four.or(sixteen).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
