//! The values that options take: addresses, durations, exit status.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to listen: `unix:PATH` or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    /// Host and port as the system's resolver takes them.
    Tcp(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("unix", path)) if !path.is_empty() => Ok(Address::Unix(path.into())),
            Some(("tcp", place)) => tcp(place).map(Address::Tcp),
            _ => Err("expected unix:PATH or tcp:HOST:PORT".to_owned()),
        }
    }
}

/// Host and port; no host is this machine alone.
fn tcp(place: &str) -> Result<String, String> {
    let (host, port) = place.rsplit_once(':').ok_or("expected tcp:HOST:PORT")?;
    port.parse::<u16>().map_err(|_| format!("{port:?} is not a port"))?;
    Ok(if host.is_empty() { format!("127.0.0.1:{port}") } else { place.to_owned() })
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Address::Tcp(place) => write!(formatter, "tcp:{place}"),
        }
    }
}

/// What the children's ends do to the exit code.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Nothing: 0 when all was passed on
    #[default]
    None,
    /// 1 when any child failed
    Any,
    /// 1 when all children failed
    All,
}

impl ExitStatus {
    /// Whether the run failed when this many of the children did.
    pub(crate) fn has_failed(self, failed: usize, children: usize) -> bool {
        match self {
            ExitStatus::None => false,
            ExitStatus::Any => failed > 0,
            ExitStatus::All => failed > 0 && failed == children,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_address(text: &str, expected: Option<&str>) {
        let found = text.parse::<Address>().ok().map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn addresses_are_sockets_and_ports() {
        check_address("unix:/run/mux", Some("unix:/run/mux"));
        check_address("tcp:localhost:9000", Some("tcp:localhost:9000"));
        check_address("tcp:[::1]:0", Some("tcp:[::1]:0"));
        check_address("tcp::9000", Some("tcp:127.0.0.1:9000"));
        for wrong in ["", "unix:", "tcp:9000", "tcp:host:", "tcp:host:70000", "/run/mux", "udp:host:1"] {
            check_address(wrong, None);
        }
    }

    #[test]
    fn the_exit_status_can_follow_any_or_all_children() {
        let check = |status: ExitStatus, expected: [bool; 4]| {
            let counts = [(0, 0), (0, 2), (1, 2), (2, 2)];
            assert_eq!(counts.map(|(failed, children)| status.has_failed(failed, children)), expected);
        };
        check(ExitStatus::None, [false; 4]);
        check(ExitStatus::Any, [false, false, true, true]);
        check(ExitStatus::All, [false, false, false, true]);
    }
}
