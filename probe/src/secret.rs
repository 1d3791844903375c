//! Tokens and passwords: where they come from, and how they are kept out of every output.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cli::OptionFacts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subunit::part;

use super::sensitive;

/// What stands for a secret.
const REDACTED: &[u8] = process::REDACTED.as_bytes();
/// What is escaped where a secret is a part of an address.
const OTHERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the help lists how to get to a service: tokens, passwords, certificates.
pub const ACCESS: &str = "Access";

/// `--token-file`, `--token-env`: never a token in the command line, which everyone can see.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TokenArgs {
    /// Read the token from this file
    #[arg(long, value_name = "FILE", conflicts_with = "token_env", add = OptionFacts::SECRET, help_heading = ACCESS)]
    pub token_file: Option<PathBuf>,
    /// Take the token from this variable of the environment
    #[arg(long, value_name = "NAME", add = OptionFacts::secret_variable("token-file"), help_heading = ACCESS)]
    pub token_env: Option<String>,
}

impl TokenArgs {
    /// The token, where one is given.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is empty or more than a line.
    pub fn token(&self) -> anyhow::Result<Option<Secret>> {
        let text = match (&self.token_file, &self.token_env) {
            (Some(path), _) => fs::read_to_string(path)
                .with_context(|| format!("cannot read the token from {}", path.display()))?,
            (None, Some(name)) => {
                std::env::var(name).with_context(|| format!("cannot read the token from ${name}"))?
            }
            (None, None) => return Ok(None),
        };
        let token = text.trim();
        ensure!(!token.is_empty(), "the token is empty");
        ensure!(!token.contains(char::is_control), "the token is more than a line");
        Ok(Some(Secret::new(token)))
    }
}

/// A text that is never shown.
///
/// ```
/// use probe::Secret;
///
/// assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// This text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Secret(text.to_owned())
    }

    /// The text itself, to be given to whom it is for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(process::REDACTED)
    }
}

/// Takes secrets out of what is shown: those it is given, also encoded, and what headers, JSON and addresses call a
/// secret, whatever it is.
///
/// ```
/// use probe::{Redactor, Secret};
///
/// let redactor = Redactor::new(&[Secret::new("hunter2")]);
/// assert_eq!(&*redactor.redact(b"it was hunter2"), b"it was [redacted]");
/// assert_eq!(&*redactor.redact(b"Cookie: a=b\r\n"), b"Cookie: [redacted]\r\n");
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first: one may be a part of another.
    needles: Vec<Vec<u8>>,
}

impl Redactor {
    /// Of these secrets.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let mut needles = Vec::new();
        for Secret(text) in secrets.iter().filter(|Secret(text)| !text.is_empty()) {
            needles.extend([
                text.clone().into_bytes(),
                STANDARD.encode(text).into_bytes(),
                URL_SAFE_NO_PAD.encode(text).into_bytes(),
                utf8_percent_encode(text, OTHERS).to_string().into_bytes(),
            ]);
        }
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        needles.dedup();
        Redactor { needles }
    }

    /// The bytes without the secrets.
    #[must_use]
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut result = redact_named(bytes);
        for needle in &self.needles {
            if let Some(replaced) = replace(&result, needle) {
                result = Cow::Owned(replaced);
            }
        }
        result
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact(text.as_bytes())).into_owned()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Without what is a secret by its name; what is not UTF-8 stays as it is.
fn redact_named(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return match sensitive::redact(text) {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
    }
    let chunks = bytes.utf8_chunks();
    Cow::Owned(chunks.fold(Vec::new(), |mut result, chunk| {
        result.extend_from_slice(sensitive::redact(chunk.valid()).as_bytes());
        result.extend_from_slice(chunk.invalid());
        result
    }))
}

fn replace(bytes: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let finder = memchr::memmem::Finder::new(needle);
    let mut positions = finder.find_iter(bytes).peekable();
    positions.peek()?;
    let (mut result, mut rest) = (Vec::with_capacity(bytes.len()), 0);
    for position in positions {
        result.extend_from_slice(part(bytes, rest..position));
        result.extend_from_slice(REDACTED);
        rest = position + needle.len();
    }
    result.extend_from_slice(part(bytes, rest..));
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secrets: &[&str], text: &str, expected: &str) {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(text)).collect();
        assert_eq!(Redactor::new(&secrets).redact_text(text), expected);
    }

    #[test]
    fn secrets_are_hidden_in_every_encoding() {
        check(&["a/b c"], "a/b c, a%2Fb%20c, YS9iIGM=", "[redacted], [redacted], [redacted]");
        check(&["ab", "abc"], "abcab", "[redacted][redacted]");
        check(&[""], "text", "text");
        check(&["x"], "", "");
    }

    #[test]
    fn headers_that_carry_secrets_are_hidden() {
        let exchange = "> GET / HTTP/1.1\r\n> Authorization: token x\r\n>\r\n< set-cookie: a=b; c\r\nbody\n";
        let expected =
            "> GET / HTTP/1.1\r\n> Authorization: [redacted]\r\n>\r\n< set-cookie: [redacted]\r\nbody\n";
        check(&[], exchange, expected);
        check(&[], "no cookies: here", "no cookies: here");
    }

    #[test]
    fn a_token_is_a_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let token = |text: &str| {
            fs::write(&path, text).unwrap();
            TokenArgs { token_file: Some(path.clone()), token_env: None }.token()
        };
        assert_eq!(token(" secret\n").unwrap(), Some(Secret::new("secret")));
        assert!(token("\n").is_err());
        assert!(token("a\nb\n").is_err());
        assert_eq!(TokenArgs::default().token().unwrap(), None);
    }
}
