//! Where to connect to.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to connect to: `HOST:PORT`, `[ADDRESS]:PORT` or `unix:PATH`.
///
/// ```
/// use net::Place;
///
/// assert_eq!("[::1]:80".parse(), Ok(Place::Tcp { host: "::1".to_owned(), port: 80 }));
/// assert_eq!("unix:/run/x.sock".parse(), Ok(Place::Unix("/run/x.sock".into())));
/// assert!("example.org".parse::<Place>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port of a host.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port's number.
        port: u16,
    },
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Place {
    /// A short name of it: the host, or the last part of the path.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Place::Tcp { host, .. } => host.clone(),
            Place::Unix(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return match path.is_absolute() {
                true => Ok(Place::Unix(path)),
                false => Err(format!("`{text}` names no absolute path")),
            };
        }
        let wrong = || format!("`{text}` is not a place: HOST:PORT, [ADDRESS]:PORT or unix:PATH");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = address.unwrap_or(host);
        let is_plain = |letter: char| !letter.is_whitespace() && !"/@[]?#".contains(letter);
        if host.is_empty() || !host.chars().all(is_plain) || (host.contains(':') && address.is_none()) {
            return Err(wrong());
        }
        Ok(Place::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp { host, port } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Place::Tcp { host, port } => write!(formatter, "{host}:{port}"),
            Place::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_strictly_and_shown_as_they_were() {
        for text in ["h:1", "127.0.0.1:65535", "[::1]:80", "unix:/run/docker.sock"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for wrong in
            ["", "h", "h:", ":1", "h:0", "h:65536", "::1:80", "http://h:1", "unix:x", "u@h:1", "a b:1"]
        {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
