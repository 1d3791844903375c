//! Files and commands with names: `x86=run.subunit`.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TryMapValueParser, TypedValueParser, ValueParserFactory};

use super::error::{Fault, Kind, ValueError};

/// `[NAME=]FILE`: a file, and what it is called, which becomes an element of routes.
///
/// What stands before the first `=` is the name, unless all of it is the name of a file that is there.
///
/// ```
/// use cli::value::NamedFile;
///
/// let file = NamedFile::parse("x86=/tmp/run=7.subunit".as_ref()).unwrap();
/// assert_eq!((file.name.as_deref(), file.path.to_str()), (Some("x86"), Some("/tmp/run=7.subunit")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its name; without one it is called by its ordinal.
    pub name: Option<String>,
    /// Where it is; `-` is stdin.
    pub path: PathBuf,
}

impl NamedFile {
    /// Stdin, without a name.
    #[must_use]
    pub fn stdin() -> Self {
        NamedFile { name: None, path: "-".into() }
    }

    /// Whether it is stdin.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Reads `[NAME=]FILE`.
    ///
    /// # Errors
    ///
    /// When no file is named, or no element of a route can have this name.
    pub fn parse(text: &OsStr) -> Result<Self, ValueError> {
        let whole = || NamedFile { name: None, path: text.into() };
        let wrong = |fault: Fault| fault.of(Kind::File, &text.to_string_lossy());
        let Some((name, path)) = at_equals_sign(text.as_bytes()) else {
            return if text.is_empty() { Err(wrong(Fault::NotOne)) } else { Ok(whole()) };
        };
        if Path::new(text).exists() {
            return Ok(whole());
        }
        let name = checked(name).map_err(wrong)?.to_owned();
        if path.is_empty() {
            return Err(wrong(Fault::NotOne));
        }
        Ok(NamedFile { name: Some(name), path: OsStr::from_bytes(path).into() })
    }
}

impl ValueParserFactory for NamedFile {
    type Parser = TryMapValueParser<OsStringValueParser, fn(OsString) -> Result<NamedFile, ValueError>>;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| NamedFile::parse(&text))
    }
}

/// `[NAME=]COMMAND`: a command for the shell, and what it is called.
///
/// What stands before the first `=` is the name, unless it holds a blank or a quote; then that `=` is the command's
/// own, as in `runner --jobs=2`.
///
/// ```
/// let command: cli::value::NamedCommand = "w1=./run --jobs=2".parse().unwrap();
/// assert_eq!((command.name.as_deref(), command.command.as_str()), (Some("w1"), "./run --jobs=2"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCommand {
    /// Its name; without one it is called by its ordinal.
    pub name: Option<String>,
    /// What the shell is to run.
    pub command: String,
}

impl FromStr for NamedCommand {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = |fault: Fault| fault.of(Kind::Command, text);
        let is_word = |name: &str| !name.contains(|part: char| part.is_whitespace() || "'\"".contains(part));
        let (name, command) = match text.split_once('=') {
            Some((name, command)) if is_word(name) => (Some(name), command),
            _ => (None, text),
        };
        let name = name.map(|name| checked(name.as_bytes())).transpose().map_err(wrong)?;
        if command.trim().is_empty() {
            return Err(wrong(Fault::NotOne));
        }
        Ok(NamedCommand { name: name.map(str::to_owned), command: command.to_owned() })
    }
}

fn at_equals_sign(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = text.split_at_checked(text.iter().position(|byte| *byte == b'=')?)?;
    Some((name, rest.get(1..)?))
}

/// A name that can be an element of a route.
fn checked(name: &[u8]) -> Result<&str, Fault> {
    match std::str::from_utf8(name) {
        Err(_) => Err(Fault::NameNotUtf8),
        Ok("") => Err(Fault::EmptyName),
        Ok(name) if name.contains('/') => Err(Fault::NameWithSlash),
        Ok(name) => Ok(name),
    }
}

/// Gives each of several sources a name of its own, which is put before the routes of its packets.
///
/// ```
/// let mut names = cli::value::RouteNames::default();
/// let wanted = [Some("a"), None, Some("a")];
/// assert_eq!(wanted.map(|name| names.give(name.map(str::to_owned))), ["a", "1", "a-2"]);
/// ```
#[derive(Debug, Default)]
pub struct RouteNames {
    taken: HashSet<String>,
    /// How many names were given, which is the next ordinal.
    given: usize,
}

impl RouteNames {
    /// This name, or the next ordinal; `-2`, `-3`, … follow where it is taken.
    pub fn give(&mut self, wanted: Option<String>) -> String {
        let wanted = wanted.unwrap_or_else(|| self.given.to_string());
        self.given += 1;
        let mut name = wanted.clone();
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}-{count}");
        }
        name
    }
}
