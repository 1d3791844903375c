//! Addresses of HTTP.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ureq::http::Uri;

use super::Place;

/// An address: `http://` or `https://`, a host, perhaps a port, a path and a query.
///
/// Shown, it says no secrets that a query may hold.
///
/// ```
/// use net::Url;
///
/// let url: Url = "https://hub.example/jupyter/?token=abc".parse()?;
/// assert_eq!(url.to_string(), "https://hub.example/jupyter/?token=[redacted]");
/// assert_eq!(url.below("hub/api").to_string(), "https://hub.example/jupyter/hub/api");
/// assert_eq!(url.at("/health").to_string(), "https://hub.example/health");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    host: String,
    port: u16,
    /// With the query.
    path: String,
}

impl Url {
    /// Whether it is one of TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where to connect to.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Tcp { host: self.host.clone(), port: self.port }
    }

    /// The path with the query, as it is asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Another path on the same server.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Url { path: format!("/{}", path.trim_start_matches('/')), ..self.clone() }
    }

    /// A path below this one; the query is dropped.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let own = self.path.split('?').next().unwrap_or_default().trim_end_matches('/');
        self.at(&format!("{own}/{}", path.trim_start_matches('/')))
    }

    /// Whether it is on the same server, by the same scheme.
    #[must_use]
    pub fn is_same_origin(&self, other: &Url) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// What a reference on this page leads to.
    ///
    /// # Errors
    ///
    /// When it is not an address of HTTP.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.split('#').next().unwrap_or_default();
        if reference.starts_with("//") {
            return format!("{}:{reference}", self.scheme()).parse();
        }
        let scheme_end =
            reference.find(':').filter(|end| reference.find(['/', '?']).is_none_or(|at| *end < at));
        if scheme_end.is_some() {
            return reference.parse();
        }
        let page = self.path.split('?').next().unwrap_or_default();
        let path = match reference {
            "" => self.path.clone(),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            query if query.starts_with('?') => format!("{page}{query}"),
            relative => format!("{}/{relative}", page.rsplit_once('/').unwrap_or_default().0),
        };
        format!("{}{}{path}", self.origin(), if path.starts_with('/') { "" } else { "/" }).parse()
    }

    /// As it is sent.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// `HOST:PORT`, without the port where it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{}` is not an address: {why}", hide(text));
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names and passwords have no place in it"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok().filter(|port| *port > 0),
            None if authority.as_str().len() > authority.host().len() => None,
            None => Some(if secure { 443 } else { 80 }),
        };
        let port = port.filter(|_| !host.is_empty()).ok_or_else(|| wrong("it has no host or no port"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Url { secure, host: host.to_ascii_lowercase(), port, path: format!("{slash}{path}") })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hide(&self.text()))
    }
}

/// What is escaped in a path or a query: all but letters, digits and `-._~`.
const OTHERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Words in the names of parameters that mark a secret: more than those of `process::is_secret_name`, since addresses
/// carry signatures and codes, and losing another value costs little.
const SECRETS: [&str; 8] = ["token", "secret", "passw", "pwd", "key", "sig", "code", "auth"];

/// The text without the values of parameters that may be secrets, and without passwords.
#[must_use]
pub fn hide(text: &str) -> String {
    let text = &*process::without_passwords(text);
    let (before, query) = match text.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (text, None),
    };
    let mut shown = before.to_owned();
    for (number, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if number == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if SECRETS.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
                let _infallible = write!(shown, "{name}={}", process::REDACTED);
            }
            _ => shown.push_str(parameter),
        }
    }
    shown
}

/// The text as a part of a path or a query.
///
/// ```
/// assert_eq!(net::encode("a b/ü"), "a%20b%2F%C3%BC");
/// ```
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, OTHERS).to_string()
}

/// The text whose escapes (`%2F`) these are; what is not an escape stays as it is.
///
/// ```
/// assert_eq!(net::decode("/user/a%40b%/%4"), "/user/a@b%/%4");
/// ```
#[must_use]
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_read_strictly() {
        let check = |text, expected: &str| assert_eq!(url(text).to_string(), expected);
        check("http://Example.org", "http://example.org/");
        check("http://h:80?x=1#part", "http://h/?x=1");
        check("https://[::1]:8443/a", "https://[::1]:8443/a");
        for wrong in ["", "h", "/x", "ftp://h/", "http://", "http://u:p@h/", "http://h:0/", "http://h:99999/"]
        {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn references_lead_where_browsers_go() {
        let check = |reference, expected: &str| {
            assert_eq!(url("http://h/a/b?c").join(reference).unwrap().to_string(), expected);
        };
        check("https://other/x", "https://other/x");
        check("//other/x", "http://other/x");
        check("/x?y=z:1", "http://h/x?y=z:1");
        check("x", "http://h/a/x");
        check("?x", "http://h/a/b?x");
        check("", "http://h/a/b?c");
        assert!(url("http://h/").join("javascript:x").is_err());
    }

    #[test]
    fn no_secret_of_an_address_is_shown() {
        let check = |text, expected| assert_eq!(hide(text), expected);
        check("http://h/?a=1&access_token=x&b", "http://h/?a=1&access_token=[redacted]&b");
        check("http://u:p@h/x", "http://[redacted]@h/x");
        check("http://h/@x", "http://h/@x");
        check("/hub/?code=1", "/hub/?code=[redacted]");
    }
}
