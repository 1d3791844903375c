//! The command line of `check-tcp`.

use cli::OptionFacts;
use net::Place;
use probe::{ProbeArgs, help_end};
use regex::bytes::Regex;
use subunit::text_part;

use crate::network::NetArgs;

const EXAMPLES: &str = "  check-tcp --expect '^SSH-2' host.example:22
  check-tcp --send 'PING\\r\\n' --expect '^\\+PONG' 127.0.0.1:6379
  check-tcp --tls -w certificate_days=30: ldap.example:636
  check-tcp unix:/run/postgresql/.s.PGSQL.5432";

/// Check ports that take connections: resolve, connect, TLS and certificate, greeting, latency
///
/// Each aspect is a test of its own, tcp.TARGET.ASPECT: resolve and connect (--probe startup), with --tls also
/// tls (readiness, the default), with --expect, --send or --only banner also banner, which listens.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-tcp", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckTcp {
    /// The ports to check: HOST:PORT (an IPv6 address in brackets) or unix:PATH
    #[arg(value_name = "PLACE")]
    pub places: Vec<Place>,
    /// The same, as an option
    #[arg(long = "place", value_name = "PLACE", add = OptionFacts::TARGET)]
    pub more_places: Vec<Place>,
    /// What the other side says must match
    #[arg(long, value_name = "REGEX", add = OptionFacts::of_aspects(&["banner"]))]
    pub expect: Option<Regex>,
    /// Say this first; \r, \n, \t, \\ and \xHH are understood
    #[arg(long, value_name = "TEXT", value_parser = unescape, add = OptionFacts::of_aspects(&["banner"]))]
    pub send: Option<Payload>,
    /// The connection is encrypted by TLS from its beginning
    #[arg(long, add = OptionFacts::of_aspects(&["tls"]))]
    pub tls: bool,
    /// The name that the certificate must be for (default: the host)
    #[arg(long, value_name = "NAME", requires = "tls", add = OptionFacts::TARGET)]
    pub server_name: Option<String>,
    /// The options that all checks over the network have.
    #[command(flatten)]
    pub net: NetArgs,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

/// Bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(pub Vec<u8>);

impl CheckTcp {
    pub(super) fn all_places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().chain(&self.more_places)
    }
}

/// The bytes that a text with escapes stands for.
fn unescape(text: &str) -> Result<Payload, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend(plain.as_bytes());
        let (byte, length) = match escaped.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => {
                let digits = escaped.get(1..3).unwrap_or_default();
                let byte =
                    u8::from_str_radix(digits, 16).map_err(|_| format!("`\\x{digits}` is not a byte"))?;
                (byte, 3)
            }
            _ => return Err(format!("`{text}` has an escape other than \\r \\n \\t \\\\ \\xHH")),
        };
        bytes.push(byte);
        rest = text_part(escaped, length..);
    }
    bytes.extend(rest.as_bytes());
    Ok(Payload(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        let check =
            |text, expected: &[u8]| assert_eq!(unescape(text), Ok(Payload(expected.to_vec())), "{text}");
        check("PING\\r\\n", b"PING\r\n");
        check("\\\\n\\x00\\xfF!", b"\\n\0\xff!");
        check("ü", "ü".as_bytes());
        for wrong in ["\\", "\\q", "\\x0", "\\xgg", "\\xü"] {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }
}
